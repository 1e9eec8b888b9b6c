/**
 * Owns: the list on the page: it follows the newest line, keeps its place when lines come or go above while
 * one reads, says how many are new below, and lets keys walk the lines.
 * Refuses to know: what a line is made of, and how lines get here.
 */
import { Component } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { colourFor } from "../colour.js";
import { t } from "../i18n.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { Empty } from "../kit/states.js";
import { Message, Note } from "./message.js";
import { fold, handleOf, same, shared } from "./names.js";
import { chunks, following, frozen, lowered, rowsIn, widened } from "./window.js";

/** Nearer than this to the newest line counts as being there; nearer to the oldest asks for more (px). */
const NEAR = 48;
const FAR = 400;

export function Log({ controller, muted, background, target, onAct, children, quiet }) {
  const state = controller.state.value;
  const box = useRef(null);
  const { view, follow, scrolled } = usePlace(controller, box);
  const colour = useColours(background);
  const doubles = useDoubles(state);
  const shown = rowsIn(state.rows, view);
  const live = view.endN === null;
  useKeptPlace(box, live);
  return html`<div class="log-frame">
    <div class="log" ref=${box} role="log" aria-live="off" aria-label=${t("chat.log")} tabindex="0"
      data-following=${live ? "1" : undefined} onScroll=${scrolled}
      onClick=${(e) => act(e, onAct)} onKeyDown=${(e) => walk(e, box.current, onAct)}>
      <ol class="lines">
        ${chunks(shown).map(
          ({ key, rows }) => html`<${Chunk} key=${key} rows=${rows} me=${state.me?.id} colour=${colour} muted=${muted} target=${target} doubles=${doubles} />`,
        )}
        ${shown.length === 0 && quiet && html`<li class="log-empty"><${Empty} title=${t("chat.empty")} text=${t("chat.emptyText")} /></li>`}
        ${live && children}
      </ol>
    </div>
    ${!live && html`<${Jump} count=${state.arrived - view.arrived} onClick=${follow} />`}
  </div>`;
}

const Jump = ({ count, onClick }) => html`<button class="jump" onClick=${onClick}>
  ${count > 0 ? t("chat.new", { count }) : t("chat.toNow")} <${Icon} name="down" />
</button>`;

/** Some lines that are redrawn together, and only if one of them changed. */
class Chunk extends Component {
  shouldComponentUpdate({ rows, me, colour, muted, target, doubles }) {
    const now = this.props;
    if (now.me !== me || now.colour !== colour || now.muted !== muted || now.target !== target || now.doubles !== doubles) return true;
    return now.rows.length !== rows.length || rows.some((row, i) => row !== now.rows[i]);
  }

  render({ rows, me, colour, muted, target, doubles }) {
    return rows.map((row) => {
      if (row.kind === "note") return html`<${Note} key=${row.key} row=${row} />`;
      if (muted.has(row.user?.id)) return null;
      const handle = doubles.size > 0 && doubles.has(fold(row.user?.displayName)) ? handleOf(row.user) : null;
      return html`<${Message} key=${row.key} row=${row} me=${me} colour=${colour(row.user)} target=${target === row.mid} handle=${handle} />`;
    });
  }
}

/** A colour for each user, worked out once per theme. */
function useColours({ behind, enough }) {
  return useMemo(() => {
    const known = new Map();
    return (user) => {
      if (!user) return undefined;
      if (!known.has(user.id)) known.set(user.id, colourFor(user.id, behind, enough));
      return known.get(user.id);
    };
  }, [behind, enough]);
}

/** Names that several people of this room bear; the same set for as long as they are the same names. */
function useDoubles({ rows, info }) {
  const last = useRef(new Set());
  const found = shared([info?.owner, ...rows.map((row) => row.user)]);
  if (!same(found, last.current)) last.current = found;
  return last.current;
}

/** Where one is in the room: at the newest line, or further up. */
function usePlace(controller, box) {
  const [view, setView] = useState(following);
  const move = (next) => {
    setView(next);
    controller.hold(next.endN);
  };
  const follow = () => move(following());
  const state = () => controller.state.peek();
  const up = async () => {
    const { rows } = state();
    const first = rowsIn(rows, view)[0];
    if (first && rows[0].n === first.n) await controller.older();
    setView((now) => (now.endN === null ? now : widened(now, state().rows)));
  };
  const down = () => move(lowered(view, state().rows, state().gap) ?? following());
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    const below = scrollHeight - scrollTop - clientHeight;
    if (view.endN === null) {
      if (below > NEAR && scrollTop < box.current.lastTop - 2) move(frozen(state().rows, state().arrived));
    } else if (scrollTop < FAR) up();
    else if (below < NEAR) down();
  };
  return { view, follow, scrolled };
}

/**
 * The newest line stays in sight while following; while reading, the first visible line is measured before
 * the DOM changes and put back after it (what browsers do by themselves differs too much).
 */
function useKeptPlace(box, live) {
  const anchor = live || !box.current ? null : firstVisible(box.current);
  useLayoutEffect(() => {
    const log = box.current;
    if (live) log.scrollTop = log.scrollHeight;
    else if (anchor?.node.isConnected) log.scrollTop += anchor.node.getBoundingClientRect().top - anchor.top;
    log.lastTop = log.scrollTop;
  });
  useLayoutEffect(() => {
    const log = box.current;
    const keep = new ResizeObserver(() => {
      if (!log.dataset.following) return;
      log.scrollTop = log.scrollHeight;
      log.lastTop = log.scrollTop;
    });
    keep.observe(log);
    return () => keep.disconnect();
  }, []);
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

/** Arrow keys walk the lines, Enter opens the menu, R replies, Escape returns to the list. */
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
