"""What the log says after many crashes, held against what was acknowledged and seen.

Pure. Owns the promises (nothing lost, nothing twice, nothing out of order) and their count; refuses to know
how the log was read and how the server died.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Event = Mapping[str, Any]


class Ack(NamedTuple):
    """Where a message was said to be: epoch, position, id."""

    epoch: str
    n: int
    mid: str


def text_of(sender: str, number: int) -> str:
    """What `sender` says as its `number`th message; no two are alike."""
    return f"{sender} {number}"


@dataclass(slots=True)
class Report:
    """What was done and what was broken; everything from `lost` on must be 0 or empty."""

    points: int = 0
    early: int = 0
    acknowledged: int = 0
    in_log: int = 0
    resent_duplicates: int = 0
    seconds: float = 0.0
    slowest_start_s: float = 0.0
    lost: int = 0
    seen_and_lost: int = 0
    twice: int = 0
    out_of_order: int = 0
    elsewhere: int = 0  # acknowledged with another position or id than in the log
    gaps: int = 0
    epochs: int = 0  # changes of the epoch: none without a restore
    watcher_lost: int = 0
    watcher_twice: int = 0
    faults: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def broken(self) -> dict[str, Any]:
        """The promises that were not kept, by name; empty if all is well."""
        names = [each.name for each in dataclasses.fields(self)]
        promises = names[names.index("lost") :]
        return {name: getattr(self, name) for name in promises if getattr(self, name)}

    def judge(
        self, log: Sequence[Event], acknowledged: Mapping[str, Mapping[int, Ack]], seen: Mapping[int, str]
    ) -> None:
        """Adds what the whole `log` of one room shows.

        `acknowledged`: by sender and number; `seen`: id by position, as watchers received it.
        """
        messages = [event for event in log if event["t"] == "msg.new"]
        at = {int(event["pos"][1]): event for event in messages}
        texts = Counter(str(event["d"]["text"]) for event in messages)
        self.in_log += len(messages)
        self.gaps += sum(int(event["pos"][1]) != n for n, event in enumerate(log, start=1))
        self.epochs += max(0, len({event["pos"][0] for event in log}) - 1)
        self.twice += sum(count - 1 for count in texts.values())
        for sender, acks in acknowledged.items():
            self.acknowledged += len(acks)
            for number, ack in acks.items():
                self.lost += text_of(sender, number) not in texts
                self.elsewhere += not _is_there(at.get(ack.n), text_of(sender, number), ack)
            self.out_of_order += _disorder(sender, texts)
        self.seen_and_lost += sum(n not in at or at[n]["d"]["mid"] != mid for n, mid in seen.items())


def _is_there(event: Event | None, text: str, ack: Ack) -> bool:
    return event is not None and (event["d"]["text"], event["d"]["mid"], event["pos"][0]) == (
        text,
        ack.mid,
        ack.epoch,
    )


def _disorder(sender: str, texts: Mapping[str, int]) -> int:
    """How often a message of `sender` stands behind a later one; `texts` in the order of the log."""
    numbers = [int(text.split()[1]) for text in texts if text.startswith(f"{sender} ")]
    return sum(later < earlier for earlier, later in itertools.pairwise(numbers))
