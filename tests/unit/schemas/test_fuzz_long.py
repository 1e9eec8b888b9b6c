"""A storm of frames and bodies, made from good ones by breaking them; CASCADE_FUZZ says how many.

Complements the search of hypothesis by sheer number: a short run always, a million by hand.
"""

import json
import os
import random
from collections import Counter
from typing import Any

from schemas import codec
from schemas.catalog import CATALOG
from schemas.codec import BadFrame
from schemas.codes import ERRORS
from schemas.errors import Refused

COUNT = int(os.environ.get("CASCADE_FUZZ", "20000"))
SEED = int(os.environ.get("CASCADE_FUZZ_SEED", "1"))

GOOD: list[dict[str, Any]] = [
    {
        "id": 1,
        "t": "msg.send",
        "ch": "c_1",
        "d": {"text": "Grüße 👋 日本", "replyTo": "m_7", "idem": "w3-17"},
    },
    {"id": 2, "t": "history", "ch": "c_1", "d": {"s": "room", "after": 5, "limit": 50, "kinds": ["msg.new"]}},
    {
        "id": 3,
        "t": "auth",
        "d": {"guest": {"name": "Ann"}, "resume": [{"ch": "c", "s": "room", "pos": ["k", 1]}]},
    },
    {"id": 4, "t": "room.join", "ch": "@lobby", "d": {"pos": ["k9", 91810]}},
    {"id": 5, "t": "mod.delete", "ch": "c_1", "d": {"mids": ["m_1", "m_2"], "reason": "spam"}},
    {"id": 6, "t": "case.decide", "ch": "c", "d": {"case": "k", "decision": "deny", "then": {"ban": {}}}},
    {"id": 7, "t": "rule.put", "d": {"rule": {"kind": "word", "pattern": "x", "do": "hold", "allow": ["y"]}}},
    {"t": "pong"},
    *({"id": 8, "t": spec.t, "ch": "c_1", "d": {}} for spec in CATALOG),
]
PIECES = [
    *(
        b"[",
        b"{",
        b"}",
        b"]",
        b'"',
        b"\\",
        b"\\ud800",
        b"\xff",
        b"\xed\xa0\x80",
        b"\x00",
        b"\xf0\x9f\x98\x80",
    ),
    *(
        b"null",
        b"true",
        b"-1",
        b"1e999",
        b"9" * 40,
        b"9" * 5000,
        b"[" * 40,
        b'{"a":' * 40,
        b"x" * 9000,
        b"NaN",
    ),
    *(b'"t":"pong",', b'"id":0,', b'"d":[],', b'"ch":null,', b"\xef\xbb\xbf", b"\n", b" " * 9000),
]
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**53,
    10**30,
    "",
    "x" * 600,
    "\ud800",
    [],
    {},
    [[]],
    {"a": {}},
    "@bob",
]


def broken_json(rng: random.Random) -> dict[str, Any]:
    frame = json.loads(json.dumps(rng.choice(GOOD)))
    where: Any = frame
    while True:
        key = rng.choice(list(where))
        if isinstance(where[key], dict) and where[key] and rng.random() < 0.7:
            where = where[key]
            continue
        if rng.random() < 0.2:
            del where[key]
        else:
            where[key] = rng.choice(VALUES)
        return frame


def broken_bytes(rng: random.Random) -> bytes:
    data = bytearray(json.dumps(rng.choice(GOOD), ensure_ascii=False).encode())
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        if rng.random() < 0.5:
            data[at:at] = rng.choice(PIECES)
        elif rng.random() < 0.5:
            del data[at : at + rng.randint(1, 8)]
        elif at < len(data):
            data[at] = rng.randrange(256)
        if not data:
            data += b" "
    return bytes(data)


def answer(data: bytes) -> str:
    """The code the sender of this frame is told, or "ok"."""
    try:
        command = codec.decode_command(data)
    except BadFrame as bad:
        json.loads(codec.encode_reply_error(bad.re, bad.refused))
        return bad.refused.code
    codec.encode_payload(command.d)
    return "ok"


def answer_at_door(t: str, data: bytes) -> str:
    try:
        codec.encode_payload(codec.decode_door(t, data).d)
    except Refused as refused:
        json.loads(codec.error_body(refused))
        return refused.code
    return "ok"


def test_a_storm_of_broken_frames_is_answered_from_the_table() -> None:
    rng = random.Random(SEED)
    told: Counter[str] = Counter()
    names = [spec.t for spec in CATALOG]
    for n in range(COUNT):
        data = json.dumps(broken_json(rng)).encode() if n % 2 else broken_bytes(rng)
        told[answer(data)] += 1
        told[answer_at_door(rng.choice(names), data)] += 1
    assert set(told) <= {"ok", *ERRORS}
    assert set(told) == {"ok", "bad_frame", "too_large", "bad_id", "unknown_command", "bad_request"}
