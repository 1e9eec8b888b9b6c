/**
 * Owns: messages on their way out. Each is repeated with the same `idem` until the server has said one
 * outcome, so that a lost connection neither loses nor doubles it.
 * Refuses to know: sockets and views; the client hands it a way to send. (PROTOCOL.md 6)
 */
import { Refusal } from "./link.js";

/** The server remembers an `idem` for ten minutes; after nine a repeat could double the message. */
const IDEM_MS = 9 * 60_000;
const MAX_FLYING = 16;
const REPEATABLE = new Set(["internal", "overloaded", "too_many_in_flight"]);

export class Outbox {
  #items = [];
  #seq = 0;
  #prefix;
  #now;
  #timers;
  #send = null;
  #userId = null;

  /** @param {{prefix:string, now:()=>number, timers:{set:Function,clear:Function}}} options */
  constructor({ prefix, now, timers }) {
    this.#prefix = prefix;
    this.#now = now;
    this.#timers = timers;
  }

  get size() {
    return this.#items.length;
  }

  /** A key that nobody else of this user and channel has used. */
  nextIdem() {
    this.#seq += 1;
    return `${this.#prefix}-${this.#seq}`;
  }

  /**
   * @param {string} ch channel id
   * @param {{text:string, replyTo?:string, idem:string}} d
   * @returns {Promise<any>} the reply's `d`, or rejects with a `Refusal` (`unsure` when nobody can know)
   */
  put(ch, d) {
    return new Promise((resolve, reject) => {
      this.#items.push({ ch, d, resolve, reject, flying: false, firstSent: null, userId: this.#userId, notBefore: 0 });
      this.pump();
    });
  }

  /** The connection is ready: `send(ch, d)` returns a promise of the reply. */
  open(send, userId) {
    this.#send = send;
    for (const item of this.#items) item.flying = false;
    this.belongsTo(userId);
    this.pump();
  }

  /** Who writes from now on. What somebody else typed is never sent under this name. */
  belongsTo(userId) {
    this.#userId = userId;
    for (const item of this.#items) item.userId ??= userId;
  }

  /** The connection is gone: what had no reply is unanswered again. */
  shut() {
    this.#send = null;
    for (const item of this.#items) item.flying = false;
  }

  pump() {
    if (!this.#send) return;
    let flying = this.#items.filter((item) => item.flying).length;
    for (const item of [...this.#items]) {
      if (flying >= MAX_FLYING) return;
      if (item.flying || !this.#fit(item)) continue;
      // Sends of one channel keep their order: a message that waits holds back the ones behind it.
      if (item.notBefore > this.#now()) return;
      flying += 1;
      this.#fly(item);
    }
  }

  #fit(item) {
    if (item.userId !== null && item.userId !== this.#userId) {
      this.#settle(item, "reject", new Refusal({ code: "unauthenticated", retry: "fix" }));
      return false;
    }
    if (item.firstSent !== null && this.#now() - item.firstSent > IDEM_MS) {
      this.#settle(item, "reject", new Refusal({ code: "unsure", retry: "fix" }));
      return false;
    }
    return true;
  }

  async #fly(item) {
    const send = this.#send;
    item.flying = true;
    item.firstSent ??= this.#now();
    try {
      this.#settle(item, "resolve", await send(item.ch, item.d));
    } catch (error) {
      // A reply of an older connection: the newer one carries the item already.
      if (send !== this.#send && error.code === "disconnected") return;
      this.#failed(item, error);
    }
    this.pump();
  }

  #failed(item, error) {
    if (error.code === "disconnected") item.flying = false;
    else if (REPEATABLE.has(error.code)) this.#later(item, error.afterMs ?? 1000);
    else this.#settle(item, "reject", error);
  }

  #later(item, ms) {
    item.flying = false;
    item.notBefore = this.#now() + ms;
    this.#timers.set(() => this.pump(), ms + 1);
  }

  #settle(item, how, value) {
    const at = this.#items.indexOf(item);
    if (at < 0) return;
    this.#items.splice(at, 1);
    item[how](value);
  }
}
