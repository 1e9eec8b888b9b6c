"""Owns the check of one server frame against protocol.md 2, and of positions against protocol.md 3.

Pure: it holds no socket and no clock.
"""

from typing import Any, cast

from tests.support.tables import CLOSES, CONTROL_POSITION, EPHEMERAL, check_error

JSON = dict[str, Any]
Stream = tuple[str | None, str]


def check_frame(frame: Any) -> None:
    """AssertionError unless `frame` is one reply or one event as protocol.md 2 shows them."""
    assert isinstance(frame, dict), f"a frame is an object: {frame!r}"
    if "re" in frame:
        check_reply(frame)  # pyright: ignore[reportUnknownArgumentType]  # any JSON may come
    else:
        check_event(frame)  # pyright: ignore[reportUnknownArgumentType]  # any JSON may come


def check_reply(frame: JSON) -> None:
    """`{"re","ok":true,"d"}` or `{"re","ok":false,"err"}`."""
    ok = frame.get("ok")
    assert set(frame) == ({"re", "ok", "d"} if ok is True else {"re", "ok", "err"}), f"reply: {frame}"
    assert frame["re"] is None or type(frame["re"]) is int, f"re is an id or null: {frame}"
    if ok:
        assert isinstance(frame["d"], dict), f"d is an object: {frame}"
    else:
        assert ok is False, f"ok is a boolean: {frame}"
        check_error(frame["err"])


def check_event(frame: JSON) -> None:
    """`{"t","ch"?,"s","pos","ts","d"}` if durable, `{"t","ch"?,"d"}` if not."""
    t = frame.get("t")
    assert isinstance(t, str), f"an event has a name: {frame}"
    assert isinstance(frame.get("d"), dict), f"d is an object: {frame}"
    assert "ch" not in frame or isinstance(frame["ch"], str), f"ch is a string: {frame}"
    if "pos" not in frame:
        assert t in EPHEMERAL, f"an event without pos is ephemeral: {frame}"
        if t in CONTROL_POSITION:
            check_position(frame["d"].get("pos"), frame)
        if t == "bye":
            check_bye(frame["d"])
        return
    assert t not in EPHEMERAL - {"notify"}, f"only durable events have pos at top level: {frame}"
    assert frame.get("s") in {"room", "mod", "me"}, f"a durable event names its stream: {frame}"
    assert ("ch" in frame) == (frame["s"] != "me"), f"ch is absent on me alone: {frame}"
    assert type(frame.get("ts")) is int, f"ts is Unix ms: {frame}"
    check_position(frame["pos"], frame)
    if t == "msg.new":
        check_message(frame)
    if t == "skip":
        assert 1 <= frame["d"]["from"] <= frame["pos"][1], f"skip is a run: {frame}"


def check_message(frame: JSON) -> None:
    """A `msg.new`: whole, or a tombstone without text, frags and reply.text (protocol.md 3)."""
    d = frame["d"]
    assert isinstance(d.get("mid"), str), f"mid: {frame}"
    assert "user" in d, f"user, null if erased: {frame}"
    if "gone" in d:
        assert not {"text", "frags"} & d.keys(), f"a tombstone has no text: {frame}"
        assert "text" not in (d.get("reply") or {}), f"a tombstone has no reply.text: {frame}"
        return
    assert isinstance(d.get("text"), str), f"text: {frame}"
    assert d["text"], f"a message is not empty: {frame}"
    end = 0
    for frag in d.get("frags", []):
        assert end <= frag["start"] < frag["end"] <= len(d["text"]), f"frags: ordered, apart, inside: {frame}"
        end = frag["end"]


def check_bye(d: JSON) -> None:
    """`bye` is a row of protocol.md 14 and says how to go on."""
    assert d.get("close") in CLOSES, f"bye with a close code outside the table: {d}"
    assert d.get("retry") == CLOSES[d["close"]], f"retry of {d['close']}: {d}"
    assert isinstance(d.get("reason"), str), f"bye has a reason: {d}"


def check_position(pos: Any, frame: JSON) -> None:
    """`[epoch, n]`."""
    assert isinstance(pos, list), f"a position is a list: {frame}"
    assert [type(part) for part in cast("list[object]", pos)] == [str, int], f"[epoch, n]: {frame}"
    assert cast("list[int]", pos)[1] >= 0, f"n counts from 1, 0 before the first: {frame}"


class Positions:
    """Where one connection stands in each stream; AssertionError on a hole, a double or a step back."""

    def __init__(self) -> None:
        self.at: dict[Stream, tuple[str, int]] = {}
        # Staff who resume a room alone get its mod stream too, from a position that nothing has told them.
        self._unannounced: set[Stream] = set()

    def note_event(self, frame: JSON) -> None:
        """Advance by a durable event, or set by a frame that reports a position."""
        stream: Stream = (frame.get("ch"), frame.get("s") or "room")
        if "pos" in frame:
            self._advance(stream, frame)
        elif frame["t"] == "room.snapshot":
            self._set_room(frame["d"], frame["ch"])
        elif frame["t"] == "stream.open":
            self._set(stream, frame["d"]["pos"])
        elif frame["t"] == "stream.closed":
            self.at.pop(stream, None)
            self._unannounced.discard(stream)
        elif frame["t"] == "resume.done":
            have = self.at.get(stream)
            assert have == tuple(frame["d"]["pos"]), f"resume ended at {frame}, events at {have}"

    def note_reply(self, command: JSON, d: JSON) -> None:
        """Take up what the reply to auth, room.join or room.leave says of positions."""
        if command["t"] == "auth":
            self._auth(command.get("d") or {}, d)
        elif command["t"] == "room.join":
            self._join(command.get("d") or {}, d)
        elif command["t"] == "room.leave":
            self.at.pop((command["ch"], "room"), None)
            self.at.pop((command["ch"], "mod"), None)

    def _auth(self, sent: JSON, d: JSON) -> None:
        if d.get("me"):
            self._set((None, "me"), d["me"]["pos"])
        asked = {(entry.get("ch"), entry["s"]): entry["pos"] for entry in sent.get("resume", [])}
        for entry in d.get("resumed", []):
            stream = (entry.get("ch"), entry["s"])
            assert stream in asked, f"an answer to no entry of resume: {entry}"
            if entry["ok"]:
                self._set(stream, asked[stream])
                self._unannounced.add((entry.get("ch"), "mod"))
        assert len(d.get("resumed", [])) == len(asked), f"each entry of resume is answered: {d}"

    def _join(self, sent: JSON, d: JSON) -> None:
        if d.get("resume", {}).get("ok"):
            self._set((d["ch"], "room"), sent["pos"])
            if d.get("modPos"):
                self._set((d["ch"], "mod"), d["modPos"])
        else:
            self._set_room(d, d["ch"])

    def _set_room(self, d: JSON, ch: str) -> None:
        self._set((ch, "room"), d["pos"])
        if d.get("modPos"):
            self._set((ch, "mod"), d["modPos"])

    def _set(self, stream: Stream, pos: Any) -> None:
        self.at[stream] = (pos[0], pos[1])

    def _advance(self, stream: Stream, frame: JSON) -> None:
        epoch, n = frame["pos"]
        first = frame["d"]["from"] if frame["t"] == "skip" else n
        have = self.at.get(stream)
        if have is None and stream in self._unannounced:
            have = (epoch, first - 1)
        assert have is not None, f"an event of a stream that is not open: {frame}"
        assert have == (epoch, first - 1), f"after {have} came {frame}"
        self.at[stream] = (epoch, n)
