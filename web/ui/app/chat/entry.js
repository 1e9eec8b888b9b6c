/**
 * Owns: what stands in the composer's place for somebody who may not write (yet): a guest's name or an
 * account, a sanction, a right that is missing. Each says what one would need.
 */
import { duration, exactTime, t } from "../i18n.js";
import { html } from "../kit/html.js";
import { Field, FormFault, Submit, useSubmit } from "../kit/forms.js";
import { guest } from "../prefs.js";
import { withNext } from "../session.js";

/** @returns an element, or null if the person may write */
export function entryFor({ me, you }, controller, now) {
  if (you?.sanction) return html`<${Sanction} sanction=${you.sanction} now=${now} />`;
  if (!me) return html`<${GuestEntry} controller=${controller} />`;
  if (you && !you.caps?.includes("msg.send")) return html`<${NoRight} me=${me} />`;
  return null;
}

function GuestEntry({ controller }) {
  const { busy, faults, submit } = useSubmit(async ({ name }) => {
    controller.joinedHere = true;
    await controller.becomeGuest(name);
  });
  return html`<form class="entry" onSubmit=${submit}>
    <${FormFault} faults=${faults} />
    <div class="entry-row">
      <${Field} label=${t("guest.name")} name="name" fault=${faults.name ?? faults["guest.name"]} required minlength="2" maxlength="25"
        autocomplete="nickname" defaultValue=${guest.value?.name ?? ""} />
      <${Submit} busy=${busy}>${t("guest.join")}<//>
    </div>
    <p class="hint">${t("guest.or")} <a href=${withNext("/login")}>${t("nav.login")}</a> · <a href=${withNext("/signup")}>${t("nav.signup")}</a></p>
  </form>`;
}

function Sanction({ sanction, now }) {
  const words =
    sanction.kind === "ban" && !sanction.until
      ? t("sanction.ban")
      : t(`sanction.${sanction.kind}Until`, { time: duration(sanction.until - now), exact: exactTime(sanction.until) });
  return html`<p class="entry notice notice-danger" role="status">${words} ${sanction.reason && t("sanction.reason", { reason: sanction.reason })}</p>`;
}

const NoRight = ({ me }) => html`<p class="entry notice" role="status">
  ${me.kind === "guest" ? t("guest.noGuests") : t("chat.noSend")}
  ${me.kind === "guest" && html` <a href=${withNext("/login")}>${t("nav.login")}</a>`}
</p>`;
