/**
 * Owns: cutting a message's text into plain parts, mentions and links. Offsets count code points; what
 * does not fit the text is shown as plain text. Refuses to know: elements. (PROTOCOL.md 0 and 6)
 */

/** The only schemes that may become a link. */
const SAFE = new Set(["http:", "https:"]);

/** @returns {string|null} the address if it may be followed */
export function safeHref(href) {
  try {
    const url = new URL(href);
    return SAFE.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} text
 * @param {{k:string,start:number,end:number,user?:string,href?:string}[]} frags ordered, not overlapping
 * @returns {{k:"text"|"mention"|"link", text:string, user?:string, href?:string}[]}
 */
export function parts(text, frags) {
  if (frags.length === 0) return text ? [{ k: "text", text }] : [];
  const points = Array.from(text);
  const out = [];
  let at = 0;
  const plain = (to) => {
    if (to > at) out.push({ k: "text", text: points.slice(at, to).join("") });
  };
  for (const frag of frags) {
    if (!(frag.start >= at && frag.end > frag.start && frag.end <= points.length)) continue;
    const part = special(frag, points.slice(frag.start, frag.end).join(""));
    if (!part) continue;
    plain(frag.start);
    out.push(part);
    at = frag.end;
  }
  plain(points.length);
  return out;
}

function special(frag, text) {
  if (frag.k === "mention") return { k: "mention", text, user: frag.user };
  if (frag.k !== "link") return null;
  const href = safeHref(frag.href);
  return href ? { k: "link", text, href } : null;
}

/** Length as the protocol counts it. */
export const codePoints = (text) => Array.from(text).length;
