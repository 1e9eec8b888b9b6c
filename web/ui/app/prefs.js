/**
 * Owns: what one person has chosen for this browser: theme and language (cookies, so that the server
 * draws the first paint with them), chat size, announcements, muted users, the guest's name and token.
 * Refuses to know: who signs in.
 */
import { signal } from "@preact/signals";

const YEAR = 31_536_000;

const stored = (key, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
};

const store = (key, value) => {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still shows the choice until the page is left.
  }
};

const setCookie = (name, value) => {
  document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR}; SameSite=Lax`;
};

export const THEMES = ["auto", "light", "dark", "contrast"];
export const theme = signal(document.documentElement.dataset.theme || "auto");

export function chooseTheme(name) {
  theme.value = name;
  document.documentElement.dataset.theme = name;
  setCookie("ui_theme", name);
}

/** Another language is another document: the server picks its catalogue. */
export function chooseLanguage(lang) {
  setCookie("ui_lang", lang);
  location.reload();
}

/** Chat text in px. */
export const chatSize = signal(stored("chat.size", 15));
export const MIN_SIZE = 12;
export const MAX_SIZE = 24;

export function chooseChatSize(px) {
  chatSize.value = Math.min(MAX_SIZE, Math.max(MIN_SIZE, px));
  store("chat.size", chatSize.value);
}

export const ANNOUNCE = ["all", "mentions", "none"];
export const announce = signal(stored("chat.announce", "all"));

export function chooseAnnounce(which) {
  announce.value = which;
  store("chat.announce", which);
}

export const muted = signal(new Map(stored("chat.muted", [])));

export function setMuted(user, on) {
  const next = new Map(muted.value);
  if (on) next.set(user.id, user.displayName);
  else next.delete(user.id);
  muted.value = next;
  store("chat.muted", [...next]);
}

/** `{name, token}` of the guest that this browser was last. */
export const guest = signal(stored("guest", null));

export function keepGuest(value) {
  guest.value = value;
  store("guest", value);
}
