/**
 * Owns: the place where one writes: a draft kept over reloads, the reply's preview, @-completion, length,
 * slow mode's countdown on the send button.
 * Refuses to know: how a message travels.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { LIMITS } from "cascade/constants";
import { codePoints } from "../frags.js";
import { duration, t } from "../i18n.js";
import { html } from "../kit/html.js";
import { Icon } from "../kit/icons.js";
import { complete, matching, mentionAt } from "./completion.js";
import { useCountdown } from "./pending.js";

const COUNT_FROM = 400;
const MAX_HEIGHT = 140;

export function Composer({ controller, draft, reply, onReply, offline }) {
  const { ch, nextSendAt, info } = controller.part;
  const input = useRef(null);
  const [lastSaid, setLastSaid] = useState("");
  const text = useDraft(`draft.${ch.value}`);
  const people = usePeople(controller, input, text);
  const wait = useCountdown(nextSendAt.value);
  const length = codePoints(text.value.trim());
  const blocked = wait > 0 || length === 0 || length > LIMITS.text;
  useFocus(input, { controller, draft, reply, text });
  useHeight(input, text.value);

  const send = (event) => {
    event?.preventDefault();
    if (blocked) return;
    const said = text.value.trim();
    controller.say(said, reply);
    setLastSaid(said);
    onReply(null);
    text.write("");
    input.current.focus();
  };
  const keys = (event) => {
    if (event.isComposing || people.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) send(event);
    else if (event.key === "ArrowUp" && text.value === "" && lastSaid) text.write(lastSaid);
    else if (event.key === "Escape" && reply) onReply(null);
    else if (event.key === "Escape") input.current.blur();
    else return;
    event.preventDefault();
  };
  const typed = ({ currentTarget: area }) => text.write(area.value.replace(/[\r\n]+/g, " "), area.selectionStart);

  return html`<form class="composer" onSubmit=${send}>
    <${People} people=${people} />
    ${reply && html`<${Replying} reply=${reply} onReply=${onReply} />`}
    <div class="composer-row">
      <textarea ref=${input} class="input" rows="1" value=${text.value} id="say" enterkeyhint="send" autocomplete="off"
        aria-label=${t("chat.say")} placeholder=${offline ? t("chat.sayOffline") : t("chat.say")} dir="auto"
        aria-describedby="say-note" ...${people.aria} onInput=${typed} onKeyDown=${keys}
        onSelect=${(e) => text.moveTo(e.currentTarget.selectionStart)}></textarea>
      <button class="button button-main send" type="submit" aria-disabled=${blocked ? "true" : undefined}
        aria-label=${wait > 0 ? t("chat.slowLeft", { time: duration(wait) }) : t("do.send")}>
        ${wait > 0 ? html`<span class="send-wait">${duration(wait)}</span>` : html`<${Icon} name="send" />`}
      </button>
    </div>
    <p class="composer-note" id="say-note">${noteOf(length, wait, info.value?.modes?.slow?.value)}</p>
  </form>`;
}

const Replying = ({ reply, onReply }) => html`<div class="replying">
  <${Icon} name="reply" />
  <span class="replying-text"><bdi>${reply.user?.displayName ?? t("chat.someone")}</bdi> <span dir="auto">${reply.text}</span></span>
  <button type="button" class="icon-button" aria-label=${t("chat.noReply")} onClick=${() => onReply(null)}><${Icon} name="close" /></button>
</div>`;

const People = ({ people }) =>
  people.found.length > 0 && html`<ul class="people" role="listbox" id="people" aria-label=${t("chat.people")}>
    ${people.found.map(
      (user, i) => html`<li key=${user.id} id=${`people-${i}`} role="option" aria-selected=${i === people.choice ? "true" : "false"}
        onMouseDown=${(e) => (e.preventDefault(), people.take(user))}>
        <bdi>${user.displayName}</bdi> ${user.name !== user.displayName && html`<span class="dim">@${user.name}</span>`}
      </li>`,
    )}
  </ul>`;

function noteOf(length, wait, slow) {
  if (length > LIMITS.text) return html`<span class="fault">${t("chat.tooLong", { have: length, max: LIMITS.text })}</span>`;
  if (wait > 0) return t("chat.slowLeft", { time: duration(wait) });
  if (length >= COUNT_FROM) return t("chat.length", { have: length, max: LIMITS.text });
  return slow ? t("chat.slowOn", { time: duration(slow * 1000) }) : "";
}

/** What is being typed, and where the caret is; kept for this tab, so that a reload loses nothing. */
function useDraft(key) {
  const [value, setValue] = useState(() => stored(() => sessionStorage.getItem(key)) ?? "");
  const [caret, moveTo] = useState(0);
  const write = (text, at = text.length) => {
    setValue(text);
    moveTo(at);
    stored(() => sessionStorage.setItem(key, text));
  };
  return { value, caret, write, moveTo };
}

/** Without storage a draft lives as long as the page. */
function stored(work) {
  try {
    return work();
  } catch {
    return null;
  }
}

/** Whom an "@" at the caret may mean, and the keys that choose among them. */
function usePeople(controller, input, text) {
  const [choice, setChoice] = useState(0);
  const [hushed, setHushed] = useState(null);
  const at = mentionAt(text.value, text.caret);
  const { people, me } = controller.state.peek();
  const found = at && hushed !== text.value ? matching(people, at.query, me?.id) : [];
  const chosen = Math.min(choice, Math.max(0, found.length - 1));
  const take = (user) => {
    const done = complete(text.value, text.caret, at.start, user.name);
    text.write(done.text, done.caret);
    setChoice(0);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(done.caret, done.caret);
    });
  };
  const key = (event) => {
    if (found.length === 0) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // A name that is typed in full needs no choosing: Enter sends.
    if (event.key === "Enter" && found[chosen].name.toLowerCase() === at.query.toLowerCase()) return false;
    if (step) setChoice((chosen + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") take(found[chosen]);
    else if (event.key === "Escape") setHushed(text.value);
    else return false;
    event.preventDefault();
    return true;
  };
  const open = found.length > 0;
  const aria = open && { role: "combobox", "aria-expanded": "true", "aria-controls": "people", "aria-activedescendant": `people-${chosen}` };
  return { found, choice: chosen, take, key, aria: aria || {} };
}

/** The focus comes here when one has just taken a name, answers somebody, or edits what was refused. */
function useFocus(input, { controller, draft, reply, text }) {
  useEffect(() => {
    if (controller.joinedHere) input.current.focus();
  }, []);
  useEffect(() => {
    if (!draft) return;
    text.write(draft.text);
    input.current.focus();
  }, [draft]);
  useEffect(() => {
    if (reply) input.current.focus();
  }, [reply]);
}

/** As high as its text, up to a few lines. */
function useHeight(input, text) {
  useLayoutEffect(() => {
    const area = input.current;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, MAX_HEIGHT)}px`;
  }, [text]);
}
