/**
 * Owns: `/studio`, the simple control center: my channels, make one (its stream key shown once), edit one.
 * The channel in hand is in the fragment, so that it can be reloaded and gone back from.
 */
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api.js";
import { t } from "../i18n.js";
import { LiveMark } from "../kit/channel.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { useLoad } from "../kit/load.js";
import { Empty, Failed, Loading } from "../kit/states.js";
import { user } from "../session.js";
import { ChannelEditor } from "./studio-edit.js";
import { ChannelMaker } from "./studio-make.js";
import { SignInFirst } from "./account.js";

const useFragment = () => {
  const [fragment, setFragment] = useState(location.hash.slice(1));
  useEffect(() => {
    const changed = () => setFragment(location.hash.slice(1));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return fragment;
};

export function Screen() {
  if (user.value === undefined) return html`<h1>${t("studio.title")}</h1><${Loading} rows=${4} />`;
  if (user.value === null) return html`<h1>${t("studio.title")}</h1><${SignInFirst} />`;
  return html`<${Studio} me=${user.value} />`;
}

function Studio({ me }) {
  const fragment = useFragment();
  const { data, error, again } = useLoad(() => ask("GET", `/api/channels?ownerId=${me.id}`), [me.id]);
  const [fresh, setFresh] = useState(null);
  const made = (channel) => {
    setFresh(channel);
    again();
    location.hash = channel.slug;
  };
  const mine = data?.items ?? [];
  const chosen = mine.find((each) => each.slug === fragment);
  const making = fragment === "new" || (data && mine.length === 0);
  return html`<div class=${chosen || (making && mine.length > 0) ? "studio studio-chosen" : "studio"}>
    <aside class="studio-side">
      <a class="button button-quiet studio-back" href="#"><${Icon} name="back" /> ${t("studio.mine")}</a>
      <h1>${t("studio.title")}</h1>
      <nav aria-label=${t("studio.mine")}>
        <ul class="rows">
          ${mine.map((each) => html`<li key=${each.id}><${Entry} channel=${each} current=${each === chosen} /></li>`)}
        </ul>
      </nav>
      ${!making && html`<a class="button" href="#new"><${Icon} name="plus" /> ${t("studio.make")}</a>`}
    </aside>
    <div class="studio-main">
      ${error
        ? html`<${Failed} error=${error} again=${again} />`
        : !data && !chosen
          ? html`<${Loading} rows=${5} />`
          : making
            ? html`<${ChannelMaker} me=${me} first=${mine.length === 0} onMade=${made} />`
            : chosen
              ? html`<${ChannelEditor} key=${chosen.id} channel=${chosen} secret=${fresh?.id === chosen.id ? fresh : null} onChanged=${again} />`
              : html`<${Empty} title=${t("studio.choose")} text=${t("studio.chooseText")} />`}
    </div>
  </div>`;
}

const Entry = ({ channel, current }) => html`<a class="studio-entry" href=${`#${channel.slug}`} aria-current=${current ? "page" : undefined}>
  <span class="studio-entry-title"><bdi>${channel.title}</bdi></span>
  <span class="dim">@${channel.slug}</span>
  <${LiveMark} state=${channel.liveState} />
</a>`;
