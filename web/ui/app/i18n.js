/**
 * Owns: words. One catalogue of the page's language is loaded before the first screen is drawn; keys
 * with forms (`key.one`, `key.other`) follow the language's plural rules.
 * Refuses to know: screens. A key that is missing shows itself, which a test forbids.
 */

let catalogue = {};
let language = "en";
let plurals = new Intl.PluralRules("en");
let relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
let clock = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit" });
let exact = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
let numbers = new Intl.NumberFormat("en");

/**
 * @param {string} lang language of the catalogue
 * @param {Record<string, string>} words
 * @param {string} [region] the same language as spoken where the reader is ("en-GB"): its clock and numbers
 */
export function speak(lang, words, region = lang) {
  catalogue = words;
  language = lang;
  plurals = new Intl.PluralRules(lang);
  relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  clock = new Intl.DateTimeFormat(region, { hour: "numeric", minute: "2-digit" });
  exact = new Intl.DateTimeFormat(region, { dateStyle: "medium", timeStyle: "medium" });
  numbers = new Intl.NumberFormat(region);
}

export async function loadWords(lang) {
  const answer = await fetch(new URL(`../i18n/${lang}.json`, import.meta.url));
  speak(lang, await answer.json(), navigator.languages?.find((each) => each.split("-")[0] === lang));
}

export const spoken = () => language;
export const has = (key) => key in catalogue;

/**
 * @param {string} key
 * @param {Record<string, string|number>} [values] `count` also chooses the plural form
 */
export function t(key, values = {}) {
  const form = "count" in values ? `${key}.${plurals.select(Number(values.count))}` : key;
  const words = catalogue[form] ?? catalogue[`${key}.other`] ?? catalogue[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

const shown = (value) => (typeof value === "number" ? numbers.format(value) : String(value));

/** "14:05", for a line of chat. */
export const timeOfDay = (ms) => clock.format(ms);

/** The exact moment, for a title. */
export const exactTime = (ms) => exact.format(ms);

const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** "3 hours ago", "in 2 days". */
export function ago(ms, now) {
  const seconds = Math.round((ms - now) / 1000);
  const [unit, size] = STEPS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** A countdown in as few signs as a button has room for: "12 s", "4 min", "2 h". */
export function duration(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return t("unit.s", { n: seconds });
  if (seconds < 3600) return t("unit.min", { n: Math.ceil(seconds / 60) });
  if (seconds < 86_400) return t("unit.h", { n: Math.ceil(seconds / 3600) });
  return t("unit.d", { n: Math.ceil(seconds / 86_400) });
}
