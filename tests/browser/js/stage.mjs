// A server and a clock that a test holds in its hands: sockets without a network, timers without waiting.
// Owns a small model of the protocol's room (log, resume, history, idempotent send); knows no DOM.

export class Clock {
  now = 1_790_000_000_000;
  #timers = new Map();
  #next = 1;

  timers = {
    set: (work, ms) => {
      const id = this.#next++;
      this.#timers.set(id, { at: this.now + ms, work });
      return id;
    },
    clear: (id) => this.#timers.delete(id),
  };

  /** Runs what falls due within `ms`, in order, letting promises settle in between. */
  async pass(ms) {
    await settle();
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, each]) => each.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].work();
      await settle();
    }
    this.now = end;
    await settle();
  }
}

/** Lets every promise that can go on do so. */
export async function settle() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}

/** One room on one server. `faults` may lose replies, drop sockets and leave out events. */
export class Stage {
  log = [];
  epoch = "k1";
  sockets = [];
  idems = new Map();
  resumeRefusal = null;
  refuse = null;
  lossy = () => false;
  user = { id: "u_7", name: "ann", displayName: "Ann" };

  constructor() {
    const stage = this;
    this.WebSocket = class {
      constructor(url, protocols) {
        Object.assign(this, { url, protocols, sent: [], open: true, joined: false });
        stage.sockets.push(this);
        setImmediate(() => this.open && this.deliver(HELLO));
      }
      send(text) {
        if (!this.open) throw new Error("closed");
        const frame = JSON.parse(text);
        this.sent.push(frame);
        stage.answer(this, frame);
      }
      deliver(frame) {
        if (this.open) this.onmessage({ data: JSON.stringify(frame) });
      }
      close(code) {
        this.open = false;
        this.closedWith = code;
      }
      drop(code = 1006) {
        if (!this.open) return;
        this.open = false;
        this.onclose({ code });
      }
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  get live() {
    return this.sockets.filter((socket) => socket.open);
  }

  append(d, t = "msg.new") {
    const event = { t, ch: "c_1", s: "room", pos: [this.epoch, this.log.length + 1], ts: 1, d };
    this.log.push(event);
    for (const socket of this.live) if (socket.joined && !this.lossy()) socket.deliver(event);
    return event;
  }

  say(text) {
    const n = this.log.length + 1;
    return this.append({ mid: `m_${n}`, user: this.user, text, frags: [], flags: [] });
  }

  snapshot(recent = this.log.slice(-50)) {
    return { ch: "c_1", slug: "lobby", pos: [this.epoch, this.log.length], state: { modes: {} }, you: YOU, recent };
  }

  answer(socket, { id, t, ch, d }) {
    const ok = (reply) => socket.deliver({ re: id, ok: true, d: reply });
    const no = (code, more = {}) => socket.deliver({ re: id, ok: false, err: { code, n: 1, message: code, retry: "fix", d: {}, ...more } });
    const refusal = this.refuse?.(t, d, ch);
    if (refusal) return no(refusal.code, refusal);
    if (t === "auth") return this.authenticate(socket, d, ok);
    if (t === "room.join") return (socket.joined = true), ok(this.snapshot());
    if (t === "history") return ok(this.history(d));
    if (t === "msg.send") return this.publish(d, ok);
    if (id) ok({});
  }

  authenticate(socket, d, ok) {
    const resumed = d.resume.map(({ ch, s }) => (this.resumeRefusal ? { ch, s, ok: false, reason: this.resumeRefusal } : { ch, s, ok: true }));
    const user = d.guest ? { id: "g_4", name: d.guest.name, displayName: d.guest.name } : this.user;
    ok({ session: "x_1", user, expiresAt: null, me: null, resumed, ...(d.guest && !d.guest.token ? { guestToken: "cgt_k" } : {}) });
    for (const { s, pos } of d.resume) {
      if (s !== "room" || this.resumeRefusal === "denied") continue;
      socket.joined = true;
      if (this.resumeRefusal) socket.deliver({ t: "room.snapshot", ch: "c_1", s, d: this.snapshot() });
      else {
        for (const event of this.log.slice(pos[1])) socket.deliver(event);
        socket.deliver({ t: "resume.done", ch: "c_1", s, d: { pos: [this.epoch, this.log.length], state: { modes: {} }, you: YOU } });
      }
    }
  }

  history({ after, limit = 50 }) {
    const events = this.log.slice(after, after + limit);
    return { events, more: after + limit < this.log.length };
  }

  publish(d, ok) {
    const known = this.idems.get(d.idem);
    const event = known ?? this.say(d.text);
    this.idems.set(d.idem, event);
    const reply = { outcome: known ? "duplicate" : "published", mid: event.d.mid, pos: event.pos };
    if (!this.lossy()) ok(reply);
  }
}

export const YOU = { role: "viewer", caps: ["msg.send"], sanction: null, warn: null, nextSendAt: null };
export const HELLO = {
  t: "hello",
  d: { v: 1, server: "stage", pingMs: 25_000, pongMs: 8_000, authMs: 10_000, limits: { frame: 8192, inFlight: 64, channels: 100, text: 500, history: 200 } },
};

/** A small generator of numbers, the same for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
