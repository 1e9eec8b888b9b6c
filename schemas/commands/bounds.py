"""Bounds and checks that several commands share.

Owns no command. Refuses to know which members it compares.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta

from schemas.values import (
    Fault,
)

Limit = Annotated[int, Meta(ge=1, le=200)]
Text = str
Line = Annotated[str, Meta(min_length=1, max_length=500)]


def exactly_one(field: str, remedy: str, *given: object) -> None:
    """Raise Fault on `field` unless exactly one of the members is given."""
    if sum(value is not None and value is not UNSET for value in given) != 1:
        raise Fault(field, "ambiguous", remedy)


def at_most_one(field: str, remedy: str, *given: object) -> None:
    """Raise Fault on `field` if more than one of the members is given."""
    if sum(value is not None and value is not UNSET for value in given) > 1:
        raise Fault(field, "ambiguous", remedy)
