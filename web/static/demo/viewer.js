// Who this tab is: a viewer of its own in every tab, the same one after a reload.

/** @typedef {{ user_id: string, nickname: string }} Viewer */

export const ROOM = "demo";
const KEY = "giftwire.demo.viewer";

const FIRST = ["Brave", "Calm", "Clever", "Cosmic", "Dapper", "Eager", "Gentle", "Golden", "Jolly", "Lucky", "Mighty", "Quick", "Sunny", "Witty"];
const SECOND = ["Badger", "Comet", "Falcon", "Fox", "Heron", "Koala", "Lynx", "Otter", "Panda", "Raven", "Tiger", "Walrus", "Whale", "Yak"];

/** @returns {Viewer} */
export function recall() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (typeof kept?.user_id === "string" && typeof kept.nickname === "string") return kept;
  } catch {
    // No storage, or not ours: a new viewer will do.
  }
  const viewer = { user_id: `v${hex(6)}`, nickname: `${one(FIRST)} ${one(SECOND)}` };
  remember(viewer);
  return viewer;
}

/** @param {Viewer} viewer */
export function remember(viewer) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(viewer));
  } catch {
    // Without storage a reload makes somebody new.
  }
}

/** @param {string[]} list */
function one(list) {
  return list[Math.floor(Math.random() * list.length)];
}

/** @param {number} bytes */
function hex(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** The address of something that the server has, wherever the page is mounted. */
export const at = (/** @type {string} */ path) => new URL(path, document.baseURI).href;

/** What is wrong with a name, in the server's words. */
export class NameFault extends Error {}

/**
 * A token of `giftwire dev`; null where the page is not served by it.
 * @param {Viewer} viewer
 * @returns {Promise<string | null>}
 * @throws {NameFault} the name will not do
 */
export async function token(viewer) {
  const response = await fetch(at("v1/dev/tokens"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ room: ROOM, ...viewer }),
  });
  if (response.status === 404 || response.status === 405) return null;
  const answer = await response.json();
  if (response.status === 400) throw new NameFault(String(answer.detail ?? "This name will not do."));
  if (!response.ok || typeof answer.token !== "string") throw new Error(`no token: ${response.status}`);
  return answer.token;
}
