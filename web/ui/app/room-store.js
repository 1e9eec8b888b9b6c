/**
 * Owns: what a room looks like to one person, as a fold over what the client hears: events in, state out.
 * Pure: no clock, no DOM, no socket; a state is never changed in place.
 * Refuses to know: how anything is drawn. (PROTOCOL.md 3, 5, 6)
 */
import { bound, bury, merge, messageRow, noteRow, restore } from "./messages.js";

/** Rows kept while the newest are followed, and while somebody reads further up. */
export const KEEP_FOLLOWING = 400;
export const KEEP_READING = 3000;
const MAX_PEOPLE = 300;

export const emptyRoom = () => ({
  phase: "joining",
  error: null,
  stale: false,
  ch: null,
  slug: null,
  pos: null,
  rows: [],
  olderLeft: true,
  gap: false,
  arrived: 0,
  info: null,
  you: null,
  me: null,
  nextSendAt: null,
  pending: [],
  people: new Map(),
  rereads: [],
  askState: false,
});

/**
 * @param {ReturnType<typeof emptyRoom>} state
 * @param {{type:string} & Record<string, any>} action
 */
export function reduce(state, action) {
  const handler = ACTIONS[action.type];
  return handler ? handler(state, action) : state;
}

const ACTIONS = {
  identity: (state, { user }) => ({ ...state, me: user }),
  stale: (state) => ({ ...state, stale: true }),
  refused: (state, { error }) => ({ ...state, phase: "refused", error }),
  closed: (state) => ({ ...state, phase: "gone", olderLeft: false, you: { ...state.you, caps: [] } }),
  snapshot: onSnapshot,
  resumed: (state, { state: info, you }) => withRoom({ ...state, stale: false }, info, you),
  events: onEvents,
  older: (state, { events, more }) => ({
    ...state,
    rows: merge(events.filter((event) => event.t === "msg.new").map(messageRow), state.rows),
    olderLeft: more,
  }),
  reread: (state, { events }) => ({
    ...state,
    rows: merge(state.rows, events.filter((event) => event.t === "msg.new").map(messageRow)),
    rereads: [],
  }),
  rereadsTaken: (state) => ({ ...state, rereads: [] }),
  stateAsked: (state) => ({ ...state, askState: false }),
  bound: onBound,
  jumped: (state) => (state.gap ? { ...state, rows: state.rows.slice(-200), olderLeft: true, gap: false } : state),
  pending: (state, { item }) => ({ ...state, pending: [...state.pending, { phase: "pending", ...item }] }),
  settled: onSettled,
  failed: (state, { idem, error, until }) => onFailed(state, idem, error, until),
  dropped: (state, { idem }) => ({ ...state, pending: state.pending.filter((item) => item.idem !== idem) }),
  personal: onPersonal,
};

function withRoom(state, info, you) {
  return { ...state, info: info ?? state.info, you: you ?? state.you, nextSendAt: you?.nextSendAt ?? null };
}

/** A whole picture. What is already shown stays only if nothing was missed in between. */
function onSnapshot(state, { d }) {
  const missedNothing = state.pos !== null && state.pos[0] === d.pos[0] && state.pos[1] === d.pos[1];
  const recent = d.recent.filter((event) => event.t === "msg.new").map(messageRow);
  const next = {
    ...state,
    phase: "ready",
    error: null,
    stale: false,
    ch: d.ch,
    slug: d.slug,
    pos: d.pos,
    rows: missedNothing ? merge(state.rows, recent) : recent,
    olderLeft: missedNothing ? state.olderLeft : d.pos[1] > 0,
    gap: missedNothing && state.gap,
    people: remember(state.people, recent),
    // What was published before this picture is in it, or was removed since.
    pending: matchPending(state, recent).pending.filter((item) => item.phase !== "sent"),
  };
  return withRoom(next, d.state, d.you);
}

function onEvents(state, { events }) {
  let next = state;
  const fresh = [];
  const flush = () => {
    if (fresh.length === 0) return;
    const rows = fresh.splice(0);
    next = matchPending({ ...next, rows: merge(next.rows, rows), people: remember(next.people, rows) }, rows);
    next = { ...next, arrived: next.arrived + rows.length };
  };
  for (const event of events) {
    if (event.pos) next = { ...next, pos: event.pos };
    if (event.t === "msg.new") {
      fresh.push(messageRow(event));
      continue;
    }
    const handler = EVENTS[event.t];
    if (!handler) continue;
    flush();
    next = handler(next, event);
  }
  flush();
  return next;
}

const EVENTS = {
  "msg.gone": (state, { d }) => ({ ...state, rows: bury(state.rows, d) }),
  "msg.back": onBack,
  "room.cleared": (state, event) => ({
    ...state,
    rows: [...state.rows.filter((row) => row.n >= event.d.before), noteRow(event, "cleared")],
    olderLeft: false,
  }),
  "room.mode": onMode,
  "role.changed": (state, { d }) => (idOf(d.user) === state.me?.id ? { ...state, askState: true } : state),
  "user.sanctioned": (state, { d }) =>
    idOf(d.user) === state.me?.id ? withYou(state, { sanction: { kind: d.kind, until: d.until } }) : state,
  "user.unsanctioned": (state, { d }) => (idOf(d.user) === state.me?.id ? withYou(state, { sanction: null }) : state),
  "presence.count": (state, { d }) => withInfo(state, { counts: d }),
  "presence.delta": (state, { d }) => ({ ...state, people: rememberUsers(state.people, d.in ?? []) }),
  "stream.state": (state, { d }) => withInfo(state, { stream: d, title: d.title ?? state.info?.title }),
};

const idOf = (user) => (typeof user === "string" ? user : user?.id);
const withInfo = (state, change) => ({ ...state, info: { ...state.info, ...change } });
const withYou = (state, change) => ({ ...state, you: { ...state.you, ...change } });

function onBack(state, { d }) {
  if (d.messages) return { ...state, rows: restore(state.rows, d.messages) };
  const oldest = state.rows[0]?.n ?? d.to;
  return { ...state, rereads: [...state.rereads, { from: Math.max(d.from, oldest), to: d.to }] };
}

function onMode(state, event) {
  const { name, value, until } = event.d;
  const modes = { ...state.info?.modes, [name]: { value, until } };
  const next = withInfo(state, { modes });
  return { ...next, rows: [...next.rows, noteRow(event, "mode")], nextSendAt: name === "slow" ? null : next.nextSendAt };
}

/** Keeps the newest rows; `holdN` is the last row that somebody is looking at while reading further up. */
function onBound(state, { holdN }) {
  const max = holdN === null ? KEEP_FOLLOWING : KEEP_READING;
  const { rows, trimmedTop, gap } = bound(state.rows, { max, holdN });
  if (rows === state.rows) return state;
  return { ...state, rows, olderLeft: state.olderLeft || trimmedTop, gap: state.gap || gap };
}

// -- people: whom one may want to mention ------------------------------------------------------------

const remember = (people, rows) => rememberUsers(people, rows.map((row) => row.user));

function rememberUsers(people, users) {
  const next = new Map(people);
  for (const user of users) {
    if (!user) continue;
    next.delete(user.id);
    next.set(user.id, user);
  }
  for (const id of next.keys()) {
    if (next.size <= MAX_PEOPLE) break;
    next.delete(id);
  }
  return next;
}

// -- one's own messages on their way out -------------------------------------------------------------

/**
 * An own message seen in the log takes the place of its pending line. Before the reply is here its id is
 * unknown; the sends of one connection are settled in order, so the oldest with the same text is the one.
 */
function matchPending(state, rows) {
  if (state.pending.length === 0) return state;
  let pending = state.pending;
  for (const row of rows) {
    if (row.user?.id !== state.me?.id) continue;
    const match =
      pending.find((item) => item.mid === row.mid) ??
      pending.find((item) => item.phase === "pending" && !item.seen && item.text === row.text);
    if (match) pending = pending.map((item) => (item === match ? { ...item, seen: row.mid } : item));
  }
  return { ...state, pending: pending.filter((item) => !(item.mid && item.seen === item.mid)) };
}

function onSettled(state, { idem, reply, nextSendAt }) {
  const timed = nextSendAt ? { ...state, nextSendAt } : state;
  const without = () => timed.pending.filter((item) => item.idem !== idem);
  if (reply.outcome === "command") return { ...timed, pending: without() };
  if (reply.outcome !== "held" && timed.rows.some((row) => row.mid === reply.mid)) return { ...timed, pending: without() };
  const change =
    reply.outcome === "held"
      ? { phase: "held", mid: reply.mid, expiresAt: reply.expiresAt }
      : { phase: "sent", mid: reply.mid, seen: null };
  return { ...timed, pending: timed.pending.map((item) => (item.idem === idem ? { ...item, ...change } : item)) };
}

function onFailed(state, idem, error, until) {
  const pending = state.pending.map((item) => (item.idem === idem ? { ...item, phase: "refused", error, until } : item));
  return { ...state, pending, nextSendAt: error.d?.nextSendAt ?? state.nextSendAt };
}

/** The stream `me`: only what concerns this room. */
function onPersonal(state, { event }) {
  if (event.d?.ch !== state.ch) return state;
  if (event.t === "hold.resolved") {
    const keep = (item) => item.mid !== event.d.mid || event.d.outcome !== "allowed";
    const denied = (item) => (item.mid === event.d.mid ? { ...item, phase: "refused", error: { code: "denied", d: {} } } : item);
    return { ...state, pending: state.pending.filter(keep).map(denied) };
  }
  if (event.t === "role.changed" || event.t.startsWith("sanction.")) return { ...state, askState: true };
  return state;
}
