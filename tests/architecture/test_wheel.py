"""The built wheel is the product: our names, all files they need, and a command that works elsewhere."""

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import httpx2
import pytest

import dev
from tests.architecture.tree import PACKAGES, ROOT, tracked
from tests.support.server import free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`cascade`, installed from the wheel and the lock into an environment of its own."""
    home = tmp_path_factory.mktemp("fresh") / "venv"
    uv = shutil.which("uv")
    venv.create(home, with_pip=not uv)
    dev.install(uv, ROOT / "requirements.lock", python=home / "bin" / "python")
    installer = (
        [uv, "pip", "install", "--python"] if uv else [home / "bin" / "python", "-m", "pip", "install"]
    )
    target = [home / "bin" / "python"] if uv else []
    subprocess.run([*installer, *target, "--quiet", "--no-deps", str(wheel)], check=True)
    return home / "bin" / "cascade"


def test_the_wheel_brings_our_names_and_no_other(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    ours = {str(file) for file in tracked() if file.parts[0] in PACKAGES}
    assert ours - inside == set()


def test_the_wheel_holds_the_browser_libraries_and_their_licences(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {f"web/ui/vendor/{name}" for name in dev.BROWSER_FILES.values()} <= inside
    assert any(name.endswith("/licenses/LICENSE") for name in inside)


def test_the_command_works_outside_the_tree(command: Path, tmp_path: Path) -> None:
    done = subprocess.run([command, "version"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout


def test_the_installed_server_serves_its_page_and_the_libraries(command: Path, tmp_path: Path) -> None:
    site = f"http://127.0.0.1:{free_port()}"
    flags = ["--port", site.rpartition(":")[2], "--data", str(tmp_path / "data")]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([command, "serve", *flags], cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(site), "the installed server answers")
        page = httpx2.get(site, trust_env=False).text
        libraries = re.findall(r'"(/assets/\w+/vendor/[\w.-]+\.js)"', page)
        assert len(set(libraries)) == 5
        for path in libraries:
            assert httpx2.get(site + path, trust_env=False).status_code == 200
    finally:
        server.terminate()
        server.wait(20)


def answers(site: str) -> bool:
    """Whether the server takes requests yet."""
    try:
        return httpx2.get(f"{site}/livez", trust_env=False, timeout=2).status_code == 200
    except httpx2.TransportError:
        return False
