/**
 * Owns: the start of every page: words, who is signed in, then the screen that the shell names.
 */
import { render } from "preact";
import { loadWords } from "./i18n.js";
import { Shell } from "./kit/shell.js";
import { html } from "./kit/html.js";
import { loadUser } from "./session.js";

const page = document.documentElement.dataset;

async function start() {
  loadUser();
  const [{ Screen, search }] = await Promise.all([import(`./screens/${page.screen}.js`), loadWords(document.documentElement.lang)]);
  const root = document.getElementById("app");
  root.textContent = "";
  render(html`<${Shell} screen=${page.screen} search=${search ?? true}><${Screen} slug=${page.slug} /><//>`, root);
}

start();
