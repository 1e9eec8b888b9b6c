/**
 * Owns: a lasting colour for each user, moved until it can be read on the theme's background.
 * Pure. Refuses to know: elements and themes by name.
 */

/** Contrast that text needs (WCAG 2.2, 1.4.3), with a little to spare for a row's hover colour. */
export const MIN_CONTRAST = 4.6;
/** What the high-contrast theme asks for (1.4.6). */
export const HIGH_CONTRAST = 7.1;

/** FNV-1a, then mixed, because ids made one after another differ in few bits only. */
function hashOf(id) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The same id has the same hue on every machine. */
export const hueOf = (id) => hashOf(id) % 360;

/** Posters keep to water and dusk: from green over blue to violet. */
export const posterHueOf = (id) => 165 + (hashOf(id) % 150);

/** @returns {[number, number, number]} sRGB in 0..1 */
export function hslToRgb(h, s, l) {
  const a = s * Math.min(l, 1 - l);
  const channel = (n) => {
    const k = (n + h / 30) % 12;
    return l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [channel(0), channel(8), channel(4)];
}

export function luminance([r, g, b]) {
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

export function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

/** @returns {[number, number, number]} of "#rrggbb" or "rgb(r, g, b)" */
export function parseColour(text) {
  const hex = /^#([0-9a-f]{6})$/i.exec(text.trim());
  if (hex) return [0, 2, 4].map((at) => parseInt(hex[1].slice(at, at + 2), 16) / 255);
  const rgb = /(\d+(?:\.\d+)?)\D+(\d+(?:\.\d+)?)\D+(\d+(?:\.\d+)?)/.exec(text);
  return rgb ? [rgb[1], rgb[2], rgb[3]].map((part) => Number(part) / 255) : [0, 0, 0];
}

/**
 * The hue stays, the lightness moves away from the backgrounds until the contrast with each is enough.
 * @param {string} id user id
 * @param {[number, number, number][]} backgrounds sRGB in 0..1, all light or all dark
 * @param {number} [enough] the contrast to reach
 * @returns {string} "#rrggbb"
 */
export function colourFor(id, backgrounds, enough = MIN_CONTRAST) {
  const hue = hueOf(id);
  const step = luminance(backgrounds[0]) < 0.18 ? 0.02 : -0.02;
  let light = step > 0 ? 0.6 : 0.42;
  let rgb = hslToRgb(hue, 0.62, light);
  while (backgrounds.some((each) => contrast(rgb, each) < enough) && light > 0.02 && light < 0.98) {
    light += step;
    rgb = hslToRgb(hue, 0.62, light);
  }
  return `#${rgb.map((part) => Math.round(part * 255).toString(16).padStart(2, "0")).join("")}`;
}
