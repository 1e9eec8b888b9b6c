/**
 * Owns: one room on this page: the client's notes folded into the store once per animation frame, and
 * what a person does there (say, delete, read further up, become a guest).
 * Refuses to know: elements.
 */
import { computed, signal } from "@preact/signals";
import { CLOSES } from "cascade/constants";
import { Client } from "../client.js";
import { guest, keepGuest } from "../prefs.js";
import { emptyRoom, reduce } from "../room-store.js";
import { user as signedIn } from "../session.js";

const OLDER_PAGE = 50;
/** A hidden tab draws no frames; its events still have to be folded. */
const HIDDEN_FLUSH_MS = 1000;
/** A fast chat is redrawn thirty times a second: more is only heat. */
const FLUSH_EVERY_MS = 33;
/** Parts of the state that views follow one by one, so that a new line redraws the list and nothing else. */
const PARTS = ["phase", "error", "ch", "info", "you", "me", "nextSendAt", "pending"];

const socketUrl = () => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
const idemPrefix = () => Array.from(crypto.getRandomValues(new Uint8Array(9)), (b) => b.toString(36)).join("");

export class RoomController {
  #queue = [];
  #flushing = false;
  #loading = false;
  #holdN = null;
  #lastFlush = 0;

  constructor(ref) {
    this.ref = ref;
    this.state = signal(emptyRoom());
    /** @type {Record<string, import("@preact/signals").ReadonlySignal<any>>} */
    this.part = Object.fromEntries(PARTS.map((name) => [name, computed(() => this.state.value[name])]));
    this.status = signal({ phase: "idle", wasReady: false });
    /** Somebody gave a name in this page, so the place to write should have the focus when it appears. */
    this.joinedHere = false;
    /** Called with each batch of fresh messages, for announcements. */
    this.onFresh = () => {};
    this.client = new Client({
      url: socketUrl(),
      WebSocket,
      closes: CLOSES,
      idemPrefix: idemPrefix(),
      credentials: () => this.#credentials(),
      onStatus: (status) => (this.status.value = status),
      onIdentity: (reply) => this.#identified(reply),
      onPersonal: (event) => this.#dispatch({ type: "personal", event }),
    });
  }

  start() {
    this.room = this.client.enter(this.ref, (note) => this.#noted(note));
    this.client.connect();
    const nudge = () => document.visibilityState === "visible" && this.client.nudge();
    document.addEventListener("visibilitychange", nudge);
    addEventListener("online", nudge);
    return () => {
      document.removeEventListener("visibilitychange", nudge);
      removeEventListener("online", nudge);
      this.client.close();
    };
  }

  /** A cookie speaks for itself; otherwise the guest that this browser was last, otherwise nobody. */
  #credentials() {
    const cookie = document.documentElement.dataset.cookie && signedIn.value !== null;
    return cookie || !guest.value ? {} : { guest: guest.value };
  }

  #identified(reply) {
    const { user, guestToken } = reply;
    if (guestToken) keepGuest({ name: user.displayName, token: guestToken });
    this.#dispatch({ type: "identity", user });
    if (signedIn.value && signedIn.value.id !== user?.id) signedIn.value = null;
    // A cookie that no longer counts makes a visitor; whoever was a guest before is that guest again.
    if (!user && guest.value?.token && document.documentElement.dataset.cookie) {
      this.client.becomeGuest(guest.value).catch(() => {});
    }
  }

  // -- what the room says ----------------------------------------------------------------------------

  #noted(note) {
    if (note.type !== "event") {
      this.#flush();
      return this.#dispatch(note);
    }
    this.#queue.push(note.event);
    if (this.#flushing) return;
    this.#flushing = true;
    const flush = () => this.#flushing && this.#flush();
    const wait = this.#lastFlush + FLUSH_EVERY_MS - performance.now();
    if (wait > 8) setTimeout(() => requestAnimationFrame(flush), wait - 8);
    else requestAnimationFrame(flush);
    setTimeout(flush, HIDDEN_FLUSH_MS);
  }

  #flush() {
    this.#flushing = false;
    this.#lastFlush = performance.now();
    if (this.#queue.length === 0) return;
    const events = this.#queue.splice(0);
    let next = reduce(this.state.value, { type: "events", events });
    next = reduce(next, { type: "bound", holdN: this.#holdN });
    this.state.value = next;
    this.onFresh(events.filter((event) => event.t === "msg.new" && !event.d.gone));
    this.#follow(next);
  }

  /** Some events only say that something is to be asked again. */
  #follow(state) {
    if (state.askState) {
      this.#dispatch({ type: "stateAsked" });
      this.#askState();
    }
    if (state.rereads.length > 0) {
      const { from, to } = state.rereads[0];
      this.#dispatch({ type: "rereadsTaken" });
      this.#reread(from, to);
    }
  }

  async #askState() {
    try {
      const { state, you } = await this.client.call("room.state", { ch: this.state.value.ch });
      this.#dispatch({ type: "resumed", state, you });
    } catch {
      // A lost connection asks again by itself when it comes back.
    }
  }

  async #reread(from, to) {
    try {
      const d = { after: from - 1, limit: 200, kinds: ["msg.new"] };
      const { events } = await this.client.call("history", { ch: this.state.value.ch, d });
      this.#dispatch({ type: "reread", events: events.filter((event) => event.pos[1] <= to) });
    } catch {
      // As above.
    }
  }

  #dispatch(action) {
    this.state.value = reduce(this.state.value, action);
    if (this.state.value.askState) this.#follow(this.state.value);
  }

  // -- what a person does ----------------------------------------------------------------------------

  /** @param {number|null} n last row in view while reading further up; null follows the newest */
  hold(n) {
    this.#holdN = n;
    if (n === null) this.#dispatch({ type: "jumped" });
    this.#dispatch({ type: "bound", holdN: n });
  }

  async older() {
    const { rows, olderLeft, ch, pos } = this.state.value;
    if (this.#loading || !olderLeft || !ch) return;
    this.#loading = true;
    try {
      const before = rows[0]?.n ?? pos[1] + 1;
      const d = { before, limit: OLDER_PAGE, kinds: ["msg.new"] };
      const { events, more } = await this.client.call("history", { ch, d });
      this.#dispatch({ type: "older", events, more: more && events.length > 0 });
    } catch {
      // The next scroll asks again.
    } finally {
      this.#loading = false;
    }
  }

  async say(text, replyTo) {
    const idem = this.client.outbox.nextIdem();
    const { ch, me } = this.state.value;
    this.#dispatch({ type: "pending", item: { idem, text, replyTo, user: me, ts: Date.now() } });
    try {
      const d = { text, idem, ...(replyTo ? { replyTo: replyTo.mid } : {}) };
      const reply = await this.client.send(ch, d);
      this.#dispatch({ type: "settled", idem, reply, nextSendAt: this.#slowUntil(reply) });
      return reply;
    } catch (error) {
      const until = error.afterMs ? Date.now() + error.afterMs : null;
      this.#dispatch({ type: "failed", idem, error, until });
      return null;
    }
  }

  /** Slow mode counts from one's own last message, unless one is exempt. */
  #slowUntil(reply) {
    const { info, you } = this.state.value;
    const seconds = info?.modes?.slow?.value ?? 0;
    if (!seconds || reply.outcome === "command" || you?.caps?.includes("exempt.slow")) return null;
    return Date.now() + seconds * 1000;
  }

  drop(idem) {
    this.#dispatch({ type: "dropped", idem });
  }

  remove(mid) {
    return this.client.call("msg.delete", { ch: this.state.value.ch, d: { mid } });
  }

  becomeGuest(name) {
    const token = guest.value?.token;
    return this.client.becomeGuest(token ? { name, token } : { name });
  }
}
