// The protocol client against a model of the server: exactly once, in order, whatever the connection does.
import assert from "node:assert/strict";
import test from "node:test";
import { Client } from "../../../web/ui/app/client.js";
import { CLOSES } from "../../../schemas/generated/constants.js";
import { Clock, seeded, settle, Stage } from "./stage.mjs";

function setUp({ random = () => 0.5, ...more } = {}) {
  const stage = new Stage();
  const clock = new Clock();
  const notes = [];
  const statuses = [];
  const client = new Client({
    url: "ws://stage/ws",
    WebSocket: stage.WebSocket,
    closes: CLOSES,
    idemPrefix: "w",
    now: () => clock.now,
    random,
    timers: clock.timers,
    onStatus: (status) => statuses.push(status.phase),
    ...more,
  });
  const room = client.enter("@lobby", (note) => notes.push(note));
  const events = () => notes.filter((note) => note.type === "event" && note.event.pos).map((note) => note.event.pos[1]);
  return { stage, clock, client, room, notes, statuses, events };
}

async function started(options) {
  const scene = setUp(options);
  scene.client.connect();
  await settle();
  return scene;
}

test("a join gives a snapshot, then events in order", async () => {
  const { stage, notes, events, statuses } = await started();
  stage.say("a");
  stage.say("b");
  assert.equal(notes[0].type, "snapshot");
  assert.deepEqual(events(), [1, 2]);
  assert.deepEqual(statuses, ["connecting", "ready"]);
  assert.deepEqual(stage.socket.protocols, ["cascade.v1.json"]);
});

test("a repeated event is shown once", async () => {
  const { stage, events } = await started();
  const event = stage.say("a");
  stage.socket.deliver(event);
  assert.deepEqual(events(), [1]);
});

test("a ping is answered without id", async () => {
  const { stage } = await started();
  stage.socket.deliver({ t: "ping", d: { now: 1 } });
  assert.deepEqual(stage.socket.sent.at(-1), { t: "pong" });
});

test("a lost connection is resumed from the position, and nothing is missing", async () => {
  const { stage, clock, events } = await started();
  stage.say("a");
  stage.socket.drop(1006);
  stage.log.push({ t: "msg.new", ch: "c_1", s: "room", pos: ["k1", 2], ts: 1, d: { mid: "m_2", text: "while away" } });
  await clock.pass(1000);
  assert.deepEqual(stage.socket.sent[0].d.resume, [{ ch: "c_1", s: "room", pos: ["k1", 1] }]);
  assert.deepEqual(events(), [1, 2]);
});

test("a refused resume brings a snapshot", async () => {
  const { stage, clock, notes } = await started();
  stage.say("a");
  stage.socket.drop();
  stage.resumeRefusal = "too_far";
  await clock.pass(1000);
  assert.deepEqual(notes.map((note) => note.type), ["snapshot", "event", "stale", "snapshot"]);
});

test("a denied resume says so and joins no more", async () => {
  const { stage, clock, notes } = await started();
  stage.socket.drop();
  stage.resumeRefusal = "denied";
  stage.refuse = (t) => (t === "room.join" ? { code: "banned" } : null);
  await clock.pass(1000);
  assert.equal(notes.at(-1).type, "refused");
});

test("a hole is filled from history before later events are shown", async () => {
  const { stage, events } = await started();
  stage.say("a");
  stage.lossy = () => true;
  stage.say("b");
  stage.lossy = () => false;
  stage.say("c");
  await settle();
  assert.deepEqual(events(), [1, 2, 3]);
});

test("a head beyond the own position reads history", async () => {
  const { stage, events } = await started();
  stage.lossy = () => true;
  stage.say("a");
  stage.lossy = () => false;
  stage.socket.deliver({ t: "head", ch: "c_1", s: "room", d: { pos: ["k1", 1] } });
  await settle();
  assert.deepEqual(events(), [1]);
});

test("a skip moves the position over a run that is gone", async () => {
  const { stage, events } = await started();
  stage.say("a");
  stage.log.push(null, null, null);
  stage.socket.deliver({ t: "skip", ch: "c_1", s: "room", pos: ["k1", 4], ts: 1, d: { from: 2 } });
  stage.say("b");
  await settle();
  assert.deepEqual(events(), [1, 4, 5]);
});

test("another epoch leads to a new connection that asks again", async () => {
  const { stage, clock, notes } = await started();
  stage.say("a");
  stage.resumeRefusal = "epoch";
  stage.socket.deliver({ t: "head", ch: "c_1", s: "room", d: { pos: ["k2", 1] } });
  await clock.pass(1000);
  assert.equal(stage.sockets.length, 2);
  assert.equal(notes.at(-1).type, "snapshot");
});

test("an unanswered send is repeated with the same idem after reconnecting", async () => {
  const { stage, clock, client } = await started();
  stage.lossy = () => true;
  const sending = client.send("c_1", { text: "hi", idem: client.outbox.nextIdem() });
  stage.socket.drop();
  stage.lossy = () => false;
  await clock.pass(1000);
  assert.equal((await sending).outcome, "duplicate");
  assert.equal(stage.log.length, 1);
});

test("a message written while offline is sent when the connection is back", async () => {
  const { stage, clock, client } = await started();
  stage.socket.drop();
  const sending = client.send("c_1", { text: "later", idem: client.outbox.nextIdem() });
  await clock.pass(1000);
  assert.equal((await sending).outcome, "published");
});

test("after ten minutes nobody knows, and the person is told instead of a doubled message", async () => {
  const { stage, clock, client } = await started();
  stage.lossy = () => true;
  const sending = client.send("c_1", { text: "hi", idem: "w-1" });
  const failed = assert.rejects(sending, { code: "unsure" });
  stage.socket.drop();
  const { WebSocket } = stage;
  clock.now += 10 * 60_000;
  await clock.pass(1000);
  assert.ok(WebSocket);
  await failed;
});

test("an overloaded send is repeated by itself, a refused one is not", async () => {
  const { stage, clock, client } = await started();
  let times = 0;
  stage.refuse = (t) => (t === "msg.send" && times++ === 0 ? { code: "overloaded", retry: "after", afterMs: 200 } : null);
  const sending = client.send("c_1", { text: "hi", idem: "w-1" });
  await clock.pass(500);
  assert.equal((await sending).outcome, "published");
  stage.refuse = (t) => (t === "msg.send" ? { code: "slow_mode", retry: "after", afterMs: 12_000 } : null);
  await assert.rejects(client.send("c_1", { text: "ho", idem: "w-2" }), { code: "slow_mode", afterMs: 12_000 });
});

test("what one person typed is never sent under another's name", async () => {
  const { stage, clock, client } = await started();
  stage.socket.drop();
  const sending = client.send("c_1", { text: "mine", idem: "w-1" });
  const failed = assert.rejects(sending, { code: "unauthenticated" });
  stage.user = { id: "u_8", name: "bob", displayName: "Bob" };
  await clock.pass(1000);
  await failed;
  assert.equal(stage.log.length, 0);
});

for (const [code, again] of [[1006, true], [1001, true], [1011, true], [4003, true], [4299, true], [1002, false], [1007, false], [1009, false], [4500, false], [4505, false], [4999, false]]) {
  test(`close ${code} ${again ? "reconnects" : "does not reconnect"}`, async () => {
    const { stage, clock, client } = await started();
    stage.socket.drop(code);
    await clock.pass(30_000);
    assert.equal(stage.sockets.length, again ? 2 : 1);
    assert.equal(client.status.phase, again ? "ready" : "stopped");
  });
}

test("bye says how long to wait", async () => {
  const { stage, clock } = await started({ random: () => 0 });
  stage.socket.deliver({ t: "bye", d: { close: 4003, code: null, reason: "too slow", retry: "reconnect", afterMs: 5000 } });
  stage.socket.drop(4003);
  await clock.pass(4000);
  assert.equal(stage.sockets.length, 1);
  await clock.pass(1500);
  assert.equal(stage.sockets.length, 2);
});

test("goaway: the new connection is there before the old one goes, and nothing is shown twice", async () => {
  const { stage, clock, events, statuses } = await started();
  stage.socket.deliver({ t: "goaway", d: { reason: "restart", reconnectInMs: 1800, deadlineMs: 30_000 } });
  stage.say("a");
  await clock.pass(2000);
  assert.equal(stage.sockets.length, 2);
  assert.equal(stage.sockets[0].closedWith, 1000);
  stage.say("b");
  assert.deepEqual(events(), [1, 2]);
  assert.ok(!statuses.includes("waiting"));
});

test("silence longer than the server's ping is a lost connection", async () => {
  const { stage, clock } = await started();
  await clock.pass(40_000);
  assert.equal(stage.sockets.length, 2);
});

test("a visitor becomes a guest on the open connection, and is the same guest afterwards", async () => {
  const kept = [];
  const scene = await started({ onIdentity: (reply) => kept.push(reply) });
  scene.stage.user = null;
  const user = await scene.client.becomeGuest({ name: "Kim" });
  assert.equal(user.id, "g_4");
  assert.equal(kept.at(-1).guestToken, "cgt_k");
  assert.equal(scene.stage.sockets.length, 1);
});

test("a guest whose name is refused still reads", async () => {
  const { stage, client } = await (async () => {
    const scene = setUp({ credentials: () => ({ guest: { name: "bad", token: "cgt_k" } }) });
    scene.stage.refuse = (t, d) => (t === "auth" && d.guest ? { code: "term" } : null);
    scene.client.connect();
    await settle();
    return scene;
  })();
  assert.equal(client.status.phase, "ready");
  assert.ok(stage.socket.joined);
});

test("whatever the connection does, each event is shown once and in order, each message sent once", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const { stage, clock, client, events, notes } = await started({ random });
    const said = [];
    stage.lossy = () => random() < 0.15;
    for (let step = 0; step < 60; step++) {
      const dice = random();
      if (dice < 0.35) stage.say(`other ${step}`);
      else if (dice < 0.6) said.push(client.send("c_1", { text: `own ${step}`, idem: client.outbox.nextIdem() }));
      else if (dice < 0.75) stage.live.at(-1)?.drop(1006);
      else await clock.pass(Math.floor(random() * 3000));
    }
    stage.lossy = () => false;
    for (let i = 0; i < 8; i++) {
      await clock.pass(30_000);
      stage.live.at(-1)?.deliver({ t: "head", ch: "c_1", s: "room", d: { pos: [stage.epoch, stage.log.length] } });
      await settle();
      if (i === 0) stage.live.at(-1)?.drop(1006); // replies that were lost come with a new connection
    }
    const start = notes.find((note) => note.type === "snapshot").d.pos[1];
    assert.deepEqual(events(), stage.log.map((event) => event.pos[1]).filter((n) => n > start), `seed ${seed}`);
    const outcomes = await Promise.all(said);
    assert.equal(new Set(outcomes.map((reply) => reply.mid)).size, said.length, `seed ${seed}`);
    assert.equal(stage.log.filter((event) => event.d.text.startsWith("own")).length, said.length, `seed ${seed}`);
    client.close();
  }
});

test("a room whose channel was deleted is said to be closed, and neither resumed nor joined again", async () => {
  const { stage, clock, notes } = await started();
  stage.say("a");
  stage.socket.deliver({ t: "stream.closed", ch: "c_1", s: "room", d: { pos: ["k1", 2] } });
  assert.equal(notes.at(-1).type, "closed");
  stage.socket.drop();
  await clock.pass(20_000);
  const asked = stage.socket.sent.map((frame) => frame.t);
  assert.deepEqual([stage.sockets.length, asked.includes("auth"), asked.includes("room.join")], [2, true, false]);
  assert.deepEqual(stage.socket.sent.find((frame) => frame.t === "auth").d.resume, []);
  assert.equal(notes.at(-1).type, "closed");
});

test("the end of another stream leaves the room as it is", async () => {
  const { stage, notes, events } = await started();
  stage.socket.deliver({ t: "stream.closed", ch: "c_1", s: "mod", d: { pos: ["k1", 2] } });
  stage.say("a");
  assert.deepEqual(events(), [1]);
  assert.ok(!notes.some((note) => note.type === "closed"));
});
