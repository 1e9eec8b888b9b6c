/**
 * Owns: form fields whose label, hint and fault are tied together for every reader, and the run of one
 * submit (busy, fault at its field, focus there). Refuses to know: what is submitted.
 */
import { useRef, useState } from "preact/hooks";
import { t } from "../i18n.js";
import { html } from "./html.js";
import { reason } from "./states.js";

let ids = 0;
const useId = (name) => useRef(`${name}-${++ids}`).current;

export function Field({ label, name, hint, fault, children, optional, ...input }) {
  const id = useId(name);
  const notes = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ") || undefined;
  const common = { id, name, "aria-describedby": notes, "aria-invalid": fault ? "true" : undefined };
  return html`<div class="field">
    <label for=${id}>${label} ${optional && html`<span class="dim">(${t("form.optional")})</span>`}</label>
    ${children ? children(common) : html`<input class="input" ...${common} ...${input} />`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${fault && html`<p class="fault" id=${`${id}-fault`}>${fault}</p>`}
  </div>`;
}

export function Switch({ label, hint, checked, onChange, disabled }) {
  const id = useId("switch");
  return html`<div class="switch">
    <input id=${id} type="checkbox" role="switch" checked=${checked} disabled=${disabled}
      aria-describedby=${hint ? `${id}-hint` : undefined} onChange=${(e) => onChange(e.currentTarget.checked)} />
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
  </div>`;
}

/** @returns the values of a form by name, text trimmed (passwords as they are) */
export function valuesOf(form) {
  const values = {};
  for (const [name, value] of new FormData(form)) values[name] = name.includes("assword") ? value : value.trim();
  return values;
}

/**
 * Runs a submit. `faults` maps field name to words; a fault without a field is in `faults[""]`.
 * @param {(values: Record<string, string>, form: HTMLFormElement) => Promise<void>} work
 */
export function useSubmit(work) {
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState({});
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (busy) return;
    setBusy(true);
    setFaults({});
    try {
      await work(valuesOf(form), form);
    } catch (error) {
      const field = fieldOf(error, form);
      setFaults({ [field]: reason(error) });
      if (field) form.elements[field].focus();
    } finally {
      setBusy(false);
    }
  };
  return { busy, faults, submit };
}

/** A refusal names its field as the wire does (`d.title`, `title`). */
function fieldOf(error, form) {
  const name = String(error.field ?? "").replace(/^d\./, "");
  return name && form.elements[name] ? name : "";
}

export const FormFault = ({ faults }) =>
  html`<div role="alert" class="form-fault">${faults[""] && html`<p class="notice notice-danger">${faults[""]}</p>`}</div>`;

export const Submit = ({ busy, children }) =>
  html`<button class="button button-main" type="submit" aria-disabled=${busy ? "true" : undefined}>
    ${busy ? t("state.working") : children}
  </button>`;
