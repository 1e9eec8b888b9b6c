"""The pages and their static files, and what a page may load.

Owns: the addresses of pages, the HTML shell, its language and look by cookie, the Content-Security-Policy,
and the delivery of assets (one hash in the path, cached for ever). Refuses to know: what a page shows; a
screen asks for that over the public protocol. Of the services it uses one: whether a channel exists, so
that a missing one is a real 404.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from string import Template
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from schemas.errors import Refused
from web.ui import assets as ui
from web.ui.assets import Asset, Assets, AssetsMissing

__all__ = ["AssetsMissing", "assets", "content_security_policy", "not_found_page", "page_routes"]

_THEMES = ("auto", "light", "dark", "contrast")
_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")
_SESSION_COOKIES = ("__Host-cascade", "cascade")
_FOR_EVER = "public, max-age=31536000, immutable"
#: Titles of screens by the key of their words; a channel's page is named by its channel.
_SCREENS = {
    "/": ("directory", "directory.title"),
    "/signup": ("signup", "nav.signup"),
    "/login": ("login", "nav.login"),
    "/account": ("account", "account.title"),
    "/studio": ("studio", "studio.title"),
}


@lru_cache(maxsize=1)
def assets() -> Assets:
    """The files of this process, read at the first call. Raises: `AssetsMissing`."""
    return ui.load()


@lru_cache(maxsize=1)
def _template() -> Template:
    return Template((ui.HERE / "pages" / "page.html").read_text(encoding="utf-8"))


def content_security_policy(frame_ancestors: Sequence[str] = ()) -> str:
    """What a page may load: this host only, nothing inline but the import map, by its hash.

    `frame_ancestors` are the origins that may embed a page; none means no page may be framed.
    Trusted Types are demanded and no policy is allowed, so that no string can ever become markup.
    """
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' 'sha256-{assets().import_map_hash}'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(frame_ancestors) or "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def page_routes() -> list[BaseRoute]:
    """All pages and assets. Raises: `AssetsMissing` at start rather than at the first visit."""
    assets()
    pages: list[BaseRoute] = [Route(path, _screen_page, name=f"page{path}") for path in _SCREENS]
    return [
        *pages,
        Route("/@{slug}", _watch_page, name="page/watch"),
        Route("/assets/{build}/{name:path}", _asset_file, name="assets"),
        Route("/favicon.ico", _favicon, name="favicon"),
    ]


def not_found_page(request: Request) -> Response:
    """The 404 for people, in the language and look of all pages."""
    return _page(request, "missing", _words(request)["missing.title"], status=404)


async def _screen_page(request: Request) -> Response:
    screen, key = _SCREENS[request.url.path]
    return _page(request, screen, _words(request)[key])


async def _watch_page(request: Request) -> Response:
    slug: str = request.path_params["slug"]
    title, status = f"@{slug}", 200
    try:
        channel = await _channels(request).get(f"@{slug}", None)
        title = str(channel.title)
    except Refused as refused:
        # Only "not found" is certain here: whoever is signed in may see what a stranger may not.
        status = 404 if refused.code == "not_found" else 200
    return _page(request, "watch", title, status=status, slug=slug)


def _channels(request: Request) -> Any:
    return request.app.state.services.channels


async def _favicon(_request: Request) -> Response:
    return RedirectResponse(assets().url("style/mark.svg"), status_code=307)


# -- the shell -----------------------------------------------------------------------------------------


def _page(
    request: Request, screen: str, title: str, *, status: int = 200, slug: str | None = None
) -> Response:
    lang = _language(request)
    words = assets().words[lang]
    html = _template().substitute(
        lang=lang,
        dir="rtl" if lang in _RIGHT_TO_LEFT else "ltr",
        theme=_theme(request),
        screen=screen,
        marks=_marks(request, slug),
        title=escape(f"{title} · Cascade"),
        description=escape(title),
        icon=assets().url("style/mark.svg"),
        import_map=assets().import_map,
        links=_links(screen, lang),
        main=assets().url("app/main.js"),
        skip=escape(words["nav.skip"]),
        noscript=escape(words["page.noscript"]),
    )
    headers = {"cache-control": "no-cache", "vary": "Accept-Language, Cookie"}
    return HTMLResponse(html, status_code=status, headers=headers)


def _marks(request: Request, slug: str | None) -> str:
    """What the first script should know without asking: the channel, and whether anybody is signed in."""
    marks = f' data-slug="{escape(slug)}"' if slug is not None else ""
    signed_in = any(name in request.cookies for name in _SESSION_COOKIES)
    return marks + (' data-cookie="1"' if signed_in else "")


@lru_cache(maxsize=64)
def _links(screen: str, lang: str) -> str:
    """Everything the first paint needs is asked for at once, instead of one module after another."""
    files = assets()
    modules = dict.fromkeys(files.needed_by("app/main.js") + files.needed_by(f"app/screens/{screen}.js"))
    lines = [f'<link rel="stylesheet" href="{files.url(ui.STYLE)}">']
    lines += [f'<link rel="modulepreload" href="{files.url(name)}">' for name in modules]
    lines.append(f'<link rel="preload" as="fetch" crossorigin href="{files.url(f"i18n/{lang}.json")}">')
    return "\n".join(lines)


def _theme(request: Request) -> str:
    chosen = request.cookies.get("ui_theme", "auto")
    return chosen if chosen in _THEMES else "auto"


def _words(request: Request) -> dict[str, str]:
    return dict(assets().words[_language(request)])


def _language(request: Request) -> str:
    chosen = request.cookies.get("ui_lang")
    if chosen in ui.LANGUAGES:
        return str(chosen)
    for wish in _wishes(request.headers.get("accept-language", "")):
        if wish in ui.LANGUAGES:
            return wish
    return ui.LANGUAGES[0]


def _wishes(header: str) -> list[str]:
    """Primary tags of an Accept-Language, the most wanted first; what is no number counts as unwanted."""
    found: list[tuple[float, str]] = []
    for part in header[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            found.append((-float(weight or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(found, key=lambda each: each[0])]


# -- assets --------------------------------------------------------------------------------------------


async def _asset_file(request: Request) -> Response:
    asset = assets().files.get(request.path_params["name"])
    if asset is None:
        return PlainTextResponse("Not found", status_code=404)
    # A page of an older build asks by its own hash: it gets what is here, but must not keep it.
    current = request.path_params["build"] == assets().build
    etag = f'"{assets().build}"'
    headers = {"cache-control": _FOR_EVER if current else "no-cache", "etag": etag, "vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return _encoded(asset, headers, accepts=request.headers.get("accept-encoding", ""))


def _encoded(asset: Asset, headers: dict[str, str], *, accepts: str) -> Response:
    if asset.packed is not None and "gzip" in accepts:
        return Response(
            asset.packed, media_type=asset.media_type, headers={**headers, "content-encoding": "gzip"}
        )
    return Response(asset.body, media_type=asset.media_type, headers=headers)
