/**
 * Owns: reading one durable stream exactly once, in order, from a wire that may repeat or (after a bug
 * or a lost connection) leave out. Refuses to know: what the events mean. (PROTOCOL.md 3)
 */

/**
 * What to do with a frame at `pos` when `last` is the newest position applied.
 * @param {[string, number]|null} last
 * @param {[string, number]} pos
 * @param {number} [from] first position that the frame covers (a `skip` covers a run)
 * @returns {"apply"|"old"|"gap"|"epoch"}
 */
export function judge(last, pos, from = pos[1]) {
  if (last === null) return "apply";
  if (last[0] !== pos[0]) return "epoch";
  if (pos[1] <= last[1]) return "old";
  return from <= last[1] + 1 ? "apply" : "gap";
}

/** First position that a durable frame covers. */
export const startOf = (frame) => (frame.t === "skip" ? frame.d.from : frame.pos[1]);

/** Where one stream has been read to, and what arrived ahead of a hole that is being filled. */
export class Reader {
  /** @type {[string, number]|null} */
  last = null;
  filling = false;
  waiting = [];

  /**
   * @param {any} frame a durable event or `skip`
   * @returns {"apply"|"old"|"gap"|"epoch"|"wait"} on "apply" the position has advanced already
   */
  take(frame) {
    if (this.filling) {
      this.waiting.push(frame);
      return "wait";
    }
    return this.advance(frame);
  }

  advance(frame) {
    const verdict = judge(this.last, frame.pos, startOf(frame));
    if (verdict === "apply") this.last = frame.pos;
    return verdict;
  }

  /** A report of the server (`resume.done`, `head`) may move the position on, never back. */
  reach(pos) {
    if (this.last === null || this.last[0] !== pos[0] || pos[1] > this.last[1]) this.last = pos;
  }

  /** A fresh snapshot: whatever waited belongs before it or will be judged anew. */
  restart(pos) {
    this.last = pos;
    this.filling = false;
    return this.waiting.splice(0);
  }
}
