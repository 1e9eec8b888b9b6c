"""Reading the files: what is missing is said with its remedy, and any byte makes another build."""

import shutil
from pathlib import Path

import pytest

from web.ui import assets as ui


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("app", "style", "i18n", "vendor"):
        shutil.copytree(ui.HERE / folder, tmp_path / folder)
    return tmp_path


def test_missing_libraries_are_named_with_the_remedy(copy: Path) -> None:
    (copy / "vendor" / "htm.module.js").unlink()
    with pytest.raises(ui.AssetsMissing, match=r"htm\.module\.js.*run python3 dev\.py run"):
        ui.load(copy)


def test_missing_constants_are_named(copy: Path) -> None:
    with pytest.raises(ui.AssetsMissing, match=r"constants\.js"):
        ui.load(copy, copy / "constants.js")


def test_any_byte_makes_another_build(copy: Path) -> None:
    before = ui.load(copy).build
    assert ui.load(copy).build == before
    (copy / "style" / "base.css").write_text("/* other */")
    assert ui.load(copy).build != before


def test_a_screen_needs_what_it_imports_and_no_other_screen() -> None:
    files = ui.load()
    login = files.needed_by("app/screens/login.js")
    assert "app/link.js" in login
    assert "vendor/preact.module.js" in login
    assert not any("chat" in name for name in login)


def test_every_import_leads_to_a_file() -> None:
    files = ui.load()
    for name in files.files:
        if name.startswith("app/"):
            source = files.files[name].body.decode()
            for target in ui.imports_of(name, source):
                assert target in files.files, f"{name} imports {target}"


def test_every_sheet_is_in_the_one_that_is_loaded() -> None:
    files = ui.load().files
    whole = files[ui.STYLE].body
    for name, asset in files.items():
        if name.endswith(".css"):
            assert asset.body in whole, name
