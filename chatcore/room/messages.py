"""Owns the rules of a message's text (protocol 6): what is refused, what is cleaned, and which parts are special.

Whether its author may speak is `admit`'s business, what its words mean is the moderation package's.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from schemas.errors import Refused

TEXT_MAX = 500
REPLY_PREVIEW = 80

#: Overrides, embeddings and isolates, which reorder what stands around them; other format characters pass.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: Cc, and the surrogates that no UTF-8 text can hold.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: Letters that are drawn as nothing: the Hangul fillers and the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_MENTION = re.compile(r"(?<![\w@/])@([^\s@,.:;!?()\[\]{}<>\"'`]{2,30})")
_LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_LINK_TAIL = ".,:;!?'\")]}>*_~"


def clean(text: str, limit: int = TEXT_MAX) -> str:
    """The text as it is stored: NFC, trimmed, without bidi controls; 1 to `limit` code points.

    Raises Refused: bad_request (a control character), empty, too_long.
    """
    text = bare(text)
    found = _CONTROL.search(text)
    if found:
        raise Refused(
            "bad_request",
            f"The text holds the control character U+{ord(found[0]):04X}; remove it (a message has one line).",
            field="d.text",
            d={"reason": "control_character"},
        )
    if not text or not (text.isascii() or any(_shows(char) for char in text)):
        raise Refused("empty", field="d.text")
    if len(text) > limit:
        raise Refused(
            "too_long",
            f"The text has {len(text)} characters; at most {limit} are allowed.",
            field="d.text",
            d={"max": limit, "have": len(text)},
        )
    return text


def bare(text: str) -> str:
    """The text as its readers see it, whatever else is wrong with it: NFC, trimmed, without bidi controls."""
    if not text.isascii():
        # In this order: a control that goes may leave a letter beside its accent.
        text = unicodedata.normalize("NFC", _BIDI.sub("", text))
    return text.strip()


def _shows(char: str) -> bool:
    """Whether a character leaves anything to be seen; of such alone a message is an empty line."""
    return char not in _BLANK and unicodedata.category(char) not in ("Cf", "Zs", "Zl", "Zp", "Mn", "Me")


def mentioned(text: str) -> list[str]:
    """The names after `@`, as written, in order, each once; at most 20 are looked at."""
    if "@" not in text:
        return []
    return list(dict.fromkeys(match[1] for match in _MENTION.finditer(text)))[:20]


def fragments(text: str, users: dict[str, str]) -> tuple[dict[str, Any], ...]:
    """The non-plain parts of `text` in order, not overlapping; `users` maps a mentioned name to its user id."""
    parts = [*_links(text)] if "://" in text else []
    taken = [(part["start"], part["end"]) for part in parts]
    for match in _MENTION.finditer(text) if users else ():
        user = users.get(match[1])
        start, end = match.start(), match.end()
        if user is not None and not any(start < e and s < end for s, e in taken):
            parts.append({"k": "mention", "start": start, "end": end, "user": user})
    parts.sort(key=lambda part: part["start"])
    return tuple(parts)


def _links(text: str) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    for match in _LINK.finditer(text):
        href = match[0].rstrip(_LINK_TAIL)
        if len(href) > len("https://"):
            links.append(
                {"k": "link", "start": match.start(), "end": match.start() + len(href), "href": href}
            )
    return links


def preview(text: str) -> str:
    """What a reply shows of the message it answers."""
    return text if len(text) <= REPLY_PREVIEW else text[: REPLY_PREVIEW - 1] + "…"
