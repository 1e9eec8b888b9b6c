/**
 * Owns: the five states that every view has: loading, empty, error, offline, no right. Each says what is
 * the case and offers a way on.
 */
import { useEffect, useState } from "preact/hooks";
import { has, spoken, t } from "../i18n.js";
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

/** Codes whose message says more than any catalogue could: which field, which name. */
const TELLING = new Set(["bad_request", "conflict"]);

/** What happened: the server's own words where they say more and are in the reader's language. */
export function reason(error) {
  if (error?.code === "not_found" && error.d?.command) return t("error.noCommand", { command: error.d.command });
  if (TELLING.has(error?.code) && spoken() === "en" && error.message) return error.message;
  const field = String(error?.field ?? "").split(".").pop();
  const keys = [`fault.${field}.${error?.d?.reason}`, `fault.${error?.d?.reason}`, `error.${error?.code}`];
  const key = keys.find(has);
  return key ? t(key) : error?.message || t("error.internal");
}

const NO_RIGHT = new Set(["forbidden", "role_too_low", "unauthenticated", "banned"]);

export function Failed({ error, again, children }) {
  const offline = error.code === "offline" || error.code === "disconnected";
  const icon = offline ? "offline" : "warn";
  const title = offline ? t("state.offline") : NO_RIGHT.has(error.code) ? t("state.noRight") : t("state.error");
  return html`<div role="alert">
    <${Empty} icon=${icon} title=${title} text=${offline ? t("state.offlineText") : reason(error)}>
      ${again && html`<button class="button" onClick=${again}>${t("do.again")}</button>`}
      ${children}
    <//>
  </div>`;
}
