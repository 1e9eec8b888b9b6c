/**
 * Owns: who is signed in on this page. The shell says whether a cookie is there at all, so that a
 * visitor costs no request. Refuses to know: sockets.
 */
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { pathWithin } from "./next-path.js";

/** undefined = not known yet, null = nobody, else the user. */
export const user = signal(document.documentElement.dataset.cookie ? undefined : null);

export async function loadUser() {
  if (user.value === null) return null;
  try {
    user.value = (await ask("GET", "/api/auth/session")).user;
  } catch {
    user.value = null;
  }
  return user.value;
}

export async function signOut() {
  await ask("DELETE", "/api/auth/session");
  location.assign("/");
}

/** Where to go after signing in: only a path of this site. */
export function nextPath() {
  return pathWithin(new URLSearchParams(location.search).get("next"), location.origin);
}

export const withNext = (path) => `${path}?next=${encodeURIComponent(location.pathname + location.search)}`;
