"""The catalogues: complete in each language, and every key that a module asks for is there."""

import re

import pytest

from schemas.codes import ERRORS
from web.ui import assets as ui

FORMS = (".one", ".other")
#: Errors of the wire that only a broken client meets; the server's own words are shown.
NOT_FOR_PEOPLE = {"bad_frame", "unknown_command", "bad_id", "too_many_in_flight", "not_joined"}


def words() -> dict[str, dict[str, str]]:
    return {lang: dict(each) for lang, each in ui.load().words.items()}


@pytest.mark.parametrize("lang", ui.LANGUAGES)
def test_each_language_has_every_key(lang: str) -> None:
    catalogues = words()
    assert catalogues[lang].keys() == catalogues["en"].keys()


@pytest.mark.parametrize("lang", ui.LANGUAGES)
def test_each_language_fills_the_same_values(lang: str) -> None:
    catalogues = words()
    for key, text in catalogues["en"].items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(
            re.findall(r"\{\w+\}", catalogues[lang][key])
        ), key


def test_every_key_that_a_module_asks_for_is_there() -> None:
    catalogue = words()["en"]
    for path in sorted((ui.HERE / "app").rglob("*.js")):
        for key in re.findall(r'\bt\("([\w.]+)"', path.read_text(encoding="utf-8")):
            assert key in catalogue or f"{key}.other" in catalogue, f"{path.name}: {key}"


def test_every_key_is_asked_for() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ui.HERE / "app").rglob("*.js"))
    sources += (ui.HERE.parent / "pages.py").read_text(encoding="utf-8")
    built = re.findall(r"`([\w.]+\.)\$\{", sources)
    for key in words()["en"]:
        plain = key.removesuffix(".one").removesuffix(".other")
        assert f'"{plain}"' in sources or any(plain.startswith(start) for start in built), key


def test_a_refusal_that_people_meet_has_words() -> None:
    catalogue = words()["en"]
    for code in ERRORS.keys() - NOT_FOR_PEOPLE:
        assert f"error.{code}" in catalogue, code
