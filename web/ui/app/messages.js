/**
 * Owns: the list of rows that a chat shows: messages and quiet notes, ascending by position, and what
 * deletion and restoration do to them. Pure: every function returns a new list.
 * Refuses to know: connections, scrolling, words. (PROTOCOL.md 3 and 6)
 */

/**
 * @typedef {{key:string, kind:"message"|"note", n:number, ts:number, mid?:string, user?:any, text?:string,
 *   frags?:any[], reply?:any, flags?:string[], gone?:{by?:string, reason?:string}|null, sentAt?:number, note?:any}} Row
 */

/** @returns {Row} the row of one `msg.new` (a tombstone has `gone` and no text) */
export function messageRow(event) {
  const { mid, user, text, frags, reply, flags, gone, sentAt } = event.d;
  return {
    key: mid,
    kind: "message",
    n: event.pos[1],
    ts: event.ts,
    mid,
    user: user ?? null,
    text: text ?? "",
    frags: frags ?? [],
    reply: reply ?? null,
    flags: flags ?? [],
    gone: gone ?? null,
    sentAt,
  };
}

/** A quiet line about the room itself. */
export const noteRow = (event, what) => ({
  key: `note-${event.pos[1]}`,
  kind: "note",
  n: event.pos[1],
  ts: event.ts,
  note: { what, ...event.d },
});

/** Rows of both lists, each position once (the newer list wins), ascending. */
export function merge(rows, fresh) {
  if (fresh.length === 0) return rows;
  const first = fresh[0].n;
  if (rows.length === 0 || rows[rows.length - 1].n < first) return [...rows, ...fresh];
  const byN = new Map(rows.map((row) => [row.n, row]));
  for (const row of fresh) byN.set(row.n, row);
  return [...byN.values()].sort((a, b) => a.n - b.n);
}

/** Whether `msg.gone` names this row: by id, or as one of a user's messages in a range. */
export function isNamed(gone, row) {
  if (gone.mids) return gone.mids.includes(row.mid);
  return row.user?.id === gone.user && row.n >= gone.from && row.n <= gone.to;
}

/** Turns the named messages into tombstones, and takes their text out of previews that quote them. */
export function bury(rows, gone) {
  const buried = new Set(rows.filter((row) => row.kind === "message" && isNamed(gone, row)).map((row) => row.mid));
  const quoted = (row) => row.reply && (buried.has(row.reply.mid) || gone.mids?.includes(row.reply.mid));
  return rows.map((row) => {
    if (buried.has(row.mid)) return { ...row, text: "", frags: [], reply: null, gone: { by: gone.by, reason: gone.reason } };
    return quoted(row) ? { ...row, reply: { ...row.reply, text: null } } : row;
  });
}

/** `msg.back` with whole messages; a range is read again from the log by the caller. */
export function restore(rows, messages) {
  const fresh = messages.map(({ n, ts, d }) => messageRow({ pos: [null, n], ts, d }));
  return merge(rows, fresh.sort((a, b) => a.n - b.n));
}

/**
 * Bounds what is kept. While somebody reads further up, the rows up to `holdN` stay, and what is dropped
 * is the middle, so that the text under the eye never moves.
 * @returns {{rows: Row[], trimmedTop: boolean, gap: boolean}}
 */
export function bound(rows, { max, holdN = null }) {
  if (rows.length <= max) return { rows, trimmedTop: false, gap: false };
  if (holdN === null) return { rows: rows.slice(-max), trimmedTop: true, gap: false };
  const held = rows.filter((row) => row.n <= holdN);
  const after = rows.slice(held.length);
  const room = Math.max(200, max - held.length);
  if (after.length <= room) return { rows, trimmedTop: false, gap: false };
  return { rows: [...held, ...after.slice(-room)], trimmedTop: false, gap: true };
}
