/**
 * Owns: the chat panel: head with counts, connection line, list, own messages on their way, menu, thread,
 * composer, announcements. Refuses to know: the page beside it.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { HIGH_CONTRAST, MIN_CONTRAST, parseColour } from "../colour.js";
import { t } from "../i18n.js";
import { copy, Dialog, Menu, toast } from "../kit/float.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { Empty, Failed, Loading, reason } from "../kit/states.js";
import * as prefs from "../prefs.js";
import { announcer } from "./announce.js";
import { Composer } from "./composer.js";
import { entryFor } from "./entry.js";
import { Log } from "./log.js";
import { mentions, Message } from "./message.js";
import { Pending } from "./pending.js";

export function Chat({ controller }) {
  const state = controller.state.value;
  const status = controller.status.value;
  const [reply, setReply] = useState(null);
  const [draft, setDraft] = useState(null);
  const [menu, setMenu] = useState(null);
  const [thread, setThread] = useState(null);
  const background = useBackground();
  const offline = status.phase !== "ready";
  useKeys();

  const rowOf = (mid) => state.rows.find((row) => row.mid === mid);
  const act = (what, mid, at) => {
    const row = rowOf(mid);
    if (!row) return;
    if (what === "thread") setThread(row.reply.root ?? row.reply.mid);
    else if (row.gone) return;
    else if (what === "reply") setReply(row);
    else setMenu({ row, at });
  };
  const again = (item) => {
    controller.drop(item.idem);
    controller.say(item.text, item.replyTo);
  };
  const edit = (item) => {
    controller.drop(item.idem);
    setReply(item.replyTo ?? null);
    setDraft({ text: item.text });
  };

  if (state.phase === "refused") return html`<section class="chat"><${Failed} error=${state.error} /></section>`;
  return html`<section class="chat" aria-label=${t("chat.title")} style=${{ "--chat-size": `${prefs.chatSize.value}px` }}>
    <header class="chat-head">
      <h2>${t("chat.title")}</h2>
      <${Counts} counts=${state.info?.counts} />
    </header>
    <${Connection} status=${status} />
    <${Announcements} controller=${controller} me=${state.me?.id} />
    ${state.phase === "joining"
      ? html`<div class="log-frame"><${Loading} rows=${8} kind="chat" /></div>`
      : html`<${Log} state=${state} controller=${controller} muted=${prefs.muted.value} background=${background}
          target=${reply?.mid} onAct=${act}>
          ${state.rows.length === 0 && state.pending.length === 0 && html`<li class="log-empty"><${Empty} title=${t("chat.empty")} text=${t("chat.emptyText")} /></li>`}
          ${state.pending.map(
            (item) => html`<${Pending} key=${item.idem} item=${item} offline=${offline} onEdit=${() => edit(item)}
              onAgain=${() => again(item)} onDrop=${() => controller.drop(item.idem)} />`,
          )}
        <//>`}
    ${state.phase === "ready" &&
    (entryFor(state, controller, Date.now()) ??
      html`<${Composer} key=${state.ch} state=${state} draft=${draft} reply=${reply} onReply=${setReply} offline=${offline}
        focus=${controller.joinedHere}
        onSay=${(text, to) => controller.say(text, to)} />`)}
    ${menu && html`<${Menu} label=${t("chat.menuOf", { name: menu.row.user?.displayName ?? "" })} at=${menu.at}
      items=${itemsFor(menu.row, state, controller, setReply)} onClose=${() => setMenu(null)} />`}
    ${thread && html`<${Thread} root=${thread} state=${state} background=${background} onClose=${() => setThread(null)} />`}
  </section>`;
}

function itemsFor(row, state, controller, setReply) {
  const mine = row.user?.id === state.me?.id;
  const items = [];
  if (state.you?.caps?.includes("msg.send") && state.me) items.push({ label: t("chat.reply"), icon: "reply", run: () => setReply(row) });
  items.push({ label: t("do.copy"), icon: "copy", run: () => copy(row.text) });
  if (row.user && !mine) {
    items.push({ label: t("chat.mute", { name: row.user.displayName }), icon: "mute", run: () => prefs.setMuted(row.user, true) });
  }
  if (mine || state.you?.caps?.includes("mod.delete")) {
    const remove = () => controller.remove(row.mid).catch((error) => toast(reason(error), "danger"));
    items.push({ label: t("chat.delete"), icon: "trash", danger: true, run: remove });
  }
  return items;
}

export const Counts = ({ counts }) =>
  counts &&
  html`<p class="counts">
    <span title=${t("chat.viewers", { count: counts.viewers })}><${Icon} name="eye" /><span class="visually-hidden">${t("chat.viewers", { count: counts.viewers })}</span><span aria-hidden="true">${counts.viewers}</span></span>
    <span title=${t("chat.chatters", { count: counts.chatters })}><${Icon} name="people" /><span class="visually-hidden">${t("chat.chatters", { count: counts.chatters })}</span><span aria-hidden="true">${counts.chatters}</span></span>
  </p>`;

/** A thin line while the connection is gone; what is shown stays readable. */
function Connection({ status }) {
  if (status.phase === "stopped") {
    return html`<p class="connection connection-over" role="alert">
      ${t("chat.stopped", { why: status.reason ?? status.close ?? "" })}
      <button class="text-button" onClick=${() => location.reload()}>${t("do.reload")}</button>
    </p>`;
  }
  const lost = status.wasReady && status.phase !== "ready";
  return html`<p class="connection" role="status">${lost && t("chat.reconnecting")}</p>`;
}

function Announcements({ controller, me }) {
  const [text, setText] = useState("");
  const meNow = useRef(me);
  meNow.current = me;
  const announce = useMemo(
    () => announcer({ say: setText, words: t, now: Date.now, later: (work, ms) => setTimeout(work, ms) }),
    [],
  );
  useEffect(() => {
    controller.onFresh = (events) => {
      const which = prefs.announce.value;
      if (which === "none") return;
      const others = events.filter(({ d }) => d.user?.id !== meNow.current && !prefs.muted.value.has(d.user?.id));
      const mine = ({ d }) => mentions({ frags: d.frags ?? [], reply: d.reply }, meNow.current);
      announce(which === "all" ? others : others.filter(mine));
    };
  }, [controller]);
  return html`<div class="visually-hidden" role="status" aria-live="polite">${text}</div>`;
}

function Thread({ root, state, background, onClose }) {
  const rows = state.rows.filter((row) => row.mid === root || row.reply?.root === root || row.reply?.mid === root);
  return html`<${Dialog} title=${t("chat.thread")} onClose=${onClose}>
    <ol class="lines thread">
      ${rows.map((row) => html`<${Message} key=${row.key} row=${row} me=${state.me?.id} colour=${undefined} />`)}
    </ol>
    ${!rows.some((row) => row.mid === root) && html`<p class="hint">${t("chat.threadPart")}</p>`}
  <//>`;
}

/** `/` goes to the input from anywhere on the page but a field. */
function useKeys() {
  useEffect(() => {
    const pressed = (event) => {
      const field = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
      if (event.key !== "/" || field || event.ctrlKey || event.metaKey || event.altKey) return;
      const input = document.getElementById("say") ?? document.querySelector(".entry input");
      if (!input) return;
      event.preventDefault();
      input.focus();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
}

/** The colour behind the lines and the contrast that names need on it, read again when the theme changes. */
function useBackground() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => redraw((n) => n + 1);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, []);
  const enough = prefs.theme.value === "contrast" ? HIGH_CONTRAST : MIN_CONTRAST;
  return { rgb: parseColour(getComputedStyle(document.documentElement).getPropertyValue("--surface-2")), enough };
}
