/**
 * Owns: what floats above a page: menus, dialogs and toasts; focus goes in, stays, and returns where it
 * came from. Refuses to know: what is in them.
 */
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** A modal dialog of the platform: it traps focus and gives it back by itself. */
export function Dialog({ title, onClose, children }) {
  const ref = useRef(null);
  useEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      opener?.focus?.();
    };
  }, []);
  const outside = (event) => event.target === ref.current && onClose();
  return html`<dialog ref=${ref} class="dialog" aria-label=${title} onCancel=${onClose} onClick=${outside}>
    <div class="dialog-box">
      <header class="dialog-head">
        <h2>${title}</h2>
        <button class="icon-button" aria-label=${t("do.close")} onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      ${children}
    </div>
  </dialog>`;
}

/**
 * A menu at a point or below its opener.
 * @param {{label:string, head?:any, at:{x:number,y:number}, onClose:()=>void,
 *   items:{label:string, icon?:string, danger?:boolean, run:()=>void}[]}} props
 */
export function Menu({ label, head, at, items, onClose }) {
  const ref = useRef(null);
  useLayoutEffect(() => {
    place(ref.current, at);
    const opener = document.activeElement;
    ref.current.querySelector("[role=menuitem]")?.focus();
    const outside = (event) => !ref.current?.contains(event.target) && onClose();
    document.addEventListener("pointerdown", outside, true);
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      if (!document.activeElement || document.activeElement === document.body) opener?.focus?.();
    };
  }, []);
  const choose = (item) => {
    onClose();
    item.run();
  };
  return html`<div ref=${ref} class="menu" role="menu" aria-label=${label} onKeyDown=${(e) => steer(e, ref.current, onClose)}>
    ${head && html`<p class="menu-head" aria-hidden="true">${head}</p>`}
    ${items.map(
      (item) => html`<button key=${item.label} role="menuitem" tabindex="-1" class=${item.danger ? "danger" : ""}
        onClick=${() => choose(item)}>
        ${item.icon && html`<${Icon} name=${item.icon} />`}<span>${item.label}</span>
      </button>`,
    )}
  </div>`;
}

function place(menu, { x, y }) {
  const { width, height } = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(x, innerWidth - width - 8));
  const top = y + height + 8 > innerHeight ? Math.max(8, y - height) : y;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

function steer(event, menu, onClose) {
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) items[(to + items.length) % items.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") onClose();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

const toasts = signal([]);
let toastId = 0;
const TOAST_MS = 5000;

export function toast(text, kind = "plain") {
  const id = ++toastId;
  toasts.value = [...toasts.value, { id, text, kind }];
  setTimeout(() => (toasts.value = toasts.value.filter((each) => each.id !== id)), TOAST_MS);
}

export const Toasts = () => html`<div class="toasts" role="status">
  ${toasts.value.map(({ id, text, kind }) => html`<p key=${id} class="toast toast-${kind}">${text}</p>`)}
</div>`;

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("do.copied"));
  } catch {
    toast(t("do.copyFailed"), "danger");
  }
}
