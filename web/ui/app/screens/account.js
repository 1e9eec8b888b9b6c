/** Owns: `/account`: name, password, and where one is signed in, with "that's not me". */
import { useRef } from "preact/hooks";
import { ask } from "../api.js";
import { ago, exactTime, t } from "../i18n.js";
import { toast } from "../kit/float.js";
import { Field, FormFault, Submit, useSubmit } from "../kit/forms.js";
import { html } from "../kit/html.js";
import { useLoad } from "../kit/load.js";
import { Failed, Loading } from "../kit/states.js";
import { Refusal } from "../link.js";
import { signOut, user } from "../session.js";

export const search = true;

export function Screen() {
  if (user.value === undefined) return html`<h1>${t("account.title")}</h1><${Loading} rows=${4} />`;
  if (user.value === null) return html`<h1>${t("account.title")}</h1><${SignInFirst} />`;
  return html`<div class="account">
    <h1>${t("account.title")}</h1>
    <${Profile} me=${user.value} />
    <${Password} me=${user.value} />
    <${Sessions} />
    <section class="panel">
      <h2>${t("nav.logout")}</h2>
      <button class="button" onClick=${signOut}>${t("nav.logout")}</button>
    </section>
  </div>`;
}

export const SignInFirst = () => html`<div class="state">
  <h2>${t("state.signIn")}</h2>
  <p>${t("state.signInText")}</p>
  <a class="button button-main" href=${`/login?next=${encodeURIComponent(location.pathname)}`}>${t("nav.login")}</a>
</div>`;

function Profile({ me }) {
  const { busy, faults, submit } = useSubmit(async ({ displayName }) => {
    user.value = { ...me, ...(await ask("PATCH", `/api/users/${me.id}`, { displayName })) };
    toast(t("do.saved"));
  });
  return html`<form class="panel" onSubmit=${submit}>
    <h2>${t("account.profile")}</h2>
    <p class="dim">${t("account.youAre", { name: me.name })}</p>
    <${FormFault} faults=${faults} />
    <${Field} label=${t("user.displayName")} name="displayName" hint=${t("user.displayNameHint")} fault=${faults.displayName} defaultValue=${me.displayName} required maxlength="50" />
    <${Submit} busy=${busy}>${t("do.save")}<//>
  </form>`;
}

function Password({ me }) {
  const { busy, faults, submit } = useSubmit(async (values, form) => {
    try {
      await ask("PATCH", `/api/users/${me.id}`, values);
    } catch (error) {
      if (String(error.field).endsWith("currentPassword")) throw new Refusal({ code: "wrong_password", field: "currentPassword" });
      throw error;
    }
    form.reset();
    toast(t("account.passwordChanged"));
  });
  return html`<form class="panel" onSubmit=${submit}>
    <h2>${t("account.password")}</h2>
    <input class="visually-hidden" type="text" name="username" autocomplete="username" value=${me.name} tabindex="-1" aria-hidden="true" disabled />
    <${FormFault} faults=${faults} />
    <${Field} label=${t("account.current")} name="currentPassword" type="password" fault=${faults.currentPassword} required autocomplete="current-password" />
    <${Field} label=${t("account.new")} name="password" type="password" hint=${t("user.passwordHint")} fault=${faults.password} required minlength="8" autocomplete="new-password" />
    <${Submit} busy=${busy}>${t("account.change")}<//>
  </form>`;
}

function Sessions() {
  const { data, error, again, set } = useLoad(() => ask("GET", "/api/auth/sessions"), []);
  const heading = useRef(null);
  const revoke = async (session) => {
    try {
      await ask("DELETE", `/api/auth/sessions/${session.id}`);
      set({ ...data, items: data.items.filter((each) => each.id !== session.id) });
      heading.current?.focus();
      toast(t("account.revoked"));
    } catch (fault) {
      toast(t("state.error"), "danger");
      throw fault;
    }
  };
  return html`<section class="panel">
    <h2 ref=${heading} tabindex="-1">${t("account.sessions")}</h2>
    <p class="dim">${t("account.sessionsText")}</p>
    ${error ? html`<${Failed} error=${error} again=${again} />` : !data ? html`<${Loading} />` : html`<ul class="rows">
      ${data.items.map((session) => html`<${Session} key=${session.id} session=${session} onRevoke=${() => revoke(session)} />`)}
    </ul>`}
  </section>`;
}

/** "Firefox, Linux" says more than a whole User-Agent. */
function agentName(agent) {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari|curl|python)[/ -]/i.exec(agent ?? "")?.[1];
  const system = /(Android|iPhone|iPad|Windows|Mac OS|Linux)/.exec(agent ?? "")?.[1];
  const names = { Edg: "Edge", OPR: "Opera" };
  return [names[browser] ?? browser, system].filter(Boolean).join(", ") || t("account.session");
}

function Session({ session, onRevoke }) {
  const now = Date.now();
    return html`<li class="row">
    <div>
      <p>${agentName(session.agent)} ${session.current && html`<span class="chip">${t("account.thisOne")}</span>`}</p>
      <p class="dim" title=${exactTime(session.lastUsedAt)}>${t("account.since", { ago: ago(session.createdAt, now) })} · ${t("account.used", { ago: ago(session.lastUsedAt, now) })}</p>
    </div>
    ${!session.current && html`<button class="button button-danger" onClick=${onRevoke}>${t("account.notMe")}</button>`}
  </li>`;
}
