// Node's `ws`: the loop over `clients` that its manual shows, with the frame's text made once.
// Speaks just enough of protocol version 1 to meet the same crowd; keeps no log and checks nothing.
import { WebSocketServer } from "ws";

const channel = "c_bench";
const user = { id: "g_1", name: "peer", displayName: "peer", kind: "guest", roles: ["guest"] };
const hello = JSON.stringify({
  t: "hello",
  d: { v: 1, server: "peer", pingMs: 25000, pongMs: 8000, authMs: 10000, limits: {} },
});
let head = 0;
const members = new Set();

function say(text) {
  head += 1;
  const pos = ["peer", head];
  const mid = `m_${head}`;
  const d = { mid, user, text, frags: [] };
  const event = JSON.stringify({ t: "msg.new", ch: channel, s: "room", pos, ts: Date.now(), d });
  for (const member of members) member.send(event);
  return { outcome: "published", mid, pos };
}

function answer(command, socket) {
  if (command.t === "room.join") {
    members.add(socket);
    return { ch: channel, pos: ["peer", head], recent: [] };
  }
  if (command.t === "msg.send") return say(command.d.text);
  return { session: "x_1", user, resumed: [] };
}

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.send(hello);
  socket.on("message", (data) => {
    const command = JSON.parse(data);
    if (command.t === "pong") return;
    socket.send(JSON.stringify({ re: command.id, ok: true, d: answer(command, socket) }));
  });
  socket.on("close", () => members.delete(socket));
  socket.on("error", () => members.delete(socket));
});
