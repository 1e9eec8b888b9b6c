/**
 * Owns: what an "@" at the caret may become. Pure. Refuses to know: elements.
 */

const MOST = 6;

/**
 * @param {string} text
 * @param {number} caret UTF-16 index
 * @returns {{start:number, query:string}|null} the "@word" that ends at the caret
 */
export function mentionAt(text, caret) {
  const found = /(?:^|\s)@([^\s@]{0,25})$/u.exec(text.slice(0, caret));
  return found ? { start: caret - found[1].length - 1, query: found[1] } : null;
}

/** People whose name or shown name begins with the query, those who spoke last first. */
export function matching(people, query, meId) {
  const wanted = query.toLocaleLowerCase();
  const fits = (user) =>
    user.id !== meId &&
    [user.name, user.displayName].some((name) => name?.toLocaleLowerCase().startsWith(wanted));
  return [...people.values()].reverse().filter(fits).slice(0, MOST);
}

/** @returns {{text:string, caret:number}} with the mention put in */
export function complete(text, caret, start, name) {
  const before = `${text.slice(0, start)}@${name} `;
  return { text: before + text.slice(caret).replace(/^\s/, ""), caret: before.length };
}
