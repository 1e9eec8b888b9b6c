"""Owns waiting for a condition with a deadline; knows nothing of the server or the protocol."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 10.0
"""Seconds that a test waits for what should happen at once: generous, because machines are shared."""


def wait_until(
    condition: Callable[[], T], what: str, *, deadline: float = DEADLINE, pause: float = 0.02
) -> T:
    """The first truthy value of `condition()`; AssertionError naming `what` after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s in vain: {what}")
        threading.Event().wait(pause)
    return value


async def eventually(
    condition: Callable[[], Awaitable[T]], what: str, *, deadline: float = DEADLINE, pause: float = 0.05
) -> T:
    """The same for a condition that is itself a coroutine (a command sent again, say)."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while not (value := await condition()):
        if loop.time() > end:
            raise AssertionError(f"waited {deadline} s in vain: {what}")
        await asyncio.sleep(pause)
    return value
