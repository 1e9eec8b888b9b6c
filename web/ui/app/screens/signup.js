/**
 * Owns: `/signup`. An invitation's code comes in the fragment, which no server log sees; the first account
 * of an empty instance is asked for the code that the server printed.
 */
import { useState } from "preact/hooks";
import { ask } from "../api.js";
import { t } from "../i18n.js";
import { Field, FormFault, Submit, useSubmit } from "../kit/forms.js";
import { html } from "../kit/html.js";
import { nextPath } from "../session.js";

export const search = false;

const invited = () => new URLSearchParams(location.hash.slice(1)).get("invite") ?? "";

export function Screen() {
  const [needsCode, setNeedsCode] = useState(Boolean(invited()));
  const { busy, faults, submit } = useSubmit(async (values) => {
    const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
    try {
      await ask("POST", "/api/auth/signup", body);
    } catch (error) {
      if (String(error.field ?? "").endsWith("code")) setNeedsCode(true);
      throw error;
    }
    location.assign(nextPath());
  });
  return html`<form class="sheet" onSubmit=${submit}>
    <h1>${t("signup.title")}</h1>
    <p class="dim">${t("signup.lead")}</p>
    <${FormFault} faults=${faults} />
    <${Field} label=${t("user.displayName")} name="displayName" hint=${t("user.displayNameHint")} fault=${faults.displayName} required maxlength="50" autocomplete="nickname" />
    <${Field} label=${t("user.email")} name="email" type="email" fault=${faults.email} required autocomplete="email" />
    <${Field} label=${t("user.password")} name="password" type="password" hint=${t("user.passwordHint")} fault=${faults.password} required minlength="8" autocomplete="new-password" />
    <${Field} label=${t("user.name")} name="name" hint=${t("user.nameHint")} fault=${faults.name} optional pattern="[a-z0-9_]{3,25}" autocapitalize="none" autocomplete="username" />
    ${needsCode
      ? html`<${Field} label=${t("signup.code")} name="code" hint=${t("signup.codeHint")} fault=${faults.code} defaultValue=${invited()} autocomplete="one-time-code" />`
      : html`<button type="button" class="text-button" onClick=${() => setNeedsCode(true)}>${t("signup.haveCode")}</button>`}
    <${Submit} busy=${busy}>${t("nav.signup")}<//>
    <p class="dim">${t("signup.already")} <a href=${`/login${location.search}`}>${t("nav.login")}</a></p>
  </form>`;
}
