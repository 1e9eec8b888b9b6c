/**
 * Owns: when a display name alone does not say who speaks, and what says it then. Anybody may choose any
 * display name; `name` is one person's only. Pure; refuses to know rows and elements.
 */

/** Two names with the same fold look alike at a glance: case, spaces and invisible characters do not count. */
export const fold = (name) => (name ?? "").normalize("NFKC").toLowerCase().replace(/[\s\p{Cf}]/gu, "");

/** @returns {string|null} "@name" where the display name does not say it already */
export const handleOf = (user) => (user?.name && fold(user.name) !== fold(user.displayName ?? user.name) ? `@${user.name}` : null);

const folds = new WeakMap();

/** Folded once per object: a fast chat asks for the same ones thirty times a second. */
function foldsOf(user) {
  if (!folds.has(user)) folds.set(user, new Set([fold(user.displayName), fold(user.name)]));
  return folds.get(user);
}

/**
 * The folds that more than one person bears, as display name or as `name`.
 * @param {Iterable<{id:string, name?:string, displayName?:string}|null|undefined>} users
 * @returns {Set<string>}
 */
export function shared(users) {
  const bearers = new Map();
  const found = new Set();
  for (const user of users) {
    if (!user) continue;
    for (const each of foldsOf(user)) {
      if (each && (bearers.get(each) ?? user.id) !== user.id) found.add(each);
      bearers.set(each, user.id);
    }
  }
  return found;
}

/** Whether both sets hold the same, so that one may stand for the other. */
export const same = (a, b) => a.size === b.size && [...a].every((each) => b.has(each));
