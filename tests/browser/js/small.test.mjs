// The small pure parts: fragments, colours, completion, announcements, backoff, plural forms.
import assert from "node:assert/strict";
import test from "node:test";
import { announcer } from "../../../web/ui/app/chat/announce.js";
import { complete, matching, mentionAt } from "../../../web/ui/app/chat/completion.js";
import { colourFor, contrast, parseColour } from "../../../web/ui/app/colour.js";
import { fold, handleOf, same, shared } from "../../../web/ui/app/chat/names.js";
import { parts, safeHref } from "../../../web/ui/app/frags.js";
import { speak, t } from "../../../web/ui/app/i18n.js";
import { pathWithin } from "../../../web/ui/app/next-path.js";
import { backoff } from "../../../web/ui/app/retry.js";

test("fragments count code points, not code units", () => {
  const cut = parts("👩‍👩‍👧 @bob x", [{ k: "mention", start: 6, end: 10, user: "u_9" }]);
  assert.deepEqual(cut.map((part) => part.text), ["👩‍👩‍👧 ", "@bob", " x"]);
});

test("fragments that do not fit are plain text", () => {
  for (const frag of [{ k: "link", start: 3, end: 99, href: "https://a.example" }, { k: "link", start: 2, end: 1, href: "https://a.example" }, { k: "other", start: 0, end: 1 }]) {
    assert.deepEqual(parts("hello", [frag]), [{ k: "text", text: "hello" }]);
  }
});

test("only http and https become a link", () => {
  assert.equal(safeHref("https://a.example/x"), "https://a.example/x");
  for (const bad of ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//a.example", "", null]) assert.equal(safeHref(bad), null);
});

test("every user's colour can be read on every background of its theme", () => {
  for (const theme of [["#ffffff", "#f4f7f8", "#dff1f3"], ["#11181c", "#172026", "#10333a"], ["#000000", "#0a0a0a", "#002f35"]]) {
    const backgrounds = theme.map(parseColour);
    for (let i = 0; i < 500; i++) {
      const colour = parseColour(colourFor(`u_${i}`, backgrounds));
      for (const each of backgrounds) assert.ok(contrast(colour, each) >= 4.5);
    }
  }
});

test("alike ids have unlike colours", () => {
  const white = [parseColour("#ffffff")];
  assert.ok(new Set(Array.from({ length: 40 }, (_, i) => colourFor(`u_${i}`, white))).size > 30);
});

test("an @ at the caret is completed, an address is not", () => {
  assert.deepEqual(mentionAt("hi @an", 6), { start: 3, query: "an" });
  assert.equal(mentionAt("ann@exa", 7), null);
  assert.deepEqual(complete("hi @an there", 6, 3, "ann"), { text: "hi @ann there", caret: 8 });
});

test("who spoke last is offered first, oneself never", () => {
  const people = new Map([["u_1", { id: "u_1", name: "anna" }], ["u_2", { id: "u_2", name: "ann" }], ["u_3", { id: "u_3", name: "bob" }]]);
  assert.deepEqual(matching(people, "an", "u_1").map((user) => user.id), ["u_2"]);
});

test("a fast chat is announced at most once in two seconds, in few words", () => {
  const heard = [];
  const timers = [];
  let now = 10_000;
  const announce = announcer({ say: (text) => heard.push(text), words: (key, v) => `${key}:${v.count ?? v.name}`, now: () => now, later: (work, ms) => timers.push({ work, at: now + ms }) });
  const message = { d: { user: { displayName: "Bob" }, text: "hi" } };
  for (let tick = 0; tick < 400; tick++) {
    announce([message]);
    now += 10;
    for (const timer of timers.splice(0)) timer.at <= now ? timer.work() : timers.push(timer);
  }
  assert.ok(heard.length <= 3, `${heard.length}`);
  assert.match(heard[1], /chat.newMessages:\d+ chat.said:Bob/);
});

test("backoff is between the floor and a doubling ceiling", () => {
  assert.equal(backoff(0, 0, { floorMs: 700 }), 700);
  assert.equal(backoff(3, 1), 4000);
  assert.equal(backoff(40, 1), 20_000);
});

test("plural forms and values", () => {
  speak("en", { "x.one": "{count} thing", "x.other": "{count} things", y: "{name}!" });
  assert.equal(t("x", { count: 1 }), "1 thing");
  assert.equal(t("x", { count: 1200 }), "1,200 things");
  assert.equal(t("y", { name: "{count}" }), "{count}!");
});

test("one is sent on within this site only", () => {
  const here = "https://cascade.example";
  for (const path of ["/", "/@lobby", "/studio?x=1#lobby", "/a?next=//evil.example"]) assert.equal(pathWithin(path, here), path);
  const elsewhere = ["//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\n//evil.example", "\t//evil.example",
    "/.//evil.example", "/..//evil.example", "/x/..//evil.example", "https://evil.example/", "javascript:alert(1)", "evil.example", "https://cascade.example.evil.example/", "///", "/\u0085/x", "", null, undefined];
  for (const path of elsewhere) assert.equal(pathWithin(path, here), "/", JSON.stringify(path));
});

test("a display name that two people bear is told apart by the name that only one has", () => {
  const eve = { id: "u_1", name: "eve", displayName: "Eve" };
  const fake = { id: "u_2", name: "mallory", displayName: "E\u200bv e" };
  const bob = { id: "u_3", name: "bob", displayName: "Robert" };
  assert.deepEqual([eve, fake, bob, { id: "u_4" }].map(handleOf), [null, "@mallory", "@bob", null]);
  assert.equal(shared([eve, { ...eve, displayName: "EVE" }, bob, null]).size, 0);
  const found = shared([eve, fake, bob]);
  assert.ok(found.has(fold(fake.displayName)) && !found.has(fold(bob.displayName)));
  const asName = shared([{ id: "u_1", name: "eve", displayName: "Evelyn" }, fake]);
  assert.ok(asName.has("eve"));
  assert.ok(same(found, asName) && !same(found, new Set(["bob"])) && !same(found, new Set()));
});
