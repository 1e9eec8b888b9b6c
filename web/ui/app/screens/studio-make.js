/** Owns: making a channel: one title is enough, the address follows it until it is typed by hand. */
import { useState } from "preact/hooks";
import { ask } from "../api.js";
import { t } from "../i18n.js";
import { Field, FormFault, Submit, useSubmit } from "../kit/forms.js";
import { html } from "../kit/html.js";

const slugOf = (title) =>
  title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 30)
    .replace(/^-+|-+$/g, "");

/** What people type between commas. */
export const tagsOf = (text) => [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];

export function ChannelMaker({ first, onMade }) {
  const [slug, setSlug] = useState("");
  const [touched, setTouched] = useState(false);
  const { busy, faults, submit } = useSubmit(async (values) => {
    const body = { title: values.title };
    if (values.slug) body.slug = values.slug;
    if (values.category) body.category = values.category;
    if (values.tags) body.tags = tagsOf(values.tags);
    onMade(await ask("POST", "/api/channels", body));
  });
  return html`<form class="panel" onSubmit=${submit}>
    <h2>${t(first ? "studio.firstTitle" : "studio.make")}</h2>
    ${first && html`<p class="dim">${t("studio.firstText")}</p>`}
    <${FormFault} faults=${faults} />
    <${Field} label=${t("channel.title")} name="title" fault=${faults.title} required maxlength="140"
      onInput=${(e) => !touched && setSlug(slugOf(e.currentTarget.value))} />
    <${Field} label=${t("channel.slug")} name="slug" hint=${t("channel.slugHint", { host: location.host, slug: slug || "…" })} fault=${faults.slug}
      value=${slug} pattern="[a-z0-9][a-z0-9_\\-]{1,38}[a-z0-9]" autocapitalize="none"
      onInput=${(e) => (setTouched(true), setSlug(e.currentTarget.value))} />
    <${Field} label=${t("channel.category")} name="category" fault=${faults.category} optional maxlength="50" />
    <${Field} label=${t("channel.tags")} name="tags" hint=${t("channel.tagsHint")} fault=${faults.tags} optional />
    <${Submit} busy=${busy}>${t("studio.make")}<//>
  </form>`;
}
