/**
 * Owns: the five states that every view has: loading, empty, error, offline, no right. Each says what is
 * the case and offers a way on.
 */
import { useEffect, useState } from "preact/hooks";
import { has, t } from "../i18n.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

const SKELETON_AFTER_MS = 300;

/** A fast answer shows no skeleton at all. */
export function Loading({ rows = 3, kind = "lines" }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return html`<div class="skeleton skeleton-${kind}" role="status" aria-label=${t("state.loading")}>
    ${late && Array.from({ length: rows }, (_, i) => html`<span key=${i} class="bone"></span>`)}
  </div>`;
}

export const Empty = ({ title, text, children, icon }) => html`<div class="state">
  ${icon && html`<span class="state-sign"><${Icon} name=${icon} /></span>`}
  <h2>${title}</h2>
  ${text && html`<p>${text}</p>`}
  ${children}
</div>`;

/** What happened, in the catalogue's words for the code, else in the server's. */
export function reason(error) {
  const key = `error.${error?.code}`;
  const field = error?.code === "bad_request" || !has(key);
  if (field && error?.message) return error.message;
  return has(key) ? t(key) : t("error.internal");
}

const NO_RIGHT = new Set(["forbidden", "role_too_low", "unauthenticated", "banned"]);

export function Failed({ error, again }) {
  const offline = error.code === "offline" || error.code === "disconnected";
  const icon = offline ? "offline" : "warn";
  const title = offline ? t("state.offline") : NO_RIGHT.has(error.code) ? t("state.noRight") : t("state.error");
  return html`<div role="alert">
    <${Empty} icon=${icon} title=${title} text=${offline ? t("state.offlineText") : reason(error)}>
      ${again && html`<button class="button" onClick=${again}>${t("do.again")}</button>`}
    <//>
  </div>`;
}
