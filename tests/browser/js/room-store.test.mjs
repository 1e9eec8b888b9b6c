// The room as a fold over events: what is shown, what is not any more, and one's own messages on their way.
import assert from "node:assert/strict";
import test from "node:test";
import { emptyRoom, KEEP_FOLLOWING, reduce } from "../../../web/ui/app/room-store.js";
import { YOU } from "./stage.mjs";

const ANN = { id: "u_7", name: "ann", displayName: "Ann" };
const BOB = { id: "u_9", name: "bob", displayName: "Bob" };
const event = (n, t, d) => ({ t, ch: "c_1", s: "room", pos: ["k1", n], ts: n, d });
const said = (n, user = BOB, more = {}) => event(n, "msg.new", { mid: `m_${n}`, user, text: `text ${n}`, frags: [], flags: [], ...more });
const snapshot = (n, recent = []) => ({ type: "snapshot", d: { ch: "c_1", slug: "lobby", pos: ["k1", n], state: { title: "T", modes: {} }, you: YOU, recent } });

const play = (...actions) => actions.reduce(reduce, emptyRoom());
const events = (...list) => ({ type: "events", events: list });
const texts = (state) => state.rows.map((row) => (row.kind === "note" ? `[${row.note.what}]` : row.gone ? "[gone]" : row.text));

test("a snapshot shows what is recent, events follow", () => {
  const state = play(snapshot(2, [said(1), said(2)]), events(said(3), said(4)));
  assert.deepEqual(texts(state), ["text 1", "text 2", "text 3", "text 4"]);
  assert.equal(state.arrived, 2);
});

test("a state is never changed in place", () => {
  const before = play(snapshot(2, [said(1), said(2)]));
  const copy = structuredClone({ rows: before.rows, pending: before.pending });
  reduce(before, events(said(3), event(4, "msg.gone", { mids: ["m_1"], by: "staff" })));
  assert.deepEqual({ rows: before.rows, pending: before.pending }, copy);
});

test("a removed message leaves a line without text, and previews of it lose theirs", () => {
  const reply = { mid: "m_1", root: "m_1", user: BOB, text: "text 1" };
  const state = play(snapshot(0), events(said(1), said(2, ANN, { reply }), event(3, "msg.gone", { mids: ["m_1"], by: "staff" })));
  assert.deepEqual(texts(state), ["[gone]", "text 2"]);
  assert.equal(state.rows[0].text, "");
  assert.equal(state.rows[1].reply.text, null);
});

test("a purge names a user's messages in a range only", () => {
  const state = play(snapshot(0), events(said(1), said(2, ANN), said(3), said(4)), events(event(5, "msg.gone", { user: "u_9", from: 2, to: 3, by: "staff" })));
  assert.deepEqual(texts(state), ["text 1", "text 2", "[gone]", "text 4"]);
});

test("a tombstone that comes in place of a message is shown as one", () => {
  const state = play(snapshot(0), events(event(1, "msg.new", { mid: "m_1", user: BOB, gone: { by: "author" } })));
  assert.deepEqual(texts(state), ["[gone]"]);
});

test("an undo brings messages back at their place", () => {
  const back = event(4, "msg.back", { messages: [{ n: 1, ts: 1, d: said(1).d }] });
  const state = play(snapshot(0), events(said(1), said(2)), events(event(3, "msg.gone", { mids: ["m_1"], by: "staff" }), back));
  assert.deepEqual(texts(state), ["text 1", "text 2"]);
});

test("a range that comes back is read again, but only what is shown", () => {
  const state = play(snapshot(9, [said(5), said(6)]), events(event(10, "msg.back", { user: "u_9", from: 1, to: 6 })));
  assert.deepEqual(state.rereads, [{ from: 5, to: 6 }]);
  const again = reduce(state, { type: "reread", events: [said(5, BOB, { text: "again" })] });
  assert.deepEqual(texts(again), ["again", "text 6"]);
});

test("a cleared chat is one quiet line", () => {
  const state = play(snapshot(0), events(said(1), said(2), event(3, "room.cleared", { before: 3, by: "staff" }), said(4)));
  assert.deepEqual(texts(state), ["[cleared]", "text 4"]);
});

test("a mode is remembered and said", () => {
  const state = play(snapshot(0), events(event(1, "room.mode", { name: "slow", value: 10, until: null, by: "staff" })));
  assert.equal(state.info.modes.slow.value, 10);
  assert.deepEqual(texts(state), ["[mode]"]);
});

test("older messages come in above, each once", () => {
  const state = play(snapshot(4, [said(3), said(4)]), { type: "older", events: [said(1), said(2), said(3)], more: false });
  assert.deepEqual(texts(state), ["text 1", "text 2", "text 3", "text 4"]);
  assert.equal(state.olderLeft, false);
});

test("while following only the newest rows are kept; while reading the ones in view stay", () => {
  const many = Array.from({ length: 4000 }, (_, i) => said(i + 1));
  const full = play(snapshot(0), events(...many));
  const following = reduce(full, { type: "bound", holdN: null });
  assert.equal(following.rows.length, KEEP_FOLLOWING);
  assert.equal(following.rows.at(-1).n, 4000);
  assert.ok(following.olderLeft);
  const reading = reduce(full, { type: "bound", holdN: 300 });
  assert.deepEqual(reading.rows.slice(0, 300).map((row) => row.n), Array.from({ length: 300 }, (_, i) => i + 1));
  assert.equal(reading.rows.at(-1).n, 4000);
  assert.ok(reading.gap);
  assert.equal(reduce(reading, { type: "jumped" }).gap, false);
});

test("a snapshot after something was missed shows nothing that may be gone", () => {
  const state = play(snapshot(2, [said(1), said(2)]), snapshot(900, [said(890)]));
  assert.deepEqual(texts(state), ["text 890"]);
});

test("a snapshot at the same position keeps what was read", () => {
  const state = play(snapshot(4, [said(3), said(4)]), { type: "older", events: [said(1)], more: true }, snapshot(4, [said(3), said(4)]));
  assert.deepEqual(texts(state), ["text 1", "text 3", "text 4"]);
});

const mine = (...more) => play({ type: "identity", user: ANN }, snapshot(0), { type: "pending", item: { idem: "w-1", text: "text 1", user: ANN } }, ...more);
const settled = { type: "settled", idem: "w-1", reply: { outcome: "published", mid: "m_1", pos: ["k1", 1] } };

test("an own message is shown once, whether the reply or the event is first", () => {
  for (const order of [[settled, events(said(1, ANN))], [events(said(1, ANN)), settled]]) {
    const state = mine(...order);
    assert.deepEqual(state.pending, []);
    assert.deepEqual(texts(state), ["text 1"]);
  }
});

test("an event seen before its reply already hides the pending line", () => {
  assert.equal(mine(events(said(1, ANN))).pending[0].seen, "m_1");
});

test("a held message waits, and goes when it is decided", () => {
  const held = mine({ type: "settled", idem: "w-1", reply: { outcome: "held", mid: "m_1", case: "k_1", expiresAt: 5 } });
  assert.equal(held.pending[0].phase, "held");
  const decided = (outcome) => reduce(held, { type: "personal", event: { t: "hold.resolved", d: { ch: "c_1", mid: "m_1", outcome } } });
  assert.deepEqual(decided("allowed").pending, []);
  assert.equal(decided("denied").pending[0].error.code, "denied");
});

test("a refusal stays with its reason and its time", () => {
  const state = mine({ type: "failed", idem: "w-1", error: { code: "slow_mode", d: { nextSendAt: 99 } }, until: 99 });
  assert.equal(state.pending[0].phase, "refused");
  assert.equal(state.nextSendAt, 99);
  assert.deepEqual(reduce(state, { type: "dropped", idem: "w-1" }).pending, []);
});

test("a sanction of one's own is known at once", () => {
  const state = mine(events(event(1, "user.sanctioned", { user: ANN, kind: "timeout", until: 50 })));
  assert.deepEqual(state.you.sanction, { kind: "timeout", until: 50 });
  assert.equal(reduce(state, events(event(2, "user.unsanctioned", { user: "u_7", cause: "expired" }))).you.sanction, null);
});

test("people who spoke last are offered first", () => {
  const state = play(snapshot(0), events(said(1, ANN), said(2, BOB), said(3, ANN)));
  assert.deepEqual([...state.people.keys()], ["u_9", "u_7"]);
});

test("a channel that is gone keeps its lines, and nobody may write there", () => {
  const state = play(snapshot(1, [said(1)]), { type: "closed" });
  assert.deepEqual([state.phase, state.you.caps, texts(state)], ["gone", [], ["text 1"]]);
});

test("a new title of the broadcast is the room's title at once", () => {
  const state = play(snapshot(0), events(event(1, "stream.state", { state: "live", title: "New", since: 1 })));
  assert.deepEqual([state.info.title, state.info.stream.state], ["New", "live"]);
});
