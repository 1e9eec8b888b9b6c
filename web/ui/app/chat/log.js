/**
 * Owns: the list: at most 200 rows while following, a window of 400 while reading; it keeps its place when
 * rows come or go above, and says how many are new below. Keys walk the rows.
 * Refuses to know: what rows are made of, and how they got here.
 */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { colourFor } from "../colour.js";
import { t } from "../i18n.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { Message, Note } from "./message.js";

const LIVE_ROWS = 200;
const READ_ROWS = 400;
const PAGE = 60;
const NEAR = 48;
const FAR = 400;

/** Which rows are in the DOM. `endN` null = up to the newest. */
function windowOf(rows, view) {
  if (view.endN === null) return rows.slice(-LIVE_ROWS);
  let end = rows.length;
  while (end > 0 && rows[end - 1].n > view.endN) end -= 1;
  return rows.slice(Math.max(0, end - view.count), end);
}

export function Log({ state, controller, muted, background, target, onAct, children }) {
  const box = useRef(null);
  const anchor = useRef(null);
  const lastTop = useRef(0);
  const [view, setView] = useState({ endN: null, count: LIVE_ROWS, arrived: 0 });
  const following = view.endN === null;
  const shown = windowOf(state.rows, view);
  const colours = useMemo(() => new Map(), [background.rgb.join(), background.enough]);
  const colour = (user) => {
    if (!user) return undefined;
    if (!colours.has(user.id)) colours.set(user.id, colourFor(user.id, background.rgb, background.enough));
    return colours.get(user.id);
  };

  // The place of the first visible row is measured before the DOM changes and put back after it.
  if (!following && box.current) anchor.current = firstVisible(box.current);
  useLayoutEffect(() => {
    const log = box.current;
    if (following) log.scrollTop = log.scrollHeight;
    else if (anchor.current?.node.isConnected) {
      log.scrollTop += anchor.current.node.getBoundingClientRect().top - anchor.current.top;
    }
    lastTop.current = log.scrollTop;
  });
  useLayoutEffect(() => {
    const keep = new ResizeObserver(() => {
      if (box.current && box.current.dataset.following) box.current.scrollTop = box.current.scrollHeight;
    });
    keep.observe(box.current);
    return () => keep.disconnect();
  }, []);

  const follow = () => {
    setView({ endN: null, count: LIVE_ROWS, arrived: 0 });
    controller.hold(null);
  };
  const freeze = () => {
    const endN = state.rows.at(-1)?.n ?? 0;
    setView({ endN, count: LIVE_ROWS, arrived: state.arrived });
    controller.hold(endN);
  };
  const scrolled = () => {
    const log = box.current;
    const below = log.scrollHeight - log.scrollTop - log.clientHeight;
    if (following) {
      if (below > NEAR && log.scrollTop < lastTop.current - 2) freeze();
      return;
    }
    if (log.scrollTop < FAR && shown.length) up();
    else if (below < NEAR) down();
  };
  const up = () => {
    const oldest = shown[0].n;
    if (state.rows[0] && state.rows[0].n < oldest) setView((v) => widen(v, state.rows));
    else {
      controller.older().then(() => setView((v) => (v.endN === null ? v : widen(v, controller.state.value.rows))));
    }
  };
  const down = () => {
    const end = state.rows.findIndex((row) => row.n > view.endN);
    if (end < 0 || state.gap) return follow();
    const endN = state.rows[Math.min(state.rows.length - 1, end + PAGE)].n;
    if (end + PAGE >= state.rows.length) return follow();
    setView((v) => ({ ...v, endN, count: Math.min(READ_ROWS, v.count + PAGE) }));
    controller.hold(endN);
  };

  const fresh = following ? 0 : state.arrived - view.arrived;
  return html`<div class="log-frame">
    <div class="log" ref=${box} role="log" aria-live="off" aria-label=${t("chat.log")} tabindex="0"
      data-following=${following ? "1" : undefined} onScroll=${scrolled}
      onClick=${(e) => act(e, onAct)} onKeyDown=${(e) => walk(e, box.current, onAct)}>
      <ol class="lines">
        ${shown.map((row) =>
          row.kind === "note"
            ? html`<${Note} key=${row.key} row=${row} />`
            : muted.has(row.user?.id)
              ? null
              : html`<${Message} key=${row.key} row=${row} me=${state.me?.id} colour=${colour(row.user)} target=${target === row.mid} />`,
        )}
        ${following && children}
      </ol>
    </div>
    ${!following && html`<button class="jump" onClick=${follow}>
      ${fresh > 0 ? t("chat.new", { count: fresh }) : t("chat.toNow")} <${Icon} name="down" />
    </button>`}
  </div>`;
}

/** Older rows come in above; so many rows at once would be slow, so the far end leaves. */
function widen(view, rows) {
  const count = view.count + PAGE;
  if (count <= READ_ROWS) return { ...view, count };
  let end = rows.length;
  while (end > 0 && rows[end - 1].n > view.endN) end -= 1;
  const cut = Math.max(0, end - (count - READ_ROWS));
  return { ...view, count: READ_ROWS, endN: rows[Math.max(0, cut - 1)].n };
}

function firstVisible(log) {
  const edge = log.getBoundingClientRect().top;
  for (const node of log.querySelectorAll(".line")) {
    const { top, bottom } = node.getBoundingClientRect();
    if (bottom > edge) return { node, top };
  }
  return null;
}

const midOf = (node) => node?.closest("[data-mid]")?.dataset.mid;

function act(event, onAct) {
  if (event.target.closest("a")) return;
  const mid = midOf(event.target);
  const button = event.target.closest("[data-act]");
  if (!mid) return;
  const at = { x: event.clientX, y: event.clientY };
  if (button) onAct(button.dataset.act, mid, at);
  else if (matchMedia("(hover: none)").matches && getSelection().isCollapsed) onAct("menu", mid, at);
}

/** Arrow keys walk the rows, Enter opens the menu, R replies, Escape returns to the list. */
function walk(event, log, onAct) {
  const lines = [...log.querySelectorAll(".line")];
  const at = lines.indexOf(document.activeElement);
  const to = { ArrowUp: at < 0 ? lines.length - 1 : at - 1, ArrowDown: at + 1, Home: 0, End: lines.length - 1 }[event.key];
  const mid = midOf(document.activeElement);
  const { bottom: y = 0, left: x = 0 } = document.activeElement.getBoundingClientRect();
  if (to !== undefined && (at >= 0 || event.key === "ArrowUp")) lines[Math.max(0, Math.min(lines.length - 1, to))]?.focus();
  else if (mid && event.key === "Enter" && event.target.matches(".line")) onAct("menu", mid, { x: x + 16, y });
  else if (mid && event.key.toLowerCase() === "r" && !event.ctrlKey && !event.metaKey) onAct("reply", mid, { x, y });
  else if (event.key === "Escape" && at >= 0) log.focus();
  else return;
  event.preventDefault();
}
