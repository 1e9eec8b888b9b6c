"""The command `cascade`: its sub-commands on a real data folder, exit codes, and faults told in one go."""

import io
import sqlite3
from pathlib import Path

import pytest

from tests.support.server import free_port
from web.cli import main
from web.settings import load, sample_file

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, no setting from outside, and the tests' logging left as it is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("web.settings.environment", dict[str, str])
    monkeypatch.setattr("web.logs.configure", no_logging)


def no_logging(level: str, style: str) -> None:
    """Instead of sending all logging to a stream that ends with the test."""


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize(
    "words", [["--help"], ["serve", "--help"], ["token", "create", "--help"], ["--version"]]
)
def test_help_is_there(words: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["bench"], ["user"], ["version", "--port", "1"], ["serve", "stray"]])
def test_wrong_calls_are_code_2(words: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: cascade" in capsys.readouterr().err


def test_all_faults_of_settings_are_told_at_once(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "cascade.toml").write_text('[log]\nlevl = "info"\n')
    assert main(["serve", "--prot", "1", "--port=x", "--hots=a"]) == 2
    told = capsys.readouterr().err
    assert "4 settings can't be used" in told
    for part in ("--prot", "Did you mean --port?", '"x"', "--hots", "log.levl", "Did you mean log.level?"):
        assert part in told


def test_a_named_file_that_is_not_there_is_a_fault(capsys: Capture) -> None:
    assert main(["config", "check", "--config", "nowhere.toml"]) == 2
    assert "nowhere.toml" in capsys.readouterr().err


def test_the_printed_sample_is_a_good_file(tmp_path: Path, capsys: Capture) -> None:
    assert main(["config", "sample"]) == 0
    text = capsys.readouterr().out
    assert text == sample_file()
    (tmp_path / "cascade.toml").write_text(text)
    assert main(["config", "check"]) == 0


def test_what_config_shows_loads_to_the_same_settings(tmp_path: Path, capsys: Capture) -> None:
    flags = ["--port", "1234", "--trusted-proxies", "10.0.0.0/8", "--limits-send", "5 / 1 min burst 9"]
    assert main(["config", "show", *flags]) == 0
    text = capsys.readouterr().out
    assert "port = 1234  #" in text
    file = tmp_path / "shown.toml"
    file.write_text(text)
    wanted = {"port": "1234", "trusted_proxies": "10.0.0.0/8", "limits.send": "5 / 1 min burst 9"}
    assert load({}, {}, file) == load(wanted, {}, None)


def test_migrate_twice(capsys: Capture) -> None:
    assert main(["migrate", "--data", "d"]) == 0
    assert "applied 0001_log" in capsys.readouterr().out
    assert main(["migrate", "--data", "d"]) == 0
    assert "applied" not in capsys.readouterr().out
    assert Path("d").stat().st_mode & 0o077 == 0


def test_a_newer_database_is_refused_with_the_remedy(capsys: Capture) -> None:
    assert main(["migrate", "--data", "d"]) == 0
    with sqlite3.connect("d/cascade.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()
    for words in (["migrate"], ["serve", "--port", str(free_port())], ["user", "list"]):
        assert main([*words, "--data", "d"]) == 1
        assert "newer version" in capsys.readouterr().err
    assert main(["doctor", "--data", "d"]) == 1


def test_a_data_folder_that_can_not_be_written_is_named(capsys: Capture) -> None:
    Path("file").write_text("in the way")
    for words in (["serve"], ["migrate"], ["user", "list"]):
        assert main([*words, "--data", "file/d"]) == 1
        told = capsys.readouterr().err
        assert "data: the folder file/d can't be written" in told
        assert "--data" in told


def test_a_file_that_is_no_database_is_told(capsys: Capture) -> None:
    Path("d").mkdir()
    Path("d/cascade.sqlite3").write_bytes(b"not a database at all" * 100)
    for words in (["serve", "--port", str(free_port())], ["migrate"]):
        assert main([*words, "--data", "d"]) == 1
        assert "database" in capsys.readouterr().err
    assert main(["doctor", "--data", "d"]) == 1


def test_a_start_that_fails_from_outside_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "d/cascade.epoch")

    monkeypatch.setattr("web.app.SqliteLog.open", full)
    assert main(["serve", "--data", "d", "--port", str(free_port())]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert "Traceback" not in caplog.text


def test_a_start_that_fails_by_a_bug_has_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("web.app.SqliteLog.open", broken)
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--data", "d", "--port", str(free_port())])
    assert ended.value.code == 3
    assert "Traceback" in caplog.text


def test_doctor_finds_a_good_place_good(capsys: Capture) -> None:
    assert main(["doctor", "--data", "d", "--port", str(free_port())]) == 0
    assert "bad" not in capsys.readouterr().out


def test_accounts_from_the_shell(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    typed(monkeypatch, "a long password\n")
    assert main(["user", "create", "ann", "--email", "ann@x.example", "--admin", "--password-stdin"]) == 0
    assert "admin" in capsys.readouterr().out
    typed(monkeypatch, "short\n")
    assert main(["user", "create", "bob", "--email", "bob@x.example", "--password-stdin"]) == 1
    assert "password:" in capsys.readouterr().err
    assert main(["user", "create", "bob", "--email", "bob@x.example", "--invite"]) == 0
    assert "/signup#invite=" in capsys.readouterr().out
    typed(monkeypatch, "another password\n")
    assert main(["user", "passwd", "bob", "--password-stdin"]) == 0
    typed(monkeypatch, "another password\n")
    assert main(["user", "passwd", "nobody", "--password-stdin"]) == 1
    assert main(["user", "list"]) == 0
    listed = capsys.readouterr().out
    assert "@ann" in listed
    assert "@bob" in listed


def test_without_a_terminal_the_password_must_be_piped(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    typed(monkeypatch, "ignored\n")
    assert main(["user", "create", "ann", "--email", "ann@x.example"]) == 1
    assert "--password-stdin" in capsys.readouterr().err


def test_tokens_from_the_shell(capsys: Capture) -> None:
    assert main(["user", "create", "ann", "--email", "ann@x.example", "--invite"]) == 0
    capsys.readouterr()
    assert main(["token", "create", "--user", "ann", "My Bot", "--scope", "msg.send", "--days", "3"]) == 0
    printed = capsys.readouterr().out.split()
    token = next(word for word in printed if word.startswith("t_")).rstrip(",")
    assert sum(word.startswith("ct_") for word in printed) == 1
    assert main(["token", "list", "--user", "@ann"]) == 0
    listed = capsys.readouterr().out
    assert token in listed
    assert "ct_" not in listed
    assert main(["token", "revoke", "--user", "ann", token]) == 0
    assert main(["token", "revoke", "--user", "ann", token]) == 1
    assert main(["token", "create", "--user", "ann", "x bot", "--scope", "everything"]) == 1
    assert "scopes:" in capsys.readouterr().err
    assert main(["token", "create", "--user", "my_bot", "y bot"]) == 1


def test_backup_copies_checks_and_never_overwrites(capsys: Capture) -> None:
    assert main(["backup", "b.sqlite3"]) == 1
    assert "no database" in capsys.readouterr().err
    assert main(["user", "create", "ann", "--email", "ann@x.example", "--invite"]) == 0
    assert main(["backup", "b.sqlite3"]) == 0
    assert Path("b.sqlite3").stat().st_mode & 0o077 == 0
    assert main(["backup", "b.sqlite3"]) == 1
    assert not Path("b.sqlite3.unfinished").exists()
    Path("restored").mkdir()
    Path("b.sqlite3").rename("restored/cascade.sqlite3")
    capsys.readouterr()
    assert main(["user", "list", "--data", "restored"]) == 0
    assert "@ann" in capsys.readouterr().out
