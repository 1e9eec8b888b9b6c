/**
 * Owns: which addresses one may be sent on to after signing in: paths of this site and nothing else.
 * Pure; refuses to know the page.
 */

/** Browsers drop tabs and line ends from an address and read a backslash as a slash. */
const TRICKY = /[\\\p{Cc}]/u;

/**
 * @param {string|null|undefined} next what the address of the page asks for; not to be trusted
 * @param {string} origin of this site
 * @returns {string} a path with its search and hash; "/" in place of anything that leads elsewhere
 */
export function pathWithin(next, origin) {
  if (!next?.startsWith("/") || TRICKY.test(next)) return "/";
  try {
    const url = new URL(next, origin);
    const path = url.pathname + url.search + url.hash;
    // "/.//elsewhere" is of this origin, but its path read again is not.
    return url.origin === origin && new URL(path, origin).origin === origin ? path : "/";
  } catch {
    return "/";
  }
}
