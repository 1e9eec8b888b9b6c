// A bot for Cascade: answers "!hello", reconnects by itself and resumes, so that it misses nobody.
//
//     CASCADE_TOKEN=ct_… node bot.mjs ws://localhost:8080/ws @lobby       (without a token it comes as a guest)
//
// Nothing to install: Node 22 has a WebSocket client, Node 20 has one behind a flag, which this file sets itself.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const [url, channel] = process.argv.slice(2);
const token = process.env.CASCADE_TOKEN;
const who = token ? { token } : { guest: { name: "HelloBot" } };
let me = null; // my id
let at = null; // the last position read: an entry of `resume`
let pause = 100; // milliseconds before the next try

function connect() {
  const socket = new WebSocket(url, ["cascade.v1.json"]);
  const send = (frame) => socket.send(JSON.stringify(frame));
  let over = false;
  socket.onopen = () => send({ id: 1, t: "auth", d: { ...who, resume: at ? [at] : [] } });
  socket.onmessage = ({ data }) => {
    const { re, ok, err, t, ch, s, pos, d } = JSON.parse(data);
    if (ok === false) console.error(err.message);
    else if (re === 1) {
      [me, pause] = [d.user.id, 100];
      if (!at) send({ id: 2, t: "room.join", ch: channel });
    } else if (t === "ping") send({ t: "pong" });
    else if (re === 2 || t === "room.snapshot") at = { ch: d.ch, s: "room", pos: d.pos };
    else if (s === "room" && pos) {
      at.pos = pos;
      if (t === "msg.new" && d.text === "!hello" && d.user.id !== me) {
        const answer = { text: `Hello, ${d.user.displayName}!`, idem: `hello-${d.mid}` };
        send({ id: 3 + pos[1], t: "msg.send", ch, d: answer });
      }
    } else if (t === "bye" && d.retry === "never") {
      console.error(d.reason);
      process.exit(1);
    }
  };
  const again = () => {
    if (over) return;
    over = true;
    setTimeout(connect, pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, 10_000);
  };
  socket.onclose = again; // A failed try ends in an error, in some versions without a close.
  socket.onerror = again;
}

if (globalThis.WebSocket) connect();
else {
  const flags = ["--experimental-websocket", fileURLToPath(import.meta.url), url, channel];
  const child = spawn(process.execPath, flags, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}
