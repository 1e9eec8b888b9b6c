/** Owns: `/@slug`: the place for the video, what it is about, and the chat beside it. */
import { useEffect, useMemo } from "preact/hooks";
import { Chat, Counts } from "../chat/chat.js";
import { RoomController } from "../chat/controller.js";
import { ago, exactTime, t } from "../i18n.js";
import { isLive, LiveMark, Poster, Tags } from "../kit/channel.js";
import { copy } from "../kit/float.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { Empty } from "../kit/states.js";
import { Missing } from "./missing.js";

export function Screen({ slug }) {
  const controller = useMemo(() => new RoomController(`@${slug}`), [slug]);
  useEffect(() => controller.start(), [controller]);
  const { phase, error, ch, info } = controller.part;
  if (phase.value === "refused" && error.value.code === "not_found") return html`<${Missing} title=${t("watch.missing", { slug })} />`;
  return html`<div class="watch">
    <section class="stage" aria-label=${t("watch.video")}>
      ${phase.value === "gone" ? html`<${Gone} />` : html`<${Stage} ch=${ch.value} info=${info.value} slug=${slug} />`}
    </section>
    <${About} info=${info.value} slug=${slug} />
    <${Chat} controller=${controller} />
  </div>`;
}

function Stage({ ch, info, slug }) {
  const stream = info?.stream;
  const title = info?.title ?? slug;
  return html`<${Poster} id=${ch} title=${title}>
    ${stream && html`<div class="poster-words">
      <${LiveMark} state=${stream.state} />
      <p class="poster-title"><bdi>${title}</bdi></p>
      <p>${t(isLive(stream.state) ? "watch.liveNoVideo" : `watch.${stream.state === "connecting" ? "connecting" : "offline"}`)}</p>
    </div>`}
  <//>`;
}

/** The channel was deleted while one was there; what was said stays readable until one leaves. */
const Gone = () => html`<div class="stage-gone" role="alert">
  <${Empty} icon="warn" title=${t("watch.gone")} text=${t("watch.goneText")}>
    <a class="button button-main" href="/">${t("missing.home")}</a>
  <//>
</div>`;

function About({ info, slug }) {
  useEffect(() => {
    if (info?.title) document.title = `${info.title} · Cascade`;
  }, [info?.title]);
  if (!info) return html`<section class="about"><h1>@${slug}</h1></section>`;
  const { stream, owner } = info;
  return html`<section class="about">
    <div class="about-words">
      <h1><bdi>${info.title}</bdi></h1>
      <p class="about-line">
        <${LiveMark} state=${stream.state} />
        ${isLive(stream.state) && stream.since && html`<span class="dim" title=${exactTime(stream.since)}>${t("channel.since", { ago: ago(stream.since, Date.now()) })}</span>`}
        ${owner && html`<span><bdi>${owner.displayName}</bdi></span>`}
        ${info.category && html`<a href=${`/?category=${encodeURIComponent(info.category)}`}>${info.category}</a>`}
      </p>
      <${Tags} tags=${info.tags} />
    </div>
    <div class="about-side">
      <${Counts} counts=${info.counts} />
      <button class="button" onClick=${() => copy(location.href)}><${Icon} name="share" /> ${t("do.share")}</button>
    </div>
  </section>`;
}
