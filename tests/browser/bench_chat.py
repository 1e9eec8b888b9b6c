"""How smooth a fast chat is in Chromium: `python -m tests.browser.bench_chat [messages/s] [seconds]`.

A bench, not a test: it prints figures and judges nothing, because a shared machine would decide instead.
Bots on the same machine send to a real server with its limits off; one page reads. Measured in the page:
gaps between animation frames, share of the main thread that is busy, lines in the DOM, heap at the start
and at the end after a collection.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import Page, async_playwright
from websockets.asyncio.client import ClientConnection, connect

from tests.browser.conftest import FLAGS, chromium_path
from tests.support.server import CascadeServer, serving

PASSWORD = "a long enough sentence"
BOTS = 5
LINES = (
    "hello everyone",
    "is it live already?",
    "@ann how deep is the river there?",
    "look at https://example.com/route before you go",
    "I was there last year, it rained for three days and we still had the best time on the water",
)
FRAMES = """(seconds) => new Promise((done) => {
    const gaps = [];
    const start = performance.now();
    let last = start;
    const frame = (now) => {
        gaps.push(now - last);
        last = now;
        if (now - start < seconds * 1000) return requestAnimationFrame(frame);
        gaps.sort((a, b) => a - b);
        const at = (share) => Math.round(gaps[Math.floor((gaps.length - 1) * share)] * 10) / 10;
        done({ frames: gaps.length, p50: at(0.5), p99: at(0.99), max: at(1) });
    };
    requestAnimationFrame(frame);
})"""


async def command(socket: ClientConnection, number: int, t: str, ch: str | None, d: dict[str, Any]) -> Any:
    """One command of a bot and its reply."""
    await socket.send(json.dumps({"id": number, "t": t, "ch": ch, "d": d}))
    async for frame in socket:
        reply = json.loads(frame)
        if reply.get("re") == number:
            return reply["d"]
    raise ConnectionError("the server closed the connection")


async def talk(server: CascadeServer, name: str, ch: str, rate: float) -> None:
    """Sends `rate` lines a second until it is cancelled."""
    async with connect(f"ws://127.0.0.1:{server.port}/ws") as socket:
        await command(socket, 1, "auth", None, {"guest": {"name": name}, "want": []})
        number = 1
        while True:
            number += 1
            text = f"{LINES[number % len(LINES)]} {number}"
            await command(socket, number, "msg.send", ch, {"text": text})
            await asyncio.sleep(1 / rate)


async def metrics(session: Any) -> dict[str, float]:
    """The browser's own counters of the page; times in seconds, sizes in bytes."""
    await session.send("HeapProfiler.collectGarbage")
    found = await session.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in found["metrics"]}


async def measure(page: Page, seconds: float) -> dict[str, Any]:
    """Frames, busy share, lines and heap while the chat runs."""
    session: Any = await page.context.new_cdp_session(page)
    # Time of the thread itself, so that a busy machine does not count as a busy page.
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = await metrics(session)
    frames = await page.evaluate(FRAMES, seconds)
    lines = await page.locator(".line").count()
    after = await metrics(session)
    busy = {
        name: round((after[f"{name}Duration"] - before[f"{name}Duration"]) / seconds, 3)
        for name in ("Task", "Script", "Layout", "RecalcStyle")
    }
    heap = [round(each["JSHeapUsedSize"] / 2**20, 1) for each in (before, after)]
    return {"frameGapMs": frames, "busy": busy, "lines": lines, "heapMiB": heap}


async def bench(server: CascadeServer, rate: float, seconds: float) -> dict[str, Any]:
    """One channel, some bots, one reader."""
    async with httpx2.AsyncClient(base_url=server.url) as client:
        account = {"displayName": "Ann", "email": "ann@example.com", "password": PASSWORD}
        token = (await client.post("/api/auth/signup", json=account)).json()["token"]
        bearer = {"authorization": f"Bearer {token}"}
        client.cookies.clear()
        body = {"title": "Bench", "slug": "bench"}
        ch = (await client.post("/api/channels", json=body, headers=bearer)).json()["id"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = await browser.new_page(base_url=server.url)
        await page.goto("/@bench")
        await page.locator(".log").wait_for()
        bots = [asyncio.create_task(talk(server, f"Bot{i}", ch, rate / BOTS)) for i in range(BOTS)]
        try:
            await page.locator(".line").nth(190).wait_for(timeout=60_000)
            found = await measure(page, seconds)
        finally:
            for bot in bots:
                bot.cancel()
            await asyncio.gather(*bots, return_exceptions=True)
            await browser.close()
    return {"messagesPerSecond": rate, "seconds": seconds, **found}


def main() -> None:
    """Runs the bench and prints one JSON object."""
    rate = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), limits=False) as server:
        print(json.dumps(asyncio.run(bench(server, rate, seconds)), indent=2))


if __name__ == "__main__":
    main()
