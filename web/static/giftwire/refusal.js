// Why an upgrade was refused. Browsers do not tell; a plain GET on the same path runs the same
// checks and says it (PROTOCOL.md, section 1).

import { ordered } from "./backoff.js";

/** @import * as api from "../giftwire.js" */

/** @typedef {typeof fetch} Fetch */

/**
 * @typedef {{ kind: "network" } | { kind: "upgrade" } | { kind: "token", problem: api.Problem }
 *   | { kind: "later", ms: number } | { kind: "final", problem: api.Problem }} Refusal
 * network: nobody or somebody else answered; upgrade: the hub would take the connection; later:
 * it asks to come back then; final: coming back is of no use.
 */

// A problem document is below 1 KiB; more is not ours.
const PROBLEM_MAX = 64 * 1024;

/**
 * @param {{ fetch: Fetch, url: string, token: string, signal: AbortSignal }} request
 * @returns {Promise<Refusal>}
 */
export async function askWhy({ fetch, url, token, signal }) {
  let response, problem;
  try {
    response = await fetch(url, {
      headers: { Authorization: `Bearer ${token}` },
      cache: "no-store",
      credentials: "omit",
      redirect: "error", // the token is for this host alone
      signal,
    });
    problem = await problemOf(response);
  } catch {
    // No answer, or one that the browser hides: an origin that is not allowed looks the same.
    return { kind: "network" };
  }
  return judge(response, problem);
}

/**
 * @param {Response} response
 * @param {api.Problem | undefined} problem
 * @returns {Refusal}
 */
function judge(response, problem) {
  // What is no problem document comes from a proxy or a captive portal, and will pass.
  if (problem === undefined) return { kind: "network" };
  switch (response.status) {
    case 426:
      return { kind: "upgrade" };
    case 401:
      return { kind: "token", problem };
    case 408:
    case 425:
      return { kind: "network" };
    case 429:
    case 503:
      return { kind: "later", ms: ordered(problem.retry_after_ms ?? seconds(response)) ?? 1000 };
    default:
      return response.status >= 400 && response.status < 500 ? { kind: "final", problem } : { kind: "network" };
  }
}

/** @param {Response} response */
function seconds(response) {
  const text = response.headers.get("Retry-After") ?? "";
  return /^\d+$/.test(text) ? Number(text) * 1000 : undefined;
}

/**
 * The problem document of an answer (RFC 9457), if it has one.
 * @param {Response} response
 * @returns {Promise<api.Problem | undefined>}
 */
async function problemOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/problem+json")) {
    await response.body?.cancel();
    return undefined;
  }
  const body = JSON.parse(await text(response));
  if (typeof body?.code !== "string") return undefined;
  return {
    status: response.status,
    code: body.code,
    title: String(body.title ?? ""),
    detail: String(body.detail ?? ""),
    ...(typeof body.retry_after_ms === "number" ? { retry_after_ms: body.retry_after_ms } : {}),
  };
}

/**
 * The body of an answer, as long as it is below PROBLEM_MAX.
 * @param {Response} response
 */
async function text(response) {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let all = "";
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    all += decoder.decode(value, { stream: !done });
    if (done) break;
    if (all.length > PROBLEM_MAX) {
      await reader.cancel();
      throw new Error("a problem document that is too large");
    }
  }
  return all;
}
