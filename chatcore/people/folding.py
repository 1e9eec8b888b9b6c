"""Owns the folded form by which names are compared. Pure; refuses to know who has which name.

Stored names are compared by their stored folded form, so a change of this function needs a migration that
folds all stored names anew.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Look-alikes that NFKC leaves alone: letters of other scripts (and stroked or dotless Latin ones) that read
# as a Latin letter in common fonts, after case folding. Folded on both sides, so names that differ by more
# than that stay different. Pairs: the letter, then what it reads as.
_LOOK_ALIKES = (
    "аa вb еe һh іi јj кk ӏl мm нh оo рp сc ьb ԁd ԛq ѕs тt уy үy ѵv ԝw хx "  # Cyrillic
    "αa βb εe ζz ηh ιi κk μm νv οo σo ρp τt υy χx "  # Greek
    "օo ոn սu հh ցg "  # Armenian
    "ıi ɩi ɑa ɡg øo đd łl ħh"  # Latin
)

# Shown as nothing, yet not default-ignorable by their category: fillers and blanks.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U00016fe4\U0001d159")

# Default-ignorable, yet marks or not assigned.
_UNSEEN = frozenset("\u034f\u2065\ufff0\ufff1\ufff2\ufff3\ufff4\ufff5\ufff6\ufff7\ufff8")

# Marks are decoration on these scripts only; elsewhere (Indic vowels, Thai tones) they make another word.
_DECORATED = ("LATIN", "GREEK", "CYRILLIC")


def fold_name(name: str) -> str:
    """The form in which two names are the same name: folding it again changes nothing. May be empty."""
    if name.isascii() and name.isprintable():
        return name.lower().replace(" ", "")  # what the long way gives, for most names
    return _fold(name)


@lru_cache(maxsize=8192)
def _fold(name: str) -> str:
    folded = _fold_once(name)
    for _ in range(4):  # a look-alike may fold into something that composes once more
        again = _fold_once(folded)
        if again == folded:
            return folded
        folded = again
    return folded


def _fold_once(name: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).translate(_ENCLOSED).casefold())
    kept: list[str] = []
    decorated = False
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.category(char) == "Mn" or unicodedata.combining(char):
            if not decorated and not _is_ignorable(char):
                kept.append(char)
        elif not _is_ignorable(char) and not char.isspace():
            decorated = unicodedata.name(char, "").startswith(_DECORATED)
            kept.append(_LOOK_ALIKE.get(char, char))
    return unicodedata.normalize("NFC", "".join(kept))


def _is_ignorable(char: str) -> bool:
    """Default_Ignorable_Code_Point as far as names need it: format characters, selectors, fillers."""
    return (
        unicodedata.category(char) in ("Cf", "Cc", "Zl", "Zp")
        or char in _BLANK
        or char in _UNSEEN
        or "\ufe00" <= char <= "\ufe0f"
        or "\u180b" <= char <= "\u180f"
        or "\U000e0000" <= char <= "\U000e0fff"
    )


def _enclosed() -> dict[int, str]:
    """Enclosed and regional-indicator letters that NFKC does not take apart."""
    table: dict[int, str] = {}
    for start in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6):
        for offset in range(26):
            table[start + offset] = chr(ord("a") + offset)
    return table


_ENCLOSED = _enclosed()


def _latin() -> dict[str, str]:
    """Small capitals, and letters with a hook, stroke or tail: by their names, since Unicode decomposes none."""
    table: dict[str, str] = {}
    for start, end in _LATIN_BLOCKS:
        for code in range(start, end):
            found = _LATIN.fullmatch(unicodedata.name(chr(code), ""))
            if found is not None:
                table[chr(code)] = (found[1] or found[2]).lower()
    return table


_LATIN = re.compile(r"LATIN (?:LETTER SMALL CAPITAL ([A-Z])|SMALL LETTER ([A-Z]) WITH .*)")
_LATIN_BLOCKS = ((0x100, 0x2B0), (0x1D00, 0x1DC0), (0x2C60, 0x2C80), (0xA720, 0xA800))
_LOOK_ALIKE = _latin() | {pair[0]: pair[1] for pair in _LOOK_ALIKES.split()}
