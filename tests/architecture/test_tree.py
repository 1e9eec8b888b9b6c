"""The tree keeps the house's habits: short files, nothing of one machine, nothing left over."""

import re
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, read, texts, tracked

LONGEST = 500  # lines; a newcomer has to be able to say what a file is for
MACHINE_PATH = re.compile(r"(?:^|[\s\"'`(=])/(?:home|Users|root|work|private/var)/\w")
DOWNLOAD = re.compile(
    r"https?://[^ \"]*\.(?:whl|tgz|crate|deb|tar\.gz)\b"
    r"|\"resolved\": *\"http|registry *= *\"?http|index.url *="
)
REGISTRY = re.compile(
    r"\b(?:files\.python\w+|pypi\.org|registry\.\w+\.(?:org|com)|(?:deb|security)\.debian\.org)"
)
LEFT_OVER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
TOP_LEVEL = {*PACKAGES, ".ci", "deploy", "examples", "tests"}


def lines_matching(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """`file:line: text` of each line that matches."""
    return [
        f"{file}:{number}: {line.strip()[:120]}"
        for file in files
        for number, line in enumerate(read(file).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_is_too_long_to_be_about_one_thing() -> None:
    long = {str(file): len(read(file).splitlines()) for file in texts(".py", ".js", ".css", ".sql")}
    assert {file: count for file, count in long.items() if count > LONGEST} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_what_it_owns(package: str) -> None:
    readme = ROOT / package / "README.md"
    assert readme.exists()
    assert len(readme.read_text().split()) > 60


def test_the_top_level_holds_the_agreed_folders_only() -> None:
    assert {file.parts[0] for file in tracked() if len(file.parts) > 1} <= TOP_LEVEL


def test_nothing_names_a_path_of_one_machine() -> None:
    assert lines_matching(MACHINE_PATH, texts()) == []


def test_nothing_names_where_packages_are_downloaded_from() -> None:
    files = [*texts(), *(file for file in tracked() if file.suffix == ".lock")]
    assert lines_matching(DOWNLOAD, files) == []
    assert (
        lines_matching(REGISTRY, [file for file in files if file != Path("tests/architecture/test_tree.py")])
        == []
    )


def test_nothing_is_marked_as_unfinished() -> None:
    assert lines_matching(LEFT_OVER, texts(".py", ".js", ".css", ".sql", ".html", ".md")) == []


def test_no_third_party_code_is_committed() -> None:
    assert [file for file in tracked() if "node_modules" in file.parts or "vendor" in file.parts] == []
    assert [file for file in tracked() if file.name.endswith((".min.js", ".min.css"))] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{file}: {target}"
        for file in texts(".md")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", read(file))
        if not (ROOT / file.parent / target).exists()
    ]
    assert broken == []
