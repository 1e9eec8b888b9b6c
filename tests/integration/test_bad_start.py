"""A start that can't be: one clear message naming the thing and the remedy, an exit code, no traceback.

It runs the command line as an operator does and reads what he would read.
"""

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.server import clean_environment, free_port, serve_command


def refused(folder: Path, *flags: str, env: Mapping[str, str] | None = None) -> str:
    """What `serve` prints before it gives up; AssertionError if it starts, or shows a traceback."""
    environment, command = clean_environment(env), serve_command(*flags)
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    told = done.stdout + done.stderr
    assert done.returncode not in (0, None), told
    assert "Traceback" not in told, told
    assert 0 < len(told.strip().splitlines()) < 12, f"one clear message: {told}"
    return told


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = refused(tmp_path, "--host", "127.0.0.1", "--port", port, "--data", str(tmp_path / "data"))
    assert port in told
    assert "in use" in told
    assert "--port" in told, "the remedy"


def test_an_address_that_is_not_this_machines_is_named(tmp_path: Path) -> None:
    told = refused(
        tmp_path, "--host", "192.0.2.7", "--port", str(free_port()), "--data", str(tmp_path / "data")
    )
    assert "192.0.2.7" in told


@pytest.mark.parametrize(
    "place", ["a file in its place", "below a file", "a file system that takes no files"]
)
def test_a_data_folder_that_can_not_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    folder = {
        "a file in its place": tmp_path / "file",
        "below a file": tmp_path / "file" / "data",
        "a file system that takes no files": Path("/proc/cascade"),
    }[place]
    told = refused(tmp_path, "--port", str(free_port()), "--data", str(folder))
    assert str(folder) in told
    assert "--data" in told, "the remedy"


def test_a_data_folder_without_rights_is_named(tmp_path: Path) -> None:
    folder = Path("/sys/kernel")  # Read-only even for root.
    told = refused(tmp_path, "--port", str(free_port()), "--data", str(folder))
    assert str(folder) in told


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "cascade.sqlite3").write_bytes(b"this is no database, it only has the name of one" * 100)
    told = refused(tmp_path, "--port", str(free_port()), "--data", str(data))
    assert "cascade.sqlite3" in told


@pytest.mark.parametrize("flag", ["--log-levle", "--no-such-thing"])
def test_an_unknown_flag_is_named(tmp_path: Path, flag: str) -> None:
    told = refused(tmp_path, flag, "1", "--data", str(tmp_path / "data"))
    assert flag in told


def test_an_unknown_variable_is_named_with_the_nearest(tmp_path: Path) -> None:
    told = refused(tmp_path, "--data", str(tmp_path / "data"), env={"CASCADE_PROT": "8080"})
    assert "CASCADE_PROT" in told
    assert "CASCADE_PORT" in told


@pytest.mark.parametrize(("flag", "value"), [("--port", "70000"), ("--port", ""), ("--mode", "fast")])
def test_a_value_out_of_range_is_named_with_what_is_wanted(tmp_path: Path, flag: str, value: str) -> None:
    told = refused(tmp_path, flag, value, "--data", str(tmp_path / "data"))
    assert flag in told
    assert value in told


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("port = ", "cascade.toml"),
        ("prot = 8080", "prot"),
        ("port = 'x'", "port"),
        ("[sokcet]\nframe_bytes = 8192", "sokcet"),
        ("\x00\xff", "cascade.toml"),
    ],
)
def test_a_broken_settings_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "cascade.toml").write_text(text, "latin-1")
    assert named in refused(tmp_path, "--data", str(tmp_path / "data"))


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = refused(tmp_path, "--config", "nowhere.toml", "--data", str(tmp_path / "data"))
    assert "nowhere.toml" in told


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "cascade.toml").write_text("prot = 8080\n[log]\nlevel = 'loud'\n")
    told = refused(tmp_path, "--port", "x", "--data", str(tmp_path / "data"), env={"CASCADE_WROKERS": "2"})
    for named in ("prot", "loud", "--port", "CASCADE_WROKERS"):
        assert named in told


def test_several_workers_over_one_sqlite_file_are_refused(tmp_path: Path) -> None:
    assert "SQLite" in refused(tmp_path, "--workers", "2", "--data", str(tmp_path / "data"))


def test_switching_limits_off_in_production_is_refused(tmp_path: Path) -> None:
    told = refused(
        tmp_path, "--mode", "production", "--data", str(tmp_path / "data"), env={"CASCADE_LIMITS": "off"}
    )
    assert "production" in told
