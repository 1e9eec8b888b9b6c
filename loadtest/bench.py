"""The bench: runs scenarios, prints a table with the goals beside the figures, writes JSON.

Owns the command line `python -m loadtest [what…]` (`dev.py bench` calls it). Refuses to measure by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest import machine
from loadtest.crowd import allow_files
from loadtest.result import Result, table
from loadtest.scenarios.bench import Bench, other_core
from loadtest.scenarios.comeback import comeback
from loadtest.scenarios.crowd8k import crowd8k
from loadtest.scenarios.durable import durable
from loadtest.scenarios.fanout import fanout, peers
from loadtest.scenarios.idle import idle
from loadtest.scenarios.stalled import stalled
from loadtest.server import ROOT

SCENARIOS: dict[str, Callable[[Bench], list[Result]]] = {
    "fanout": fanout,
    "peers": peers,
    "crowd8k": crowd8k,
    "durable": durable,
    "idle": idle,
    "comeback": comeback,
    "stalled": stalled,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the named scenarios (all without a name); 0 if they ran, whatever they found, 1 if one could not."""
    options = _options(argv)
    if not sys.platform.startswith("linux"):
        print("The bench needs Linux: it reads /proc and pins processes to cores.", file=sys.stderr)
        return 2
    files = allow_files()
    bench = Bench(options.quick, options.seconds or (3.0 if options.quick else 10.0), options.folder)
    about = _about(bench, options.what, files)
    other_core(bench)
    print(f"{about['machine']['processor']}, {about['machine']['cores']} cores, {about['machine']['kernel']}")
    results: list[Result] = []
    failures: dict[str, str] = {}
    for name in options.what or list(SCENARIOS):
        start = time.monotonic()
        try:
            found = SCENARIOS[name](bench)
        except (RuntimeError, OSError) as error:
            failures[name] = str(error)
            print(f"\n{name} could not be measured: {error}")
            continue
        for result in found:
            result.quick = bench.quick
        results += found
        print(table(found), f"\n  ({name}: {time.monotonic() - start:.0f} s)", flush=True)
    if options.json:
        body = {**about, "results": [result.as_json() for result in results], "failures": failures}
        options.json.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
    return 1 if failures else 0


def _about(bench: Bench, what: Sequence[str], files: int) -> dict[str, Any]:
    folder = bench.folder or Path(tempfile.gettempdir())
    flags = [*(["--quick"] if bench.quick else []), "--seconds", f"{bench.seconds:g}"]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(ROOT),
        "command": ["python", "-m", "loadtest", *what, *flags],
        "quick": bench.quick,
        "secondsPerPhase": bench.seconds,
        "machine": {**machine.describe(folder), "openFilesAllowed": files},
    }


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtest", description="Runs scenarios and prints figures."
    )
    parser.add_argument(
        "what", nargs="*", metavar="what", help=f"any of {', '.join(SCENARIOS)}; all by default"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of each crowd, phases of 3 s: does it run?"
    )
    parser.add_argument("--seconds", type=float, help="length of a measured phase (10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument(
        "--folder", type=Path, help="where data folders are made (the system's temporary folder)"
    )
    options = parser.parse_args(argv)
    unknown = [name for name in options.what if name not in SCENARIOS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    return options
