"""Owns the making of broken input: frames and bodies, mutated from valid ones or made of noise, from one seed.

Pure: a seeded generator in, text out. It refuses to send anything and to judge answers.
"""

import json
import random
from collections.abc import Callable
from typing import Any

JSON = dict[str, Any]

ODD_TEXT = (
    "", " ", "\x00", "a\nb", "\u202e\u2066abc", "e\u0301" * 40, "\U0001f469\u200d\U0001f4bb", "\ufdd0\uffff", "\u0000",
    "Z" + "\u0335" * 200, "ﷺ" * 50, "\U0010ffff", "/", "//", "/ban @x", "@", "@@@", "@\u200b", "x" * 501, "ß" * 500,
    "https://", "https://[::1", "%00", "'; drop table message;--", "../../etc/passwd", "{{7*7}}", "\ud7ff\ue000", "٣",
    "İ", "ǆ", "𝔞", "－１", "1e309", "NaN",
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 1.5, -0.0, 1e308)
ODD_RAW = (
    "NaN", "Infinity", "-Infinity", "1e400", "9" * 400, "-", "01", "+1", ".5", "1.", '"\\ud800"', '"\\udfff\\ud800"',
    '"\\u0000"', '"\\x41"', "'a'", "undefined", "tru", "[1,]", '{"a":1,}', '"' + "\\" * 31, "[" * 200, '{"a":' * 60,
    "[" * 40 + "]" * 40, "//c", "\ufeff1",
)  # fmt: skip
MEMBERS = (
    "id",
    "t",
    "ch",
    "d",
    "text",
    "idem",
    "replyTo",
    "mid",
    "mids",
    "pos",
    "s",
    "limit",
    "name",
    "value",
    "user",
    "",
)


Way = Callable[[JSON], str]


class Fuzz:
    """Makes inputs around one channel and a few message ids; the same seed makes the same inputs."""

    def __init__(self, seed: int, ch: str, mids: list[str], user: str) -> None:
        self.chance = random.Random(seed)
        self.ch = ch
        self.mids = mids
        self.user = user
        self._sound: tuple[Way, ...] = (
            self._valid, self._other_value, self._other_value, self._other_value, self._dropped, self._renamed,
            self._doubled, self._nested,
        )  # fmt: skip
        self._torn: tuple[Way, ...] = (self._raw_value, self._spliced, self._flipped, self._noise)

    def frame(self, number: int) -> str:
        """One text frame; one in ten is torn, the others are JSON objects, most with the readable id `number`.

        A connection bears five frames that are no object, so that more of them would test the closing only.
        """
        t, d = self.chance.choice(self._commands())
        frame: JSON = {"id": number, "t": t, "ch": self.ch, "d": d}
        ways = self._torn if self.chance.random() < 0.1 else self._sound
        return self.chance.choice(ways)(frame)

    def body(self, valid: JSON) -> bytes:
        """One request body, made from a valid one."""
        return self.chance.choice(self._sound + self._torn)(valid or {"x": 1}).encode(
            "utf-8", "surrogatepass"
        )

    def _commands(self) -> tuple[tuple[str, JSON], ...]:
        mid, n = self.chance.choice(self.mids), self.chance.randrange(60)
        return (
            ("msg.send", {"text": f"fuzz {n} @{self.user}", "idem": f"i{n}"}),
            ("msg.send", {"text": self.chance.choice(ODD_TEXT), "replyTo": mid}),
            ("msg.check", {"text": self.chance.choice(ODD_TEXT)}),
            ("msg.delete", {"mid": mid}),
            ("mod.delete", {"mids": [mid, "m_x"], "reason": "spam"}),
            ("mode.set", {"name": "slow", "value": n, "seconds": 1}),
            ("role.grant", {"user": f"@{self.user}", "role": "vip", "seconds": 5}),
            ("role.revoke", {"user": f"@{self.user}"}),
            ("history", {"s": "room", "before": n, "limit": 5, "kinds": ["msg.new"]}),
            ("history", {"s": "me", "after": n, "limit": 2}),
            ("room.who", {"limit": 3, "cursor": "x"}),
            ("room.state", {}),
            ("room.join", {"pos": ["k1", n]}),
            ("room.leave", {}),
            ("auth", {"guest": {"name": "Fuzzy", "token": "cgt_x"}, "want": ["me"], "resume": []}),
            ("rule.put", {"rule": {"kind": "regex", "pattern": "(a+)+$", "do": "hold"}}),
            ("mod.ban", {"user": f"@{self.user}", "seconds": 1}),
            ("case.decide", {"case": "k_1", "decision": "deny", "then": {"timeout": {"seconds": 1}}}),
            ("poll.open", {"question": "?", "options": ["a", "b"], "seconds": 15}),
            ("rtc.offer", {"sdp": "v=0"}),
            ("pong", {}),
        )  # fmt: skip

    # Ways to break what is valid

    def _valid(self, value: JSON) -> str:
        return json.dumps(value)

    def _other_value(self, value: JSON) -> str:
        place, key = self.chance.choice(list(_places(value)))
        place[key] = self._odd()
        return json.dumps(value, ensure_ascii=self.chance.random() < 0.5, allow_nan=True)

    def _raw_value(self, value: JSON) -> str:
        place, key = self.chance.choice(list(_places(value)))
        place[key] = "@@RAW@@"
        return json.dumps(value).replace('"@@RAW@@"', self.chance.choice(ODD_RAW))

    def _dropped(self, value: JSON) -> str:
        place, key = self.chance.choice(list(_places(value)))
        del place[key]
        return json.dumps(value)

    def _renamed(self, value: JSON) -> str:
        place, key = self.chance.choice(list(_places(value)))
        if not isinstance(key, int):
            place[self.chance.choice(MEMBERS)] = place.pop(key)
        return json.dumps(value)

    def _doubled(self, value: JSON) -> str:
        text = json.dumps(value)
        member = f'"{self.chance.choice(MEMBERS)}":{json.dumps(self._odd())}'
        return text[:-1] + ("," if len(text) > 2 else "") + member + "}"

    def _spliced(self, value: JSON) -> str:
        text = json.dumps(value)
        at, to = sorted(self.chance.randrange(len(text) + 1) for _ in range(2))
        return text[:at] + self.chance.choice(("", text[at:to] * 2, self.chance.choice(ODD_RAW))) + text[to:]

    def _flipped(self, value: JSON) -> str:
        letters = list(json.dumps(value))
        for _ in range(self.chance.randrange(1, 4)):
            letters[self.chance.randrange(len(letters))] = chr(
                self.chance.choice((0, 9, 34, 44, 58, 91, 92, 123, 125, 255))
            )
        return "".join(letters)

    def _noise(self, _: JSON) -> str:
        points = (
            self.chance.choice((range(32, 127), range(0xD800))) for _ in range(self.chance.randrange(60))
        )
        return "".join(chr(self.chance.choice(point)) for point in points)

    def _nested(self, value: JSON) -> str:
        levels = self.chance.choice((5, 31, 32, 33, 64, 500))
        opening, closing = self.chance.choice((("[", "]"), ('{"a":', "}")))
        place, key = self.chance.choice(list(_places(value)))
        place[key] = "@@RAW@@"
        return json.dumps(value).replace('"@@RAW@@"', opening * levels + "1" + closing * levels)

    def _odd(self) -> Any:
        kind = self.chance.randrange(6)
        if kind == 0:
            return self.chance.choice(ODD_TEXT)
        if kind == 1:
            return self.chance.choice(ODD_NUMBERS)
        if kind == 2:
            return json.loads(
                self.chance.choice(("null", "true", "false", "[]", "{}", "[null]", '{"":{}}', "[[]]"))
            )
        if kind == 3:
            return [self.chance.choice(ODD_TEXT) for _ in range(self.chance.choice((1, 5, 250)))]
        if kind == 4:
            return self.chance.choice(("m_", "u_", "c_", "g_", "x_", "a_")) + self.chance.choice(ODD_TEXT)
        return "".join(chr(self.chance.randrange(0x20, 0x2FFF)) for _ in range(self.chance.randrange(40)))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a JSON value."""
    keys: list[Any] = list(range(len(value))) if isinstance(value, list) else list(value)  # pyright: ignore[reportUnknownArgumentType]  # JSON
    found: list[tuple[Any, Any]] = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)) and value[key]:
            found += _places(value[key])
    return found
