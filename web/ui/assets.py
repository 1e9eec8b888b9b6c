"""Static files of the pages: read once, compressed once, named by one hash of all their bytes.

Owns: which files exist, their types and encodings, the import map and its hash, and which modules a screen
needs (so that the browser asks for all of them at once). Refuses to know: requests, routes and languages'
choice. Sizes are bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
CONSTANTS = HERE.parent.parent / "schemas" / "generated" / "constants.js"

#: Bare names that modules import, and the files (from npm, by lock) that they mean.
VENDOR: Mapping[str, str] = {
    "preact": "vendor/preact.module.js",
    "preact/hooks": "vendor/hooks.module.js",
    "htm": "vendor/htm.module.js",
    "@preact/signals-core": "vendor/signals-core.module.js",
    "@preact/signals": "vendor/signals.module.js",
}
CONSTANTS_NAME = "constants.js"
#: All sheets as one file, in the order in which they build on each other: one request before the first paint.
STYLE = "style/all.css"
_SHEETS = ("tokens", "base", "controls", "components", "chat", "screens")
LANGUAGES = ("en", "de", "es")

_TYPES: Mapping[str, str] = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_FOLDERS = ("app", "style", "i18n", "vendor")
_IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["']([^"'`$]+)["']""")
#: Below this a compressed answer saves less than its header costs.
_GZIP_FROM = 512


class AssetsMissing(RuntimeError):
    """Files that the pages need are not there; the message says which, and what brings them."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent: `packed` is its gzip form, or None where that would not be smaller."""

    name: str
    media_type: str
    body: bytes
    packed: bytes | None


@dataclass(frozen=True, slots=True)
class Assets:
    """All files of one build. `build` changes when any byte of any file does."""

    build: str
    files: Mapping[str, Asset]
    import_map: str
    import_map_hash: str
    words: Mapping[str, Mapping[str, str]]

    def url(self, name: str) -> str:
        """The address of a file; it may be cached for ever."""
        return f"/assets/{self.build}/{name}"

    def needed_by(self, entry: str) -> list[str]:
        """`entry` and every module that it imports by name, each once, in the order they are met."""
        return _walk(entry, self.files)


def load(root: Path = HERE, constants: Path = CONSTANTS) -> Assets:
    """Reads, compresses and names all files.

    Raises: `AssetsMissing` if the browser's libraries or the generated constants are not there.
    """
    wanted = [root / path for path in VENDOR.values()] + [constants]
    absent = [path.name for path in wanted if not path.is_file()]
    if absent:
        raise AssetsMissing(
            f"Files of the web pages are missing ({', '.join(absent)}): run python3 dev.py run, "
            "which fetches them by their lock and starts the server."
        )
    bodies = {name: path.read_bytes() for name, path in _found(root)}
    bodies[CONSTANTS_NAME] = constants.read_bytes()
    bodies[STYLE] = b"\n".join(bodies[f"style/{name}.css"] for name in _SHEETS)
    build = _digest(bodies)
    names = {**VENDOR, "cascade/constants": CONSTANTS_NAME}
    imports = {bare: f"/assets/{build}/{name}" for bare, name in names.items()}
    import_map = json.dumps({"imports": imports}, separators=(",", ":"))
    return Assets(
        build=build,
        files={name: _asset(name, body) for name, body in bodies.items()},
        import_map=import_map,
        import_map_hash=base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode(),
        words={lang: json.loads(bodies[f"i18n/{lang}.json"]) for lang in LANGUAGES},
    )


def _found(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in _TYPES:
                yield path.relative_to(root).as_posix(), path


def _digest(bodies: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(bodies):
        digest.update(f"{name}\0{len(bodies[name])}\0".encode())
        digest.update(bodies[name])
    return digest.hexdigest()[:16]


def _asset(name: str, body: bytes) -> Asset:
    packed = gzip.compress(body, 9, mtime=0) if len(body) >= _GZIP_FROM else None
    small = packed is not None and len(packed) < len(body)
    return Asset(name, _TYPES[PurePosixPath(name).suffix], body, packed if small else None)


def _walk(entry: str, files: Mapping[str, Asset]) -> list[str]:
    seen: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in files:
            continue
        seen[name] = None
        waiting.extend(imports_of(name, files[name].body.decode()))
    return list(seen)


def imports_of(name: str, source: str) -> Iterator[str]:
    """Files that a module imports, as names of assets; bare names by the import map."""
    for target in _IMPORT.findall(source):
        if target in VENDOR:
            yield VENDOR[target]
        elif target == "cascade/constants":
            yield CONSTANTS_NAME
        elif target.startswith("."):
            yield _resolve(PurePosixPath(name).parent, target)


def _resolve(folder: PurePosixPath, target: str) -> str:
    parts = list(folder.parts)
    for part in PurePosixPath(target).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
