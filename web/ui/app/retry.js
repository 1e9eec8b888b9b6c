/**
 * Owns: what a close code means for a client, and how long to wait before the next try.
 * Refuses to know: sockets, timers, the DOM. (PROTOCOL.md 4 and 14)
 */

/** Closes of the WebSocket protocol itself after which the same bytes would only fail again. */
const FATAL_TRANSPORT = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

/**
 * @param {number} code close code seen by the socket
 * @param {{close:number,retry?:string,afterMs?:number,reason?:string,code?:string|null}|null} bye the server's last word
 * @param {Record<string, {retry:string, reason:string}>} [closes] the protocol's table, generated from its one source
 * @returns {{reconnect:boolean, afterMs:number, close:number, reason:string|null}}
 */
export function afterClose(code, bye, closes = {}) {
  const close = bye?.close ?? code;
  const retry = bye?.retry ?? closes[close]?.retry;
  const reconnect = retry ? retry === "reconnect" : mayReconnect(close);
  return { reconnect, afterMs: bye?.afterMs ?? 0, close, reason: bye?.reason ?? closes[close]?.reason ?? null };
}

/** Numbers that the table does not know yet follow their range. */
function mayReconnect(close) {
  if (close >= 4000 && close <= 4499) return true;
  if (close >= 4500 && close <= 4999) return false;
  return !FATAL_TRANSPORT.has(close);
}

/**
 * Full jitter: a crowd that lost its server together must not come back together.
 * @param {number} attempt 0 for the first try after a loss
 * @param {number} random in [0, 1)
 * @param {{baseMs?:number, capMs?:number, floorMs?:number}} [options] `floorMs` is what the server asked for
 * @returns {number} milliseconds
 */
export function backoff(attempt, random, { baseMs = 500, capMs = 20_000, floorMs = 0 } = {}) {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 16));
  return Math.round(floorMs + random * ceiling);
}
