/**
 * Owns: one channel in the control center: the key that is shown once, what viewers read about it, and
 * who may write how often.
 */
import { useEffect, useState } from "preact/hooks";
import { ask, command } from "../api.js";
import { t } from "../i18n.js";
import { copy, toast } from "../kit/float.js";
import { Field, FormFault, Submit, Switch, useSubmit } from "../kit/forms.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { reason } from "../kit/states.js";
import { tagsOf } from "./studio-make.js";

const SLOW = [0, 3, 5, 10, 30, 60, 120, 300, 600];

export function ChannelEditor({ channel, secret, onChanged }) {
  return html`<div class="studio-channel">
    <header class="studio-head">
      <h2><bdi>${channel.title}</bdi></h2>
      <a class="button" href=${`/@${channel.slug}`}>${t("studio.open")}</a>
    </header>
    ${secret && html`<${StreamKey} secret=${secret} />`}
    <${Details} channel=${channel} onChanged=${onChanged} />
    <${ChatPolicy} channel=${channel} onChanged=${onChanged} />
  </div>`;
}

/** A key is here once; whoever has it can broadcast. */
function StreamKey({ secret }) {
  return html`<section class="panel panel-once" aria-labelledby="once">
    <h3 id="once">${t("key.title")}</h3>
    <p>${t("key.once")}</p>
    <${Copied} label=${t("key.key")} value=${secret.streamKey} />
    <ol class="steps">
      <li>${t("key.step1")}</li>
      <li>${t("key.step2")}</li>
      <li>${t("key.step3")}</li>
    </ol>
  </section>`;
}

const Copied = ({ label, value }) => html`<div class="copied">
  <${Field} label=${label} name="copied">
    ${(common) => html`<input class="input mono" readonly ...${common} value=${value} onFocus=${(e) => e.currentTarget.select()} />`}
  <//>
  <button class="button" onClick=${() => copy(value)}><${Icon} name="copy" /> ${t("do.copy")}</button>
</div>`;

function Details({ channel, onChanged }) {
  const { busy, faults, submit } = useSubmit(async ({ title, category, tags }) => {
    await ask("PATCH", `/api/channels/${channel.id}`, { title, category: category || null, tags: tagsOf(tags) });
    toast(t("do.saved"));
    onChanged();
  });
  return html`<form class="panel" onSubmit=${submit}>
    <h3>${t("studio.details")}</h3>
    <${FormFault} faults=${faults} />
    <${Field} label=${t("channel.title")} name="title" fault=${faults.title} defaultValue=${channel.title} required maxlength="140" />
    <${Field} label=${t("channel.category")} name="category" fault=${faults.category} defaultValue=${channel.category ?? ""} optional maxlength="50" />
    <${Field} label=${t("channel.tags")} name="tags" hint=${t("channel.tagsHint")} fault=${faults.tags} defaultValue=${(channel.tags ?? []).join(", ")} optional />
    <${Submit} busy=${busy}>${t("do.save")}<//>
  </form>`;
}

function ChatPolicy({ channel, onChanged }) {
  const [slow, setSlow] = useState(null);
  const [guests, setGuests] = useState(channel.policy?.guests ?? true);
  useEffect(() => {
    command("room.state", channel.id).then(
      ({ state }) => setSlow(state.modes?.slow?.value ?? 0),
      () => setSlow(0),
    );
  }, [channel.id]);
  const tell = (error) => toast(reason(error), "danger");
  const changeGuests = async (on) => {
    setGuests(on);
    try {
      await ask("PATCH", `/api/channels/${channel.id}`, { policy: { guests: on } });
      toast(t("do.saved"));
      onChanged();
    } catch (error) {
      setGuests(!on);
      tell(error);
    }
  };
  const changeSlow = async (event) => {
    const before = slow;
    const value = Number(event.currentTarget.value);
    setSlow(value);
    try {
      await command("mode.set", channel.id, { name: "slow", value });
      toast(t("do.saved"));
    } catch (error) {
      setSlow(before);
      tell(error);
    }
  };
  const choices = slow === null || SLOW.includes(slow) ? SLOW : [...SLOW, slow].sort((a, b) => a - b);
  return html`<section class="panel">
    <h3>${t("studio.chat")}</h3>
    <${Switch} label=${t("policy.guests")} hint=${t("policy.guestsHint")} checked=${guests} onChange=${changeGuests} />
    <${Field} label=${t("mode.slow")} name="slow" hint=${t("policy.slowHint")}>
      ${(common) => html`<select class="input" ...${common} disabled=${slow === null} value=${slow ?? 0} onChange=${changeSlow}>
        ${choices.map((value) => html`<option key=${value} value=${value} selected=${value === slow}>${value ? t("policy.seconds", { count: value }) : t("policy.off")}</option>`)}
      </select>`}
    <//>
  </section>`;
}
