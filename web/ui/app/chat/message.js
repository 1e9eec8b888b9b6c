/**
 * Owns: one line of chat. Text reaches the page as text nodes only; a link is built from a fragment whose
 * address is http or https. Refuses to know: the list around it.
 */
import { Component } from "preact";
import { parts } from "../frags.js";
import { exactTime, t, timeOfDay } from "../i18n.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { handleOf } from "./names.js";

/** Redrawn only when its row, its look or its marks change: at 100 lines a second the others must cost nothing. */
export class Message extends Component {
  shouldComponentUpdate(next) {
    const now = this.props;
    return next.row !== now.row || next.colour !== now.colour || next.me !== now.me || next.target !== now.target || next.handle !== now.handle;
  }

  /** `handle`: the "@name" to show beside a display name that somebody else bears too. */
  render({ row, colour, me, target, handle }) {
    const { user, flags, reply } = row;
    if (row.gone) return html`<${Gone} row=${row} />`;
    const mine = me && user?.id === me;
    const mentioned = !mine && mentions(row, me);
    const look = ["line", mentioned && "line-mention", flags.includes("announcement") && "line-announce", target && "line-target"];
    return html`<li class=${look.filter(Boolean).join(" ")} data-mid=${row.mid} tabindex="-1">
      ${reply && html`<button class="quote" data-act="thread" tabindex="-1">
        <${Icon} name="reply" />
        <bdi>${reply.user?.displayName ?? t("chat.someone")}</bdi>
        <span dir="auto">${reply.text ?? t("chat.quoteGone")}</span>
      </button>`}
      <time class="line-time" datetime=${new Date(row.ts).toISOString()} title=${exactTime(row.ts)}>${timeOfDay(row.ts)}</time>
      <${Name} user=${user} colour=${colour} handle=${handle} /><span class="line-colon">: </span>
      <span class="line-text" dir="auto"><${Text} row=${row} me=${me} /></span>
      ${flags.includes("first") && html`<span class="chip">${t("chat.first")}</span>`}
      <button class="line-more" data-act="menu" tabindex="-1" aria-haspopup="menu"
        aria-label=${t("chat.menuOf", { name: user?.displayName ?? "" })}><${Icon} name="more" /></button>
    </li>`;
  }
}

export const mentions = (row, id) =>
  Boolean(id) && (row.frags.some((frag) => frag.k === "mention" && frag.user === id) || row.reply?.user?.id === id);

function Name({ user, colour, handle }) {
  if (!user) return html`<span class="line-name dim">${t("chat.erased")}</span>`;
  const badge = user.badges?.length ? user.badges : staffBadge(user);
  return html`${badge.map((each) => html`<span key=${each.id} class="badge badge-${each.id}">${each.title}</span>`)}
    ${user.kind === "bot" && html`<span class="badge badge-bot">${t("chat.bot")}</span>`}
    <bdi class="line-name" style=${{ color: colour }} title=${handleOf(user) ?? undefined}>${user.displayName ?? user.name}</bdi>${handle && html` <bdi class="line-handle">${handle}</bdi>`}`;
}

/** A role that the server gave no badge for is still worth knowing. */
function staffBadge(user) {
  const role = (user.roles ?? []).find((each) => ["owner", "lead", "moderator", "helper", "vip"].includes(each));
  return role ? [{ id: role, title: t(`role.${role}`) }] : [];
}

const Text = ({ row, me }) =>
  parts(row.text, row.frags).map((part, i) => {
    if (part.k === "link") {
      return html`<a key=${i} href=${part.href} target="_blank" rel="noopener nofollow ugc" tabindex="-1">${part.text}</a>`;
    }
    if (part.k === "mention") return html`<b key=${i} class=${part.user === me ? "mention mention-me" : "mention"}>${part.text}</b>`;
    return part.text;
  });

const Gone = ({ row }) => html`<li class="line line-gone" data-mid=${row.mid} tabindex="-1">
  ${row.user ? t(`chat.gone.${row.gone.by === "author" ? "author" : "staff"}`, { name: row.user.displayName }) : t("chat.gone.erased")}
</li>`;

/** A quiet line about the room: a mode changed, the chat was cleared. */
export function Note({ row }) {
  return html`<li class="line line-note" tabindex="-1">${noteWords(row.note)}</li>`;
}

function noteWords(note) {
  if (note.what === "cleared") return t("note.cleared");
  if (note.name === "slow") return note.value ? t("note.slow", { n: note.value }) : t("note.slowOff");
  const on = note.value && note.value !== "allow" && note.value !== -1;
  return t(on ? "note.modeOn" : "note.modeOff", { mode: t(`mode.${note.name}`) });
}
