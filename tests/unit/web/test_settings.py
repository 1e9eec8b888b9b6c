"""Settings: order of sources, typed values, every fault at once, and a sample file that is the defaults."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from chatcore.limits import Spec
from web import settings as own
from web.setting_sources import Fault, SettingsFault

SAMPLE = Path(own.__file__).with_name("cascade.sample.toml")


def faults_of(
    flags: dict[str, str] | None = None, environ: dict[str, str] | None = None, file: Path | None = None
) -> list[Fault]:
    with pytest.raises(SettingsFault) as caught:
        own.load(flags or {}, environ or {}, file)
    return list(caught.value.faults)


def written(folder: Path, text: str) -> Path:
    file = folder / "cascade.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nothing_set_gives_the_defaults() -> None:
    settings = own.load({}, {}, None)
    assert settings == own.defaults("development")
    assert (settings.mode, settings.host, settings.port) == ("development", "127.0.0.1", 8080)
    assert settings.limits.send == Spec("send", 20, 30_000)
    assert settings.limits.send_staff == Spec("send", 100, 30_000)


def test_flags_beat_environment_beats_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'port = 1001\nhost = "10.0.0.1"\n[log]\nlevel = "error"\n')
    environ = {"CASCADE_PORT": "1002", "CASCADE_LOG_LEVEL": "warning"}
    settings = own.load({"port": "1003"}, environ, file)
    assert (settings.port, settings.log.level, settings.host) == (1003, "warning", "10.0.0.1")


def test_production_changes_defaults_only(tmp_path: Path) -> None:
    settings = own.load({"mode": "production"}, {}, None)
    assert settings.host == "0.0.0.0"
    assert settings.secure_cookies == "always"
    assert settings.log.format == "json"
    kept = own.load({"mode": "production", "host": "127.0.0.1", "log.format": "human"}, {}, None)
    assert (kept.host, kept.log.format) == ("127.0.0.1", "human")


@pytest.mark.parametrize("mode", ["development", "production"])
def test_the_sample_file_loads_to_exactly_the_defaults(mode: own.Mode) -> None:
    assert own.load({"mode": mode}, {}, SAMPLE) == own.defaults(mode)


def test_the_sample_file_is_current_and_explains_every_setting() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    assert text == own.sample_file(), "write it anew: cascade config sample > web/cascade.sample.toml"
    for name, about in own.declared().items():
        assert about.doc in text, name


def test_every_setting_has_a_flag_a_variable_and_an_explanation_of_its_own() -> None:
    declared = own.declared()
    assert len({about.doc for about in declared.values()}) == len(declared)
    for about in declared.values():
        assert about.doc.endswith(".")


def test_lists_are_read_from_text_and_from_toml(tmp_path: Path) -> None:
    wanted = (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert own.load({"trusted_proxies": "10.0.0.0/8, ::1"}, {}, None).trusted_proxies == wanted
    file = written(tmp_path, 'trusted_proxies = ["10.0.0.0/8", "::1"]')
    assert own.load({}, {}, file).trusted_proxies == wanted


def test_origins_are_normalised() -> None:
    settings = own.load({"allowed_origins": "https://A.example:443/,http://b.example:8080"}, {}, None)
    assert settings.allowed_origins == ("https://a.example", "http://b.example:8080")


def test_a_rate_may_have_a_burst_and_other_units() -> None:
    settings = own.load({"limits.join": "10 / 1 min burst 50", "limits.query": "5/2h"}, {}, None)
    assert settings.limits.join == Spec("join", 10, 60_000, 50)
    assert settings.limits.query == Spec("query", 5, 7_200_000)


def test_limits_off_is_for_development_only() -> None:
    assert own.load({}, {"CASCADE_LIMITS": "off"}, None).limits.enabled is False
    (fault,) = faults_of({"mode": "production"}, {"CASCADE_LIMITS": "off"})
    assert fault.name == "limits.enabled"
    assert "CASCADE_LIMITS" in fault.remedy


def test_several_processes_are_refused_with_the_reason() -> None:
    (fault,) = faults_of({"workers": "2"})
    assert (fault.name, "SQLite" in fault.problem) == ("workers", True)


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    file = written(tmp_path, 'prot = 80\n[log]\nlevel = "loud"\n[limits]\nsend = "many"\n')
    faults = faults_of({"port": "80a", "--hots": "--hots"}, {"CASCADE_DATTA": "x"}, file)
    told = "\n".join(str(fault) for fault in faults)
    assert len(faults) == 6
    for part in ("--port", "--hots", "CASCADE_DATTA", "prot in", "log.level in", "limits.send in"):
        assert part in told
    for part in ("Did you mean --host?", "Did you mean CASCADE_DATA?", "Did you mean port?", '"loud"'):
        assert part in told


def test_a_setting_outside_its_section_is_recognised(tmp_path: Path) -> None:
    (fault,) = faults_of(file=written(tmp_path, 'level = "info"'))
    assert "log.level" in fault.remedy


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"port": "65536"}, "too large"),
        ({"port": "-1"}, "too small"),
        ({"port": "9" * 30}, "whole number"),
        ({"port": "٣"}, "whole number"),
        ({"host": "a b"}, "right form"),
        ({"host": ""}, "right form"),
        ({"data": " "}, "path"),
        ({"data": "a\0b"}, "null"),
        ({"mode": "Production"}, "one of them"),
        ({"log.requests": "maybe"}, "neither on nor off"),
        ({"trusted_proxies": "10.0.0.0/8,nonsense"}, "nonsense"),
        ({"allowed_origins": "*"}, "http"),
        ({"allowed_origins": "https://a.example/path"}, "more in it"),
        ({"public_url": "https://[::1"}, "address"),
        ({"limits.send": "0 / 30 s"}, "nothing through"),
        ({"fanout.loop_share": "nan"}, "range"),
        ({"fanout.loop_share": "x"}, "number"),
    ],
)
def test_wrong_values_are_named_with_the_remedy(flags: dict[str, str], problem: str) -> None:
    (fault,) = faults_of(flags)
    assert problem in fault.problem
    assert fault.remedy.startswith("Give ")


@pytest.mark.parametrize(
    "text",
    ['port = "8080"', "port = true", "port = 8080.0", "host = 5", "trusted_proxies = 3", "data = []",
     "trusted_proxies = [1]", "log = 5", "[log]\nrequests = 1", "[port]\na = 1"],
)  # fmt: skip
def test_wrong_types_in_the_file_are_faults(tmp_path: Path, text: str) -> None:
    assert faults_of(file=written(tmp_path, text))


def test_a_file_that_is_no_toml_or_not_there_is_one_fault(tmp_path: Path) -> None:
    (broken,) = faults_of(file=written(tmp_path, "port = = 3"))
    assert "TOML" in broken.problem
    (absent,) = faults_of(file=tmp_path / "nowhere.toml")
    assert "can't be read" in absent.problem
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'host = "\xff"')
    assert "TOML" in faults_of(file=latin)[0].problem


def test_a_control_character_in_a_value_is_not_printed() -> None:
    (fault,) = faults_of({"host": "\x1b[31mred"})
    assert "\x1b" not in str(fault)


def test_variables_of_tests_and_tools_are_not_ours() -> None:
    environ = {"CASCADE_TEST_REPORT": "x", "CASCADE_URL": "y", "CASCADE_CHROMIUM": "z"}
    assert own.load({}, environ, None) == own.defaults()


def test_the_file_is_found_where_it_is_named_or_in_the_folder(tmp_path: Path) -> None:
    assert own.find_file(None, {}, tmp_path) is None
    file = written(tmp_path, "")
    assert own.find_file(None, {}, tmp_path) == file
    assert own.find_file(None, {"CASCADE_CONFIG": "/a/b"}, tmp_path) == Path("/a/b")
    assert own.find_file("/c", {"CASCADE_CONFIG": "/a/b"}, tmp_path) == Path("/c")


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        own.defaults().port = 1  # pyright: ignore[reportAttributeAccessIssue] # that it fails is the point


def test_every_setting_is_read_by_something() -> None:
    web = Path(own.__file__).parent
    texts = [file.read_text("utf-8") for file in web.rglob("*.py") if not file.name.startswith("setting")]
    code = "\n".join(texts)
    unread = [name for name in own.declared() if f".{name.rpartition('.')[2]}" not in code]
    assert unread == ["workers"], "of workers only their number is judged, in settings itself"
