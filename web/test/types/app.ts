// An app in TypeScript, as its author would write it. It is checked, not run.

import { connect, GiftError, GiftwireError } from "../../static/giftwire.js";
import type { Gift, GiftState, Options, Result, Room, TabStorage } from "../../static/giftwire.js";

const storage: TabStorage = sessionStorage;
const options: Options = {
  url: new URL("https://live.example.com"),
  room: "demo",
  token: async ({ reason }) => {
    const answer = await fetch(`/token?because=${reason satisfies "first" | "expired" | "refused"}`);
    return answer.ok ? answer.text() : null;
  },
  storage,
  retry: ["unavailable", "busy"],
  times: { backoffMaxMs: 10_000 },
};

const room: Room = connect(options);

room.addEventListener("state", ({ detail }) => {
  if (detail.state === "closed") console.log(detail.reason?.code, detail.reason?.problem?.status);
});
room.addEventListener("gifts", ({ detail: { seq, gifts } }) => {
  for (const { nickname, num, value } of gifts) console.log(seq + 1, nickname.length, num * value);
});
room.addEventListener("error", ({ detail }) => console.log(detail.code, detail.cause));
room.addEventListener("gift", { handleEvent: ({ detail }) => console.log(word(detail)) }, { once: true });
room.addEventListener("some other event", (event: Event) => console.log(event.type));
const onLagged = ({ detail }: CustomEvent<{ from: number; to: number }>) => console.log(detail.to - detail.from);
room.addEventListener("lagged", onLagged);
room.removeEventListener("lagged", onLagged);

// word is a switch over all states: a new one has to be thought of here.
function word({ state }: Gift): string {
  switch (state) {
    case "queued":
    case "sent":
      return "sending";
    case "accepted":
      return "accepted";
    case "delivered":
    case "failed":
    case "unresolved":
    case "rejected":
    case "unknown":
      return state;
    default:
      return state satisfies never;
  }
}

async function rocket(): Promise<GiftState> {
  const gift = room.give({ gift_id: "g1", count: 20 });
  try {
    const result: Result = await gift.result;
    return result.status;
  } catch (error) {
    if (error instanceof GiftError) console.log(error.gift.retry_after_ms ?? 0, error.code === "rate_limited");
    else if (error instanceof GiftwireError) console.log(error.id?.length);
    return gift.state;
  }
}

const id: string = room.comment("5");
const latency: number | undefined = room.latencyMs;
room.like();
room.like(3);
room.opened.then(({ gifts, join }) => console.log(gifts[0]?.tiers[0]?.effect, join[0]?.team));
console.log(id, latency, room.pending.length, await rocket());
room.close();

// What must be a mistake.
// @ts-expect-error room is missing
connect({ token: "x" });
// @ts-expect-error a count is a number
room.give({ gift_id: "g1", count: "20" });
// @ts-expect-error the client makes the id
room.give({ gift_id: "g1", count: 20, id: "mine" });
// @ts-expect-error declined is a person's decision, and not tried again
connect({ ...options, retry: ["declined"] });
// @ts-expect-error a state is read, not set
room.state = "open";
// @ts-expect-error gifts have no such member
room.addEventListener("gifts", ({ detail }) => detail.nickname);
// @ts-expect-error there is no such time
connect({ ...options, times: { patienceMs: 1 } });
