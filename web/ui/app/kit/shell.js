/**
 * Owns: what is around every screen: the bar with search and account, the settings of this browser, toasts.
 * Refuses to know: the screens.
 */
import { useState } from "preact/hooks";
import { spoken, t } from "../i18n.js";
import * as prefs from "../prefs.js";
import { signOut, user, withNext } from "../session.js";
import { Dialog, Toasts } from "./float.js";
import { html } from "./html.js";
import { Icon, Mark } from "./icons.js";

const LANGUAGES = { en: "English", de: "Deutsch", es: "Español" };

export function Shell({ children, screen, search = true }) {
  const [settings, setSettings] = useState(false);
  return html`
    <header class="bar">
      <a class="brand" href="/" aria-label=${t("nav.home")}><${Mark} /><span>Cascade</span></a>
      ${search && html`<${Search} />`}
      <nav class="bar-end" aria-label=${t("nav.label")}>
        <button class="icon-button" aria-label=${t("settings.title")} onClick=${() => setSettings(true)}>
          <${Icon} name="settings" />
        </button>
        <${Who} screen=${screen} />
      </nav>
    </header>
    <main id="main" class="screen screen-${screen}" tabindex="-1">${children}</main>
    ${settings && html`<${Settings} onClose=${() => setSettings(false)} />`}
    <${Toasts} />
  `;
}

const Search = () => html`<form class="search" role="search" action="/">
  <${Icon} name="search" />
  <input class="input" type="search" name="q" aria-label=${t("nav.search")} placeholder=${t("nav.search")} />
</form>`;

function Who({ screen }) {
  if (user.value === undefined) return html`<span class="who-wait" aria-hidden="true"></span>`;
  if (user.value === null) {
    const here = ["login", "signup"].includes(screen) ? (path) => path + location.search : withNext;
    return html`
      <a class="button button-quiet" href=${here("/login")}>${t("nav.login")}</a>
      <a class="button button-main bar-signup" href=${here("/signup")}>${t("nav.signup")}</a>
    `;
  }
  return html`
    <a class="button button-quiet" href="/studio">${t("nav.studio")}</a>
    <a class="icon-button who" href="/account" aria-label=${t("nav.account", { name: user.value.displayName })}>
      <span aria-hidden="true">${Array.from(user.value.displayName)[0]}</span>
    </a>
  `;
}

function Settings({ onClose }) {
  return html`<${Dialog} title=${t("settings.title")} onClose=${onClose}>
    <${Choice} label=${t("settings.theme")} name="theme" value=${prefs.theme.value} onChoose=${prefs.chooseTheme}
      options=${prefs.THEMES.map((each) => [each, t(`settings.theme.${each}`)])} />
    <${Choice} label=${t("settings.language")} name="lang" value=${spoken()} onChoose=${prefs.chooseLanguage}
      options=${Object.entries(LANGUAGES)} />
    <${Choice} label=${t("settings.announce")} name="announce" value=${prefs.announce.value}
      onChoose=${prefs.chooseAnnounce} options=${prefs.ANNOUNCE.map((each) => [each, t(`settings.announce.${each}`)])} />
    <label class="range">
      <span>${t("settings.size")} <output>${prefs.chatSize.value} px</output></span>
      <input type="range" min=${prefs.MIN_SIZE} max=${prefs.MAX_SIZE} value=${prefs.chatSize.value}
        onInput=${(e) => prefs.chooseChatSize(Number(e.currentTarget.value))} />
    </label>
    <${Muted} />
    ${user.value && html`<button class="button" onClick=${signOut}>${t("nav.logout")}</button>`}
  <//>`;
}

const Choice = ({ label, name, value, options, onChoose }) => html`<fieldset class="choice">
  <legend>${label}</legend>
  ${options.map(
    ([key, words]) => html`<label key=${key}>
      <input type="radio" name=${name} value=${key} checked=${key === value} onChange=${() => onChoose(key)} />
      <span>${words}</span>
    </label>`,
  )}
</fieldset>`;

function Muted() {
  if (prefs.muted.value.size === 0) return null;
  return html`<section class="muted-list">
    <h3>${t("settings.muted")}</h3>
    <ul>
      ${[...prefs.muted.value].map(
        ([id, displayName]) => html`<li key=${id}>
          <bdi>${displayName}</bdi>
          <button class="button" onClick=${() => prefs.setMuted({ id, displayName }, false)}>${t("chat.unmute")}</button>
        </li>`,
      )}
    </ul>
  </section>`;
}
