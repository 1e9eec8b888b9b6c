/**
 * Owns: `/`, where one finds a channel: live first, filters in the URL, an empty place that says what to do.
 */
import { useRef, useState } from "preact/hooks";
import { ask } from "../api.js";
import { t } from "../i18n.js";
import { Card, isLive, liveFirst } from "../kit/channel.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { useLoad } from "../kit/load.js";
import { Empty, Failed, Loading } from "../kit/states.js";
import { user } from "../session.js";

const FILTERS = ["q", "live", "category", "tag"];
const PAUSE_MS = 250;

/** The page's own search is larger than the bar's. */
export const search = false;

const fromUrl = () => {
  const params = new URLSearchParams(location.search);
  return Object.fromEntries(FILTERS.map((name) => [name, params.get(name) ?? ""]));
};

const queryOf = (filters) => {
  const params = new URLSearchParams();
  for (const name of FILTERS) if (filters[name]) params.set(name, filters[name]);
  return params.size ? `?${params}` : "";
};

export function Screen() {
  const [filters, setFilters] = useState(fromUrl);
  const query = queryOf(filters);
  const { data, error, again } = useLoad(() => ask("GET", `/api/channels${query}`), [query]);
  const [more, setMore] = useState({ query, items: [], next: null });
  const timer = useRef(0);
  const change = (part) => {
    const next = { ...filters, ...part };
    history.replaceState(null, "", `/${queryOf(next)}`);
    setFilters(next);
  };
  const typed = (event) => {
    const q = event.currentTarget.value.trim();
    clearTimeout(timer.current);
    timer.current = setTimeout(() => change({ q }), PAUSE_MS);
  };
  const extra = more.query === query ? more.items : [];
  const next = more.query === query && more.items.length ? more.next : data?.next;
  const load = async () => {
    const page = await ask("GET", `/api/channels${query}${query ? "&" : "?"}cursor=${encodeURIComponent(next)}`);
    setMore({ query, items: [...extra, ...page.items], next: page.next });
  };

  return html`
    <div class="directory-head">
      <h1>${t("directory.title")}</h1>
      <form class="filters" role="search" onSubmit=${(e) => e.preventDefault()}>
        <div class="search search-big">
          <${Icon} name="search" />
          <input class="input" type="search" name="q" defaultValue=${filters.q} onInput=${typed} aria-label=${t("nav.search")} placeholder=${t("nav.search")} />
        </div>
        <button type="button" class="button toggle" aria-pressed=${filters.live ? "true" : "false"} onClick=${() => change({ live: filters.live ? "" : "true" })}>
          <span class="dot" aria-hidden="true"></span>${t("directory.liveOnly")}
        </button>
        ${["category", "tag"].map(
          (name) => filters[name] && html`<button key=${name} type="button" class="button" onClick=${() => change({ [name]: "" })}>
            ${filters[name]} <${Icon} name="close" /><span class="visually-hidden">${t("directory.unfilter")}</span>
          </button>`,
        )}
      </form>
    </div>
    ${error ? html`<${Failed} error=${error} again=${again} />` : !data ? html`<${Loading} rows=${8} kind="cards" />` : html`<${Found} items=${[...data.items, ...extra]} filtered=${Boolean(query)} />`}
    ${next && html`<p class="more"><button class="button" onClick=${load}>${t("do.more")}</button></p>`}
  `;
}

function Found({ items, filtered }) {
  if (items.length === 0) return filtered ? html`<${Empty} icon="search" title=${t("directory.none")} text=${t("directory.noneText")} />` : html`<${First} />`;
  const now = Date.now();
  const sorted = [...items].sort(liveFirst);
  const groups = [
    ["directory.live", sorted.filter((each) => isLive(each.liveState))],
    ["directory.offline", sorted.filter((each) => !isLive(each.liveState))],
  ];
  return groups.map(
    ([key, channels]) => channels.length > 0 && html`<section key=${key} aria-labelledby=${key} class="directory-group">
      <h2 id=${key}>${t(key)}</h2>
      <ul class="cards">${channels.map((channel) => html`<${Card} key=${channel.id} channel=${channel} now=${now} />`)}</ul>
    </section>`,
  );
}

const First = () => html`<${Empty} icon="plus" title=${t("directory.empty")} text=${t("directory.emptyText")}>
  <a class="button button-main" href=${user.value ? "/studio#new" : "/signup?next=/studio%23new"}>${t("studio.make")}</a>
<//>`;
