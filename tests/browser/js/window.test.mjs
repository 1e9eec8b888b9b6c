// Which lines are in the DOM: bounded, in order, and moved by pages while somebody reads further up.
import assert from "node:assert/strict";
import test from "node:test";
import { chunks, following, frozen, LIVE_ROWS, lowered, PAGE, READ_ROWS, rowsIn, widened } from "../../../web/ui/app/chat/window.js";

const rows = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => ({ n: from + i, key: `k${from + i}` }));
const ends = (list) => [list[0].n, list.at(-1).n];

test("following shows the newest, and lets lines go by whole chunks", () => {
  for (let last = 1; last < 1200; last += 7) {
    const shown = rowsIn(rows(1, last), following());
    assert.equal(shown.at(-1).n, last);
    assert.ok(shown.length >= Math.min(last, LIVE_ROWS) && shown.length < LIVE_ROWS + 32);
  }
});

test("chunks keep order and lose nothing; a new line changes the last one only", () => {
  const before = chunks(rows(5, 300));
  const after = chunks(rows(5, 301));
  assert.deepEqual(before.flatMap((chunk) => chunk.rows.map((row) => row.n)), rows(5, 300).map((row) => row.n));
  assert.deepEqual(before.slice(0, -1).map(String), after.slice(0, before.length - 1).map(String));
  assert.equal(new Set(after.map((chunk) => chunk.key)).size, after.length);
});

test("nothing below the place of reading is drawn", () => {
  const view = frozen(rows(1, 500), 9);
  assert.deepEqual(ends(rowsIn(rows(1, 900), view)), [301, 500]);
});

test("reading up widens the window, then moves it", () => {
  let view = frozen(rows(1, 900), 0);
  const first = [];
  for (let i = 0; i < 12; i++) {
    view = widened(view, rows(1, 900));
    const shown = rowsIn(rows(1, 900), view);
    assert.ok(shown.length <= READ_ROWS);
    first.push(shown[0].n);
  }
  assert.deepEqual(first, [...first].sort((a, b) => b - a));
  assert.equal(first.at(-1), 1);
});

test("reading down again ends at the newest, or at once where lines were let go", () => {
  let view = { endN: 200, count: READ_ROWS, arrived: 0 };
  let steps = 0;
  for (let next = view; next; next = lowered(next, rows(1, 900), false)) {
    view = next;
    steps += 1;
  }
  assert.ok(view.endN > 900 - PAGE - 2 && steps > 10);
  assert.equal(lowered({ endN: 200, count: 100, arrived: 0 }, rows(1, 900), true), null);
});
