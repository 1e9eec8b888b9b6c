/**
 * Owns: one entered channel as the client sees it: its id once known, a reader per durable stream, and
 * what arrived before the join was answered. Refuses to know: sockets, and what a view makes of events.
 */
import { Reader } from "./positions.js";

/** Frames that report a position but are no event of the stream (PROTOCOL.md 2). */
const MAX_EARLY = 500;

export class Room {
  /**
   * @param {string} ref channel id or "@slug"
   * @param {(note: {type:string}) => void} listener gets `snapshot`, `event`, `resumed`, `refused`, `stale`, `closed`
   */
  constructor(ref, listener) {
    this.ref = ref;
    this.ch = ref.startsWith("@") ? null : ref;
    this.listener = listener;
    this.readers = new Map();
    this.early = [];
    this.joining = false;
    this.resuming = false;
  }

  reader(s) {
    let reader = this.readers.get(s);
    if (!reader) this.readers.set(s, (reader = new Reader()));
    return reader;
  }

  get joined() {
    return this.reader("room").last !== null;
  }

  /** What `auth.resume` asks for; a room never joined has nothing to resume. */
  resumeEntries() {
    if (this.ch === null) return [];
    return [...this.readers]
      .filter(([, reader]) => reader.last !== null)
      .map(([s, reader]) => ({ ch: this.ch, s, pos: reader.last }));
  }

  /** Live events may overtake the join's reply; they wait for it here. */
  keep(frame) {
    if (this.early.length < MAX_EARLY) this.early.push(frame);
  }

  /** A whole picture of the room. Returns the frames that came early, to be judged against it. */
  snapshot(d, why) {
    this.ch = d.ch;
    this.joining = false;
    this.resuming = false;
    const waiting = this.reader("room").restart(d.pos);
    if (d.modPos) this.reader("mod").restart(d.modPos);
    this.listener({ type: "snapshot", d, why });
    return [...this.early.splice(0), ...waiting];
  }

  /** Forget positions: the next connection joins afresh. */
  forget() {
    this.readers.clear();
    this.resuming = false;
    this.joining = false;
  }
}
