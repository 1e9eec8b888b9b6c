/**
 * Owns: which rows of the room are in the DOM: the newest while following, a window around the place while
 * somebody reads further up; and their cut into chunks, so that a new line redraws one chunk and not the list.
 * Pure. Refuses to know: elements and scrolling.
 */

/** Rows while following, and at most while reading. */
export const LIVE_ROWS = 200;
export const READ_ROWS = 400;
/** Rows that come or go at once. */
export const PAGE = 60;
/** Positions a chunk spans; a multiple of two keeps its number exact. */
const CHUNK = 32;

/** @typedef {{endN:number|null, count:number, arrived:number}} View `endN` null = up to the newest */

/** @returns {View} */
export const following = () => ({ endN: null, count: LIVE_ROWS, arrived: 0 });

/** One began to read further up: nothing below the newest row of now is drawn until one comes back. */
export const frozen = (rows, arrived) => ({ endN: rows.at(-1)?.n ?? 0, count: LIVE_ROWS, arrived });

const chunkOf = (row) => Math.floor(row.n / CHUNK);

/** Index after the last row at or before position `n`. */
function after(rows, n) {
  let end = rows.length;
  while (end > 0 && rows[end - 1].n > n) end -= 1;
  return end;
}

/**
 * The rows in the DOM. While following, the first chunk is kept whole, so that lines leave by the chunk.
 * @param {import("../messages.js").Row[]} rows
 * @param {View} view
 */
export function rowsIn(rows, view) {
  if (view.endN !== null) {
    const end = after(rows, view.endN);
    return rows.slice(Math.max(0, end - view.count), end);
  }
  let start = Math.max(0, rows.length - LIVE_ROWS);
  while (start > 0 && chunkOf(rows[start - 1]) === chunkOf(rows[start])) start -= 1;
  return start === 0 ? rows : rows.slice(start);
}

/** @returns {{key:number, rows:any[]}[]} */
export function chunks(rows) {
  const out = [];
  for (const row of rows) {
    const key = chunkOf(row);
    if (out.at(-1)?.key !== key) out.push({ key, rows: [] });
    out.at(-1).rows.push(row);
  }
  return out;
}

/** Older rows come in above; beyond the most that is drawn at once, the far end leaves. */
export function widened(view, rows) {
  const count = view.count + PAGE;
  if (count <= READ_ROWS) return { ...view, count };
  const cut = Math.max(0, after(rows, view.endN) - (count - READ_ROWS));
  return { ...view, count: READ_ROWS, endN: rows[Math.max(0, cut - 1)].n };
}

/** Newer rows come in below; null when the newest are reached, or lie behind rows that were let go. */
export function lowered(view, rows, gap) {
  const end = after(rows, view.endN);
  if (gap || end + PAGE >= rows.length) return null;
  return { ...view, endN: rows[end + PAGE].n, count: Math.min(READ_ROWS, view.count + PAGE) };
}
