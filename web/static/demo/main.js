// The page: makes its parts, and tells each what it has to know.

import { amount, outcome } from "./effects.js";
import { Feed } from "./feed.js";
import { Herald } from "./herald.js";
import { menu } from "./menu.js";
import { Mine } from "./mine.js";
import { Pace } from "./pace.js";
import { Path } from "./path.js";
import { join, say } from "./say.js";
import { Session } from "./session.js";
import { Game } from "./stage/game.js";
import { Teams } from "./teams.js";
import { top } from "./top.js";
import { fate } from "./words.js";
import { drawer } from "./zego/drawer.js";
import { effects } from "./zego/sim.js";

const session = new Session();
const teams = new Teams(session);
const herald = new Herald();
const bar = menu(session, teams);
const find = bar.find.bind(bar);
const game = new Game(session, teams, find, herald);
const feed = new Feed(find, teams);
const mine = new Mine(find);
const path = new Path((gift) => amount(find(gift.gift_id), gift.count));
const pace = new Pace();

top(session);
say(session);
join(session, teams);

session.on("gift", (gift) => {
  mine.show(gift);
  path.show(gift);
  pace.show(gift);
  if (gift.state === "failed" && gift.reason === "not_joined_or_refused") teams.forget(session.viewer.user_id);
  const { chip, more, tone } = fate(gift);
  if (tone === "bad") herald.tell(`Your gift of ${amount(find(gift.gift_id), gift.count)}: ${chip}. ${more}`);
});

session.on("welcome", ({ game: phase }) => mine.phase(phase));
session.on("game", (phase) => mine.phase(phase));

session.on("gifts", ({ gifts }) => {
  for (const gift of gifts) {
    game.play(gift);
    feed.gift(gift);
    const menuGift = find(gift.gift_id);
    herald.tell(`${gift.nickname} gave ${amount(menuGift, gift.count)}: ${outcome(menuGift, gift)}.`);
  }
  path.seen(gifts);
});

session.on("comments", ({ comments }) => {
  for (const comment of comments) {
    feed.comment(comment);
    herald.tell(`${comment.nickname} says ${comment.text}.`);
  }
});

session.on("lagged", ({ from, to }) => feed.note(`Missed while away: ${to - from + 1} batches of gifts. They were delivered all the same.`));

session.on("reset", () => feed.note("Back. What happened meanwhile is not shown; nothing of it is lost."));

let ready = false;
session.on("welcome", () => {
  if (ready) return;
  ready = true; // a token of dev was taken: dev's own tools are there
  const calls = drawer({
    session,
    find,
    leader: game.leader,
    called: ({ entries, at }) => {
      for (const { user_id, text, msg_id } of entries) {
        if (user_id !== undefined && text !== undefined) teams.heard(user_id, text, Date.parse(at));
        if (msg_id !== undefined) mine.called(msg_id);
      }
      path.draw();
    },
  });
  mine.calls = calls;
  path.calls = (msg_id) => calls.of(msg_id);
  effects().then(
    (given) => game.recall(given.filter(({ at }) => teams.isNow(Date.parse(at)))),
    () => {}, // the server is away again; then the page begins with empty hands
  );
});

session.open();
