/**
 * Owns: what a screen reader hears of a fast chat: at most one polite sentence in two seconds; the choice
 * all / mentions / none. Pure but for the timer it is given.
 */

const EVERY_MS = 2000;
const SPELLED_OUT = 2;

/**
 * @param {{say:(text:string)=>void, words:(key:string, values?:object)=>string, now:()=>number,
 *   later:(work:()=>void, ms:number)=>void}} options
 */
export function announcer({ say, words, now, later }) {
  let waiting = [];
  let last = 0;
  let planned = false;

  const flush = () => {
    planned = false;
    if (waiting.length === 0) return;
    last = now();
    say(sentence(waiting.splice(0), words));
  };

  return function announce(messages) {
    if (messages.length === 0) return;
    waiting = [...waiting, ...messages].slice(-500);
    if (planned) return;
    planned = true;
    later(flush, Math.max(0, last + EVERY_MS - now()));
  };
}

function sentence(messages, words) {
  const spell = (each) => words("chat.said", { name: each.d.user?.displayName ?? "", text: each.d.text ?? "" });
  if (messages.length <= SPELLED_OUT) return messages.map(spell).join(" ");
  return `${words("chat.newMessages", { count: messages.length })} ${spell(messages.at(-1))}`;
}
