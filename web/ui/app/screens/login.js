/** Owns: `/login`. */
import { ask } from "../api.js";
import { t } from "../i18n.js";
import { Field, FormFault, Submit, useSubmit } from "../kit/forms.js";
import { html } from "../kit/html.js";
import { Refusal } from "../link.js";
import { nextPath } from "../session.js";

export const search = false;

export function Screen() {
  const { busy, faults, submit } = useSubmit(async ({ who, password }) => {
    const body = who.includes("@") && !who.startsWith("@") ? { email: who, password } : { name: who.replace(/^@/, ""), password };
    try {
      await ask("POST", "/api/auth/login", body);
    } catch (error) {
      if (error.code === "unauthenticated") throw new Refusal({ code: "wrong_login" });
      throw error;
    }
    location.assign(nextPath());
  });
  return html`<form class="sheet" onSubmit=${submit}>
    <h1>${t("login.title")}</h1>
    <${FormFault} faults=${faults} />
    <${Field} label=${t("login.who")} name="who" required autocomplete="username" autocapitalize="none" />
    <${Field} label=${t("user.password")} name="password" type="password" required autocomplete="current-password" />
    <${Submit} busy=${busy}>${t("nav.login")}<//>
    <p class="dim">${t("login.new")} <a href=${`/signup${location.search}`}>${t("nav.signup")}</a></p>
  </form>`;
}
