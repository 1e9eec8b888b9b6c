/**
 * Owns: how a channel looks in small: a card for the directory, a poster where no picture is.
 */
import { posterHueOf } from "../colour.js";
import { ago, exactTime, t } from "../i18n.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

export const isLive = (state) => state === "live" || state === "interrupted";

export function Poster({ id, title, picture, children }) {
  return html`<div class="poster" style=${{ "--hue": posterHueOf(id ?? "") }}>
    ${picture
      ? html`<img class="poster-picture" src=${picture} alt="" loading="lazy" />`
      : html`<span class="poster-sign" aria-hidden="true">${Array.from(title ?? "")[0] ?? ""}</span>`}
    ${children}
  </div>`;
}

export const LiveMark = ({ state }) =>
  isLive(state)
    ? html`<span class="live-mark">${t("channel.live")}</span>`
    : html`<span class="live-mark live-mark-off">${t("channel.offline")}</span>`;

export function Card({ channel, now }) {
  const { id, slug, title, category, tags, liveState, viewers, startedAt, scheduledAt, thumbnailUrl } = channel;
  const live = isLive(liveState);
  return html`<li class="card">
    <a href=${`/@${slug}`} class="card-link">
      <${Poster} id=${id} title=${title} picture=${thumbnailUrl}>
        <${LiveMark} state=${liveState} />
        ${live && html`<span class="card-viewers"><${Icon} name="eye" /> ${viewers ?? 0}<span class="visually-hidden"> ${t("channel.watching")}</span></span>`}
      <//>
      <h3 class="card-title"><bdi>${title}</bdi></h3>
    </a>
    <p class="card-line dim">@${slug}${category ? ` · ${category}` : ""}</p>
    ${live && startedAt && html`<p class="card-line dim" title=${exactTime(startedAt)}>${t("channel.since", { ago: ago(startedAt, now) })}</p>`}
    ${!live && scheduledAt && html`<p class="card-line dim" title=${exactTime(scheduledAt)}>${t("channel.starts", { ago: ago(scheduledAt, now) })}</p>`}
    <${Tags} tags=${tags} />
  </li>`;
}

export const Tags = ({ tags }) =>
  tags?.length > 0 && html`<ul class="tags" aria-label=${t("channel.tags")}>
    ${tags.map((tag) => html`<li key=${tag}><a class="tag" href=${`/?tag=${encodeURIComponent(tag)}`}>${tag}</a></li>`)}
  </ul>`;

/** Live first, the fuller room before the emptier, then by title. */
export const liveFirst = (a, b) =>
  Number(isLive(b.liveState)) - Number(isLive(a.liveState)) || (b.viewers ?? 0) - (a.viewers ?? 0) || a.title.localeCompare(b.title);
