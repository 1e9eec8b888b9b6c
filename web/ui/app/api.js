/**
 * Owns: asking the REST interface, with one shape of failure. Refuses to know: screens.
 * A cookie of this origin says who asks; nothing is ever sent to another host.
 */
import { Refusal } from "./link.js";

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the answer's JSON, or null for 204; rejects with a `Refusal`
 *   (`offline` when no answer came)
 */
export async function ask(method, path, body) {
  const answer = await reach(method, path, body);
  if (answer.status === 204) return null;
  const json = await answer.json().catch(() => null);
  if (answer.ok) return json;
  throw new Refusal(json?.error ?? { code: "internal", message: answer.statusText, retry: "after" });
}

async function reach(method, path, body) {
  try {
    return await fetch(path, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal({ code: "offline", retry: "after" });
  }
}

/** A socket command by the commands door. */
export const command = (t, ch, d = {}) => ask("POST", `/api/commands/${t}`, { ch, d });
