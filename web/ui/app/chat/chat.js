/**
 * Owns: the chat panel: head with counts, connection line, list, own messages on their way, menu, thread,
 * composer, announcements. Refuses to know: the page beside it.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { HIGH_CONTRAST, MIN_CONTRAST, parseColour } from "../colour.js";
import { has, t } from "../i18n.js";
import { copy, Dialog, Menu, toast } from "../kit/float.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { Failed, Loading, reason } from "../kit/states.js";
import * as prefs from "../prefs.js";
import { user, withNext } from "../session.js";
import { announcer } from "./announce.js";
import { Composer } from "./composer.js";
import { entryFor } from "./entry.js";
import { Log } from "./log.js";
import { mentions, Message } from "./message.js";
import { handleOf } from "./names.js";
import { Pending } from "./pending.js";

/** What a line may stand on: plain, under the pointer, a mention. */
const BEHIND = ["--surface-1", "--surface-2", "--accent-soft"];

export function Chat({ controller }) {
  const { phase, error, ch } = controller.part;
  useKeys();
  if (phase.value === "refused") return html`<section class="chat"><${Failed} error=${error.value}>
    ${!user.value && html`<a class="button button-main" href=${withNext("/login")}>${t("nav.login")}</a>`}
  <//></section>`;
  return html`<section class="chat" aria-label=${t("chat.title")} style=${{ "--chat-size": `${prefs.chatSize.value}px` }}>
    <${Head} controller=${controller} />
    <${Connection} status=${controller.status.value} />
    <${Announcements} controller=${controller} />
    ${phase.value === "joining"
      ? html`<div class="log-frame"><${Loading} rows=${8} kind="chat" /></div>`
      : html`<${Talk} key=${ch.value} controller=${controller} />`}
  </section>`;
}

const Head = ({ controller }) => html`<header class="chat-head">
  <h2>${t("chat.title")}</h2>
  <${Counts} counts=${controller.part.info.value?.counts} />
</header>`;

/** The list and the place to write, and what goes between them: whom one answers, what came back. */
function Talk({ controller }) {
  const { phase, me, you, pending } = controller.part;
  const [reply, setReply] = useState(null);
  const [draft, setDraft] = useState(null);
  const [menu, setMenu] = useState(null);
  const [thread, setThread] = useState(null);
  const background = useBackground();
  const offline = controller.status.value.phase !== "ready";
  const act = useStable((what, mid, at) => {
    const row = controller.state.peek().rows.find((each) => each.mid === mid);
    if (what === "thread") setThread(row?.reply?.root ?? row?.reply?.mid);
    else if (!row || row.gone) return;
    else if (what === "reply") setReply(row);
    else setMenu({ row, at });
  });
  const edit = (item) => {
    controller.drop(item.idem);
    setReply(item.replyTo ?? null);
    setDraft({ text: item.text });
  };
  const again = (item) => {
    controller.drop(item.idem);
    controller.say(item.text, item.replyTo);
  };
  return html`
    <${Log} controller=${controller} muted=${prefs.muted.value} background=${background} target=${reply?.mid} onAct=${act}
      quiet=${pending.value.length === 0}>
      ${pending.value
        .filter((item) => !item.seen)
        .map(
          (item) => html`<${Pending} key=${item.idem} item=${item} offline=${offline} onEdit=${() => edit(item)}
            onAgain=${() => again(item)} onDrop=${() => controller.drop(item.idem)} />`,
        )}
    <//>
    ${phase.value === "gone"
      ? html`<p class="entry notice" role="status">${t("watch.gone")}</p>`
      : entryFor({ me: me.value, you: you.value }, controller, Date.now()) ??
    html`<${Composer} controller=${controller} draft=${draft} reply=${reply} onReply=${setReply} offline=${offline} />`}
    ${menu && html`<${Menu} ...${whose(menu.row.user)} at=${menu.at}
      items=${itemsFor(menu.row, me.value, you.value, controller, setReply)} onClose=${() => setMenu(null)} />`}
    ${thread && html`<${Thread} root=${thread} controller=${controller} onClose=${() => setThread(null)} />`}
  `;
}

/** What the menu says of the author: also who it is, where the display name does not tell. */
function whose(user) {
  const name = user?.displayName ?? "";
  const handle = handleOf(user);
  const head = handle && html`<bdi>${name}</bdi> <bdi class="dim">${handle}</bdi>`;
  return { label: t("chat.menuOf", { name: handle ? `${name} (${handle})` : name }), head };
}

function itemsFor(row, me, you, controller, setReply) {
  const mine = row.user?.id === me?.id;
  const items = [];
  if (me && you?.caps?.includes("msg.send")) items.push({ label: t("chat.reply"), icon: "reply", run: () => setReply(row) });
  items.push({ label: t("do.copy"), icon: "copy", run: () => copy(row.text) });
  if (row.user && !mine) {
    items.push({ label: t("chat.mute", { name: row.user.displayName }), icon: "mute", run: () => prefs.setMuted(row.user, true) });
  }
  if (mine || you?.caps?.includes("mod.delete")) {
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
      ${has(`close.${status.close}`) ? t(`close.${status.close}`) : t("chat.stopped", { why: status.reason ?? status.close ?? "" })}
      <button class="text-button" onClick=${() => location.reload()}>${t("do.reload")}</button>
    </p>`;
  }
  const lost = status.wasReady && status.phase !== "ready";
  return html`<p class="connection" role="status">${lost && t("chat.reconnecting")}</p>`;
}

function Announcements({ controller }) {
  const [text, setText] = useState("");
  const announce = useMemo(
    () => announcer({ say: setText, words: t, now: Date.now, later: (work, ms) => setTimeout(work, ms) }),
    [],
  );
  useEffect(() => {
    controller.onFresh = (events) => {
      const which = prefs.announce.value;
      if (which === "none") return;
      const me = controller.part.me.peek()?.id;
      const others = events.filter(({ d }) => d.user?.id !== me && !prefs.muted.value.has(d.user?.id));
      const mine = ({ d }) => mentions({ frags: d.frags ?? [], reply: d.reply }, me);
      announce(which === "all" ? others : others.filter(mine));
    };
  }, [controller]);
  return html`<div class="visually-hidden" role="status" aria-live="polite">${text}</div>`;
}

function Thread({ root, controller, onClose }) {
  const { rows, me } = controller.state.value;
  const found = rows.filter((row) => row.mid === root || row.reply?.root === root || row.reply?.mid === root);
  return html`<${Dialog} title=${t("chat.thread")} onClose=${onClose}>
    <ol class="lines thread">
      ${found.map((row) => html`<${Message} key=${row.key} row=${row} me=${me?.id} />`)}
    </ol>
    ${!found.some((row) => row.mid === root) && html`<p class="hint">${t("chat.threadPart")}</p>`}
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

/** The colours behind the lines and the contrast that names need on it, read again when the theme changes. */
function useBackground() {
  const [system, changed] = useState(0);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => changed((n) => n + 1);
    dark.addEventListener("change", redraw);
    return () => dark.removeEventListener("change", redraw);
  }, []);
  const theme = prefs.theme.value;
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    return { behind: BEHIND.map((name) => parseColour(style.getPropertyValue(name))), enough: theme === "contrast" ? HIGH_CONTRAST : MIN_CONTRAST };
  }, [theme, system]);
}

/** The same function for ever, which does what the newest one does: children need no redraw for it. */
function useStable(work) {
  const newest = useRef(work);
  newest.current = work;
  return useMemo(() => (...args) => newest.current(...args), []);
}
