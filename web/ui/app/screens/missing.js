/** Owns: the page that is not there, in the same language as all others. */
import { t } from "../i18n.js";
import { html } from "../kit/html.js";
import { Empty } from "../kit/states.js";

export const Missing = ({ title, text }) => html`<div class="missing">
  <h1 class="visually-hidden">${title ?? t("missing.title")}</h1>
  <${Empty} icon="search" title=${title ?? t("missing.title")} text=${text ?? t("missing.text")}>
    <a class="button button-main" href="/">${t("missing.home")}</a>
  <//>
</div>`;

export const Screen = () => html`<${Missing} />`;
