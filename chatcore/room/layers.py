"""Owns the overlay: a dictionary laid over another one, so that a batch can be decided before it is committed.

Reading falls through to the base; writing and deleting stay in the layer and vanish with it.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class _Deleted:
    """Marks a key that the layer removed."""


_DELETED = _Deleted()
_ABSENT = _Deleted()


class Layer(MutableMapping[K, V], Generic[K, V]):
    """`Layer(base)` behaves as a copy of `base` and never writes to it. Iteration costs the size of both."""

    __slots__ = ("_base", "_own")

    def __init__(self, base: MutableMapping[K, V]) -> None:
        self._base = base
        self._own: dict[K, V | _Deleted] = {}

    def __getitem__(self, key: K) -> V:
        value = self._own.get(key, _ABSENT)
        if isinstance(value, _Deleted):
            if value is _ABSENT:
                return self._base[key]
            raise KeyError(key)
        return value

    # The two that decisions ask most, without the exceptions and the walk that the mixins would take.

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V | D, /) -> V | D: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """The value of `key`, else `default`."""
        value = self._own.get(key, _ABSENT)
        if value is _ABSENT:
            return self._base.get(key, default)
        return default if isinstance(value, _Deleted) else value

    def __bool__(self) -> bool:
        return any(True for _ in self) if self._own else bool(self._base)

    def __setitem__(self, key: K, value: V) -> None:
        self._own[key] = value

    def __delitem__(self, key: K) -> None:
        if key not in self:
            raise KeyError(key)
        self._own[key] = _DELETED

    def __iter__(self) -> Iterator[K]:
        for key in self._base:
            if not isinstance(self._own.get(key), _Deleted):
                yield key
        for key, value in self._own.items():
            if key not in self._base and not isinstance(value, _Deleted):
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)
