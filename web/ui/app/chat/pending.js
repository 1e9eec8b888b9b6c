/**
 * Owns: one's own messages on their way: waiting, sent, held, or refused with the reason in words and a
 * way on. Refuses to know: how they are sent.
 */
import { useEffect, useState } from "preact/hooks";
import { duration, t } from "../i18n.js";
import { html } from "../kit/html.js";
import { reason } from "../kit/states.js";

/** @returns {number} now, ticking each second while `until` lies ahead */
export function useCountdown(until) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!until || until <= Date.now()) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => {
      setNow(Date.now());
      if (Date.now() >= until) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [until]);
  return Math.max(0, (until ?? 0) - Math.max(now, 0));
}

export function Pending({ item, offline, onEdit, onAgain, onDrop }) {
  const left = useCountdown(item.phase === "held" ? item.expiresAt : item.until);
  return html`<li class="line line-pending line-${item.phase}" data-idem=${item.idem}>
    ${item.user && html`<bdi class="line-name">${item.user.displayName}</bdi>`}<span class="line-colon">: </span>
    <span class="line-text" dir="auto">${item.text}</span>
    <span class="line-fate">${fate(item, left, offline)}</span>
    ${item.phase === "refused" && html`<span class="line-ways">
      <button class="text-button" onClick=${onEdit}>${t("do.edit")}</button>
      ${mayRepeat(item) && html`<button class="text-button" disabled=${left > 0} onClick=${onAgain}>
        ${left > 0 ? t("chat.againIn", { time: duration(left) }) : t("do.sendAgain")}
      </button>`}
      <button class="text-button" onClick=${onDrop}>${t("do.discard")}</button>
    </span>`}
  </li>`;
}

const mayRepeat = (item) => item.error?.retry === "after" || item.error?.code === "unsure";

function fate(item, left, offline) {
  if (item.phase === "pending") return offline ? t("chat.waiting") : t("chat.sending");
  if (item.phase === "held") return left > 0 ? t("chat.held", { time: duration(left) }) : t("chat.heldOver");
  if (item.phase === "refused") return reason(item.error);
  return "";
}
