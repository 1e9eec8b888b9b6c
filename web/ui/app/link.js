/**
 * Owns: one WebSocket from `hello` to its close: request ids, replies, pongs, and noticing silence.
 * Refuses to know: who signs in, which rooms exist, whether anybody reconnects. (PROTOCOL.md 1, 2, 4)
 */

/** A refusal as the wire says it; `code` is for programs, `message` for people. */
export class Refusal extends Error {
  constructor(err) {
    super(err.message ?? err.code);
    this.name = "Refusal";
    this.code = err.code;
    this.n = err.n ?? null;
    this.retry = err.retry ?? "never";
    this.afterMs = err.afterMs ?? null;
    this.field = err.field ?? null;
    this.d = err.d ?? {};
  }
}

/** The socket went away before the reply: what was asked may or may not have happened. */
export const lost = () => new Refusal({ code: "disconnected", message: "The connection was lost.", retry: "reconnect" });

const SUBPROTOCOL = "cascade.v1.json";
const HELLO_MS = 10_000;
const SLACK_MS = 5_000;

export class Link {
  #handlers;
  #timers;
  #inFlight = new Map();
  #nextId = 1;
  #silence = null;
  #bye = null;
  #over = false;

  /**
   * @param {{url:string, WebSocket:any, timers:{set:Function,clear:Function},
   *   handlers:{hello:Function, event:Function, closed:Function}}} options
   */
  constructor({ url, WebSocket, timers, handlers }) {
    this.#handlers = handlers;
    this.#timers = timers;
    this.hello = null;
    this.socket = new WebSocket(url, [SUBPROTOCOL]);
    this.socket.onmessage = (message) => this.#heard(message.data);
    this.socket.onclose = (close) => this.#ended(close.code ?? 1006);
    this.#watch(HELLO_MS);
  }

  get inFlight() {
    return this.#inFlight.size;
  }

  /** Sends one command; resolves with the reply's `d`, rejects with a `Refusal`. */
  request(t, { ch, d } = {}) {
    if (this.#over) return Promise.reject(lost());
    const id = this.#nextId++;
    const frame = { id, t, d: d ?? {} };
    if (ch) frame.ch = ch;
    return new Promise((resolve, reject) => {
      this.#inFlight.set(id, { resolve, reject });
      this.#write(frame);
    });
  }

  close(code = 1000) {
    if (this.#over) return;
    try {
      this.socket.close(code);
    } finally {
      this.#ended(code);
    }
  }

  #write(frame) {
    try {
      this.socket.send(JSON.stringify(frame));
    } catch {
      this.#ended(1006);
    }
  }

  #heard(data) {
    if (this.#over) return;
    const frame = JSON.parse(data);
    this.#watch(this.hello ? this.hello.pingMs + this.hello.pongMs + SLACK_MS : HELLO_MS);
    if ("re" in frame) this.#replied(frame);
    else if (frame.t === "ping") this.#write({ t: "pong" });
    else if (frame.t === "bye") this.#bye = frame.d;
    else if (frame.t === "hello") {
      this.hello = frame.d;
      this.#handlers.hello(this);
    } else this.#handlers.event(this, frame);
  }

  #replied(frame) {
    const waiting = this.#inFlight.get(frame.re);
    if (!waiting) return;
    this.#inFlight.delete(frame.re);
    if (frame.ok) waiting.resolve(frame.d);
    else waiting.reject(new Refusal(frame.err));
  }

  /** A phone that slept gets no close event: silence longer than the server's ping is the sign. */
  #watch(ms) {
    this.#timers.clear(this.#silence);
    this.#silence = this.#timers.set(() => this.close(4002), ms);
  }

  #ended(code) {
    if (this.#over) return;
    this.#over = true;
    this.#timers.clear(this.#silence);
    const waiting = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const { reject } of waiting) reject(lost());
    this.#handlers.closed(this, code, this.#bye);
  }
}
