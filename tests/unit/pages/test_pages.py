"""The shell, its language and look, the policy of what it may load, and the delivery of assets."""

import re
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from schemas.errors import Refused
from web import pages
from web.ui import assets as ui

PAGES = ("/", "/signup", "/login", "/account", "/studio", "/@lobby")


class Channels:
    """Knows one channel, one that strangers may not see, and nothing else."""

    async def get(self, ref: str, _viewer: object) -> SimpleNamespace:
        if ref == "@lobby":
            return SimpleNamespace(title="<b>River</b>")
        raise Refused("forbidden" if ref == "@secret" else "not_found")


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=pages.page_routes())
    app.state.services = SimpleNamespace(channels=Channels())
    return TestClient(app)


@pytest.mark.parametrize("path", PAGES)
def test_each_page_loads_its_modules_at_once_and_nothing_inline(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    preloaded = re.findall(r'modulepreload" href="([^"]+)"', answer.text)
    assert any("/app/screens/" in url for url in preloaded)
    assert all(client.get(url).status_code == 200 for url in preloaded)
    scripts = re.findall(r"<script([^>]*)>", answer.text)
    assert [("importmap" in tag or "src=" in tag) for tag in scripts] == [True, True]
    assert not re.search(r"""\son\w+=|style=|https?://""", answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_first_visit_is_small(path: str) -> None:
    screen = "watch" if path.startswith("/@") else {"/": "directory"}.get(path, path[1:])
    files = pages.assets()
    modules = set(files.needed_by("app/main.js")) | set(files.needed_by(f"app/screens/{screen}.js"))
    names = modules | {ui.STYLE, "i18n/en.json"}
    sizes = [len(files.files[name].packed or files.files[name].body) for name in names]
    assert sum(sizes) <= 150_000


def test_the_policy_allows_this_host_and_the_import_map_only() -> None:
    rules = dict(rule.split(" ", 1) for rule in pages.content_security_policy().split("; "))
    assert rules["default-src"] == "'self'"
    assert rules["script-src"] == f"'self' 'sha256-{pages.assets().import_map_hash}'"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in pages.content_security_policy()
    assert "frame-ancestors https://a.example" in pages.content_security_policy(["https://a.example"])


def test_a_title_is_escaped(client: TestClient) -> None:
    text = client.get("/@lobby").text
    assert "<title>&lt;b&gt;River&lt;/b&gt; · Cascade</title>" in text


def test_a_channel_that_is_not_there_is_a_404_and_a_hidden_one_is_not(client: TestClient) -> None:
    assert client.get("/@nobody").status_code == 404
    assert client.get("/@secret").status_code == 200
    assert '"><script>' not in client.get('/@"><script>alert(1)').text.replace('href="', "")


@pytest.mark.parametrize(
    ("header", "cookie", "lang"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", None, "de"),
        ("fr, es;q=0.5, en;q=0.4", None, "es"),
        ("fr", None, "en"),
        ("de", "es", "es"),
        ("de", "xx", "de"),
        (";q=,,;q=x", None, "en"),
    ],
)
def test_language_by_choice_then_by_browser(
    client: TestClient, header: str, cookie: str | None, lang: str
) -> None:
    headers = {"accept-language": header, **({"cookie": f"ui_lang={cookie}"} if cookie else {})}
    assert f'<html lang="{lang}" dir="ltr"' in client.get("/", headers=headers).text


@pytest.mark.parametrize(("cookie", "theme"), [("dark", "dark"), ("contrast", "contrast"), ('"x', "auto")])
def test_the_look_is_drawn_with_the_first_paint(client: TestClient, cookie: str, theme: str) -> None:
    text = client.get("/", headers={"cookie": f"ui_theme={cookie}"}).text
    assert f'data-theme="{theme}"' in text


def test_the_shell_says_whether_somebody_is_signed_in_but_never_who(client: TestClient) -> None:
    assert "data-cookie" not in client.get("/").text
    text = client.get("/", headers={"cookie": "cascade=cs_secret"}).text
    assert "data-cookie" in text
    assert "cs_secret" not in text


def test_assets_are_kept_for_ever_and_packed(client: TestClient) -> None:
    url = pages.assets().url("app/main.js")
    answer = client.get(url, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    plain = client.get(url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content == (ui.HERE / "app" / "main.js").read_bytes()
    assert client.get(url, headers={"if-none-match": answer.headers["etag"]}).status_code == 304


def test_an_older_build_is_answered_but_not_kept(client: TestClient) -> None:
    answer = client.get("/assets/0000/app/main.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["app/none.js", "../pages.py", "pages/page.html", "assets.py", "README.md"])
def test_only_assets_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{pages.assets().build}/{name}").status_code == 404
