/**
 * Owns: a lasting conversation with the server over the public protocol: connect, authenticate, resume,
 * read every durable event exactly once, send every message exactly once, come back after a loss.
 * Refuses to know: the DOM, storage, and what events mean to a screen. WebSocket, clock, timers and
 * randomness are arguments, so that the same file runs in a browser and in a test. (PROTOCOL.md 1-6, 14)
 */
import { Link, lost } from "./link.js";
import { Outbox } from "./outbox.js";
import { Reader } from "./positions.js";
import { afterClose, backoff } from "./retry.js";
import { Room } from "./room.js";

const STABLE_MS = 10_000;
const FILL_LIMIT = 200;
const MAX_ORPHANS = 500;

const platformTimers = { set: (work, ms) => setTimeout(work, ms), clear: (timer) => clearTimeout(timer) };

/**
 * @typedef {{phase:"idle"|"connecting"|"ready"|"waiting"|"stopped", retryAt:number|null,
 *   close:number|null, reason:string|null, wasReady:boolean}} Status
 */

export class Client {
  #options;
  #link = null;
  #dialing = null;
  #redial = null;
  #attempt = 0;
  #readyAt = 0;
  #rooms = new Map();
  #orphans = [];
  #me = new Reader();
  #stopped = true;

  /**
   * @param {{url:string, WebSocket:any, idemPrefix:string, credentials?:()=>Promise<object>|object,
   *   want?:string[], name?:string, version?:string, now?:()=>number, random?:()=>number, timers?:object, closes?:object,
   *   onStatus?:(s:Status)=>void, onIdentity?:(i:object)=>void, onPersonal?:(e:object)=>void}} options
   */
  constructor(options) {
    this.#options = {
      credentials: () => ({}),
      want: ["me", "presence", "engage"],
      name: "web",
      version: "1",
      now: Date.now,
      random: Math.random,
      closes: {},
      timers: platformTimers,
      onStatus() {},
      onIdentity() {},
      onPersonal() {},
      ...options,
    };
    const { now, timers, idemPrefix } = this.#options;
    this.outbox = new Outbox({ prefix: idemPrefix, now, timers });
    /** @type {Status} */
    this.status = { phase: "idle", retryAt: null, close: null, reason: null, wasReady: false };
    this.user = null;
    this.limits = null;
  }

  connect() {
    this.#stopped = false;
    if (!this.#link && !this.#dialing) this.#dial();
  }

  /** Leaves for good (the page goes away, or signs out). */
  close() {
    this.#stopped = true;
    this.#options.timers.clear(this.#redial);
    for (const link of [this.#dialing, this.#link]) link?.close(1000);
    this.#say({ phase: "idle", retryAt: null });
  }

  /** Somebody came back to the page, or the network did: do not wait for the timer. */
  nudge() {
    if (this.status.phase === "waiting") this.#dial();
  }

  /** Stays in a channel over any number of connections. Returns the handle for `leave`. */
  enter(ref, listener) {
    const room = new Room(ref, listener);
    this.#rooms.set(ref, room);
    if (this.#link) this.#join(this.#link, room);
    return room;
  }

  leave(room) {
    this.#rooms.delete(room.ref);
    if (this.#link && room.ch) this.#link.request("room.leave", { ch: room.ch }).catch(() => {});
  }

  /** One command, asked once: a lost connection rejects with `disconnected`. */
  call(t, { ch, d } = {}) {
    return this.#link ? this.#link.request(t, { ch, d }) : Promise.reject(lost());
  }

  /** A message: repeated with its `idem` until there is one outcome. */
  send(ch, d) {
    return this.outbox.put(ch, d);
  }

  /**
   * Takes (or goes on with) a guest's identity on the open connection; joined rooms stay.
   * @returns {Promise<object>} the user; rejects with a `Refusal` (`term`, `rate_limited`, `bad_request`)
   */
  async becomeGuest(guest) {
    const link = this.#link;
    if (!link) throw lost();
    const reply = await link.request("auth", { d: this.#greeting({ guest }) });
    this.#identified(reply);
    this.outbox.belongsTo(this.user?.id ?? null);
    return reply.user;
  }

  // -- connecting ------------------------------------------------------------------------------------

  #dial() {
    const { timers, url, WebSocket } = this.#options;
    timers.clear(this.#redial);
    if (this.#dialing || this.#stopped) return;
    if (!this.#link) this.#say({ phase: "connecting", retryAt: null });
    this.#dialing = new Link({
      url,
      WebSocket,
      timers,
      handlers: {
        hello: (link) => this.#authenticate(link),
        event: (link, frame) => this.#heard(link, frame),
        closed: (link, code, bye) => this.#closed(link, code, bye),
      },
    });
  }

  #greeting(credentials, resume = []) {
    const { name, version, want } = this.#options;
    return { ...credentials, client: { name, ver: version }, want, resume };
  }

  async #authenticate(link) {
    const resume = [...this.#rooms.values()].flatMap((room) => room.resumeEntries());
    if (this.#me.last) resume.push({ s: "me", pos: this.#me.last });
    const resumable = [...this.#rooms.values()].filter((room) => room.joined);
    for (const room of resumable) room.resuming = true;
    try {
      const credentials = await this.#options.credentials();
      this.#adopt(link, await this.#prove(link, credentials, resume), resumable);
    } catch (error) {
      // Without an identity nothing works here; the close, or the server's, starts the next try.
      if (error.code !== "disconnected") link.close(4000);
    }
  }

  /** A guest whose name no longer passes still may read. */
  async #prove(link, credentials, resume) {
    try {
      return await link.request("auth", { d: this.#greeting(credentials, resume) });
    } catch (error) {
      if (!credentials.guest || ["disconnected", "unauthenticated", "token_expired"].includes(error.code)) throw error;
      return link.request("auth", { d: this.#greeting({}, resume.filter((entry) => entry.s !== "me")) });
    }
  }

  #adopt(link, reply, resumable) {
    const { timers, now } = this.#options;
    const old = this.#link;
    this.#link = link;
    this.#dialing = null;
    this.#readyAt = now();
    this.limits = link.hello.limits;
    this.#identified(reply);
    for (const room of resumable) this.#resumeAnswered(room, reply.resumed ?? []);
    old?.close(1000);
    timers.clear(this.#redial);
    this.#say({ phase: "ready", retryAt: null, close: null, reason: null, wasReady: true });
    for (const room of this.#rooms.values()) if (!room.joined) this.#join(link, room);
    this.outbox.open((ch, d) => link.request("msg.send", { ch, d }), this.user?.id ?? null);
  }

  #identified(reply) {
    this.user = reply.user;
    if (reply.me === null) this.#me = new Reader();
    else if (reply.me?.pos && this.#me.last === null) this.#me.restart(reply.me.pos);
    this.#options.onIdentity(reply);
  }

  #resumeAnswered(room, resumed) {
    const answer = resumed.find((entry) => entry.ch === room.ch && entry.s === "room");
    if (!answer || answer.ok) return;
    if (answer.reason !== "denied") return; // a room.snapshot follows by itself
    room.forget();
    room.listener({ type: "refused", error: { code: "forbidden", message: "", d: {} } });
  }

  // -- losing ----------------------------------------------------------------------------------------

  #closed(link, code, bye) {
    const wasCurrent = link === this.#link;
    if (wasCurrent) {
      this.#link = null;
      this.outbox.shut();
      this.#lose();
    }
    if (link === this.#dialing) this.#dialing = null;
    else if (!wasCurrent) return; // the old one, after a planned change
    if (this.#stopped) return;
    if (this.#dialing) return this.#say({ phase: "connecting", retryAt: null });
    const fate = afterClose(code, bye, this.#options.closes);
    if (!fate.reconnect) this.#giveUp(fate);
    else this.#redialLater(fate);
  }

  #lose() {
    for (const room of this.#rooms.values()) {
      room.joining = false;
      for (const reader of room.readers.values()) reader.filling = false;
      if (room.joined) room.listener({ type: "stale" });
    }
  }

  #giveUp({ close, reason }) {
    this.#stopped = true;
    this.#say({ phase: "stopped", retryAt: null, close, reason });
  }

  #redialLater({ afterMs, close, reason }) {
    const { now, random, timers } = this.#options;
    if (this.#readyAt && now() - this.#readyAt > STABLE_MS) this.#attempt = 0;
    const ms = backoff(this.#attempt, random(), { floorMs: afterMs });
    this.#attempt += 1;
    timers.clear(this.#redial);
    this.#redial = timers.set(() => this.#dial(), ms);
    if (!this.#link) this.#say({ phase: "waiting", retryAt: now() + ms, close, reason });
  }

  /** A planned restart: the new connection is made while the old one still delivers. */
  #goaway({ reconnectInMs }) {
    const { timers } = this.#options;
    timers.clear(this.#redial);
    this.#redial = timers.set(() => this.#dial(), reconnectInMs ?? 0);
  }

  #say(change) {
    this.status = { ...this.status, ...change };
    this.#options.onStatus(this.status);
  }

  // -- rooms -----------------------------------------------------------------------------------------

  async #join(link, room) {
    if (room.joining) return;
    room.joining = true;
    try {
      const reply = await link.request("room.join", { ch: room.ref });
      if (this.#rooms.get(room.ref) === room) this.#snapshot(link, room, reply, "join");
    } catch (error) {
      room.joining = false;
      if (error.code === "disconnected") return;
      if (error.retry === "after") this.#options.timers.set(() => this.#rejoin(room), error.afterMs ?? 1000);
      room.listener({ type: "refused", error });
    }
  }

  #rejoin(room) {
    if (this.#link && this.#rooms.get(room.ref) === room && !room.joined) this.#join(this.#link, room);
  }

  #snapshot(link, room, d, why) {
    const early = room.snapshot(d, why);
    const mine = this.#orphans.filter((frame) => frame.ch === room.ch);
    this.#orphans = this.#orphans.filter((frame) => frame.ch !== room.ch);
    for (const frame of [...mine, ...early]) this.#inRoom(link, room, frame);
  }

  #roomOf(ch) {
    for (const room of this.#rooms.values()) if (room.ch === ch) return room;
    return null;
  }

  #heard(link, frame) {
    if (frame.t === "goaway") return this.#goaway(frame.d);
    if (!frame.ch) return this.#personal(link, frame);
    const room = this.#roomOf(frame.ch);
    if (room) return this.#inRoom(link, room, frame);
    // A room entered by "@slug" learns its id from the reply, which live events may overtake.
    if (this.#orphans.length < MAX_ORPHANS && [...this.#rooms.values()].some((each) => each.joining)) {
      this.#orphans.push(frame);
    }
  }

  #inRoom(link, room, frame) {
    if (frame.pos) return this.#durable(link, room, frame);
    switch (frame.t) {
      case "room.snapshot":
        return this.#snapshot(link, room, frame.d, "snapshot");
      case "resume.done":
        return this.#resumed(room, frame);
      case "head":
        return this.#compare(link, room, frame);
      case "stream.open":
        return room.reader(frame.s).restart(frame.d.pos);
      case "stream.closed":
        return this.#streamEnded(room, frame.s);
      default:
        return room.listener({ type: "event", event: frame });
    }
  }

  /** A room that ends (its channel was deleted) is neither resumed nor joined again. */
  #streamEnded(room, s) {
    room.readers.delete(s);
    if (s !== "room") return;
    this.#rooms.delete(room.ref);
    room.forget();
    room.listener({ type: "closed" });
  }

  #durable(link, room, frame) {
    const s = frame.s ?? "room";
    const reader = room.reader(s);
    if (reader.last === null) return room.keep(frame);
    const verdict = reader.take(frame);
    if (verdict === "apply") room.listener({ type: "event", event: frame });
    else if (verdict === "gap") this.#fill(link, room, s, frame);
    else if (verdict === "epoch") this.#startOver(link);
  }

  #resumed(room, frame) {
    const s = frame.s ?? "room";
    room.reader(s).reach(frame.d.pos);
    if (s !== "room") return;
    room.resuming = false;
    room.listener({ type: "resumed", state: frame.d.state, you: frame.d.you });
  }

  #compare(link, room, frame) {
    const s = frame.s ?? "room";
    const { last } = room.reader(s);
    if (!last || room.resuming) return;
    if (last[0] !== frame.d.pos[0]) this.#startOver(link);
    else if (frame.d.pos[1] > last[1]) this.#fill(link, room, s, null);
  }

  /** Reads what is missing from the log, then judges what waited meanwhile. */
  async #fill(link, room, s, frame) {
    const reader = room.reader(s);
    if (reader.filling) return;
    reader.filling = true;
    if (frame) reader.waiting.push(frame);
    try {
      await this.#readOn(link, room, s, reader);
    } catch (error) {
      reader.waiting.length = 0;
      if (this.#rooms.get(room.ref) !== room) return;
      if (error.code !== "disconnected") this.#startOver(link);
      return;
    } finally {
      reader.filling = false;
    }
    for (const waited of reader.waiting.splice(0)) this.#durable(link, room, waited);
  }

  async #readOn(link, room, s, reader) {
    for (let more = true; more; ) {
      const before = reader.last[1];
      const page = await link.request("history", { ch: room.ch, d: { s, after: before, limit: FILL_LIMIT } });
      for (const event of page.events) {
        if (reader.advance(event) === "apply") room.listener({ type: "event", event });
      }
      // A page that brings nothing forward would be asked for again for ever.
      if (page.more && reader.last[1] === before) throw lost();
      more = page.more;
    }
  }

  /** Positions no longer fit what the server says: a new connection sorts it out by resume or snapshot. */
  #startOver(link) {
    link.close(4000);
  }

  #personal(link, frame) {
    if (frame.t === "stream.open") return this.#me.restart(frame.d.pos);
    if (frame.t === "resume.done") return this.#me.reach(frame.d.pos);
    if (!frame.pos) return this.#options.onPersonal(frame);
    const verdict = this.#me.take(frame);
    if (verdict === "apply" && frame.t !== "skip") this.#options.onPersonal(frame);
    else if (verdict === "gap" || verdict === "epoch") {
      this.#me = new Reader();
      this.#startOver(link);
    }
  }
}
