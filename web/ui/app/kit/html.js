/** Owns: the one place where the view library is bound to a template tag. No markup string reaches the DOM. */
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
