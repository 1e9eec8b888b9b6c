/**
 * Owns: the place where one writes: draft kept over reloads, reply preview, @-completion, length, slow
 * mode's countdown on the send button, and becoming a guest in place.
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

const keep = (key, text) => {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Without storage a draft lives as long as the page.
  }
};
const kept = (key) => {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
};

export function Composer({ state, draft, reply, onReply, onSay, offline, focus, max = LIMITS.text }) {
  const input = useRef(null);
  const key = `draft.${state.ch}`;
  const [text, setText] = useState(() => kept(key));
  const [caret, setCaret] = useState(0);
  const [choice, setChoice] = useState(0);
  const [hushed, setHushed] = useState(false);
  const [lastSaid, setLastSaid] = useState("");
  const wait = useCountdown(state.nextSendAt);
  const at = hushed ? null : mentionAt(text, caret);
  const people = at ? matching(state.people, at.query, state.me?.id) : [];
  const length = codePoints(text.trim());

  const write = (value, where = value.length) => {
    setText(value);
    setCaret(where);
    setHushed(false);
    setChoice(0);
    keep(key, value);
  };
  // A refused message comes back to be edited.
  useEffect(() => {
    if (!draft) return;
    write(draft.text);
    input.current?.focus();
  }, [draft]);
  useEffect(() => {
    if (focus) input.current.focus();
  }, []);
  useEffect(() => {
    if (reply) input.current?.focus();
  }, [reply]);
  useLayoutEffect(() => {
    const area = input.current;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 140)}px`;
  }, [text]);

  const take = (user) => {
    const done = complete(text, caret, at.start, user.kind === "guest" ? user.name : user.name || user.displayName);
    write(done.text, done.caret);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(done.caret, done.caret);
    });
  };
  const send = (event) => {
    event?.preventDefault();
    const said = text.trim();
    if (!said || length > max || wait > 0) return;
    onSay(said, reply);
    setLastSaid(said);
    onReply(null);
    write("");
    input.current?.focus();
  };
  const keys = (event) => {
    if (event.isComposing) return;
    if (people.length > 0 && choosing(event)) return;
    if (event.key === "Enter" && !event.shiftKey) send(event);
    else if (event.key === "ArrowUp" && text === "" && lastSaid) write(lastSaid);
    else if (event.key === "Escape" && reply) onReply(null);
    else if (event.key === "Escape") input.current.blur();
    else return;
    event.preventDefault();
  };
  const choosing = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChoice((choice + step + people.length) % people.length);
    else if (event.key === "Enter" || event.key === "Tab") take(people[choice]);
    else if (event.key === "Escape") setHushed(true);
    else return false;
    event.preventDefault();
    return true;
  };
  const typed = (event) => write(event.currentTarget.value.replace(/[\r\n]+/g, " "), event.currentTarget.selectionStart);
  const open = people.length > 0;

  return html`<form class="composer" onSubmit=${send}>
    ${open && html`<ul class="people" role="listbox" id="people" aria-label=${t("chat.people")}>
      ${people.map(
        (user, i) => html`<li key=${user.id} id=${`people-${i}`} role="option" aria-selected=${i === choice ? "true" : "false"}
          onMouseDown=${(e) => (e.preventDefault(), take(user))}>
          <bdi>${user.displayName}</bdi> ${user.name !== user.displayName && html`<span class="dim">@${user.name}</span>`}
        </li>`,
      )}
    </ul>`}
    ${reply && html`<div class="replying">
      <${Icon} name="reply" />
      <span class="replying-text"><bdi>${reply.user?.displayName ?? t("chat.someone")}</bdi> <span dir="auto">${reply.text}</span></span>
      <button type="button" class="icon-button" aria-label=${t("chat.noReply")} onClick=${() => onReply(null)}><${Icon} name="close" /></button>
    </div>`}
    <div class="composer-row">
      <textarea ref=${input} class="input" rows="1" value=${text} id="say" enterkeyhint="send" autocomplete="off"
        aria-label=${t("chat.say")} placeholder=${offline ? t("chat.sayOffline") : t("chat.say")} dir="auto"
        role=${open ? "combobox" : undefined} aria-expanded=${open ? "true" : undefined} aria-controls=${open ? "people" : undefined}
        aria-activedescendant=${open ? `people-${choice}` : undefined} aria-describedby="say-note"
        onInput=${typed} onKeyDown=${keys} onSelect=${(e) => setCaret(e.currentTarget.selectionStart)}></textarea>
      <button class="button button-main send" type="submit" aria-label=${wait > 0 ? t("chat.slowLeft", { time: duration(wait) }) : t("do.send")}
        aria-disabled=${wait > 0 || length === 0 || length > max ? "true" : undefined}>
        ${wait > 0 ? html`<span class="send-wait">${duration(wait)}</span>` : html`<${Icon} name="send" />`}
      </button>
    </div>
    <p class="composer-note" id="say-note">${noteOf({ length, max, wait, state })}</p>
  </form>`;
}

function noteOf({ length, max, wait, state }) {
  if (length > max) return html`<span class="fault">${t("chat.tooLong", { have: length, max })}</span>`;
  if (wait > 0) return t("chat.slowLeft", { time: duration(wait) });
  if (length >= COUNT_FROM) return t("chat.length", { have: length, max });
  const slow = state.info?.modes?.slow?.value;
  return slow ? t("chat.slowOn", { time: duration(slow * 1000) }) : "";
}
