/** Owns: the drawn signs, 24 units wide, in the text's colour. Each is decoration: its control has the name. */
import { html } from "./html.js";

const PATHS = {
  send: "M4 12 20 4l-4.5 16-4-6.5L4 12Zm7.5 1.5L20 4",
  more: "M5 11v2M12 11v2M19 11v2",
  reply: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6 6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm4.8-1.7L20 20",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  eye: "M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12Zm10 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6.5 9a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  plus: "M12 5v14M5 12h14",
  check: "M5 12.5 10 17.5 19 7",
  warn: "M12 4 2.5 20h19L12 4Zm0 6v4.5M12 17.2v.1",
  offline: "M3 3l18 18M8.5 16a5 5 0 0 1 7 0M5 12.5a10 10 0 0 1 5-2.7M14.5 9.9a10 10 0 0 1 4.5 2.6M2 8.9a15 15 0 0 1 5-3M10.5 5a15 15 0 0 1 11.5 3.9M12 19.6v.1",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-8 9a8 8 0 0 1 16 0",
  share: "M12 15V4M8 7.5 12 3.5l4 4M5 12v8h14v-8",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  mute: "M4 9v6h4l5 4V5L8 9H4Zm13 1 4 4M21 10l-4 4",
};

export const Icon = ({ name }) => html`<svg class=${`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
  <path d=${PATHS[name]} />
</svg>`;

/** Water over three steps: the mark of the product. */
export const Mark = () => html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
  <path class="mark-a" d="M3 4.5h11a3 3 0 0 1 3 3V9" />
  <path class="mark-b" d="M3 11.5h7a3 3 0 0 1 3 3V16" />
  <path class="mark-c" d="M3 18.5h3.5a2 2 0 0 1 2 2" />
</svg>`;
