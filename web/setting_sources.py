"""Owns merging settings from flags, environment and file, and the report of all that is wrong with them.

Refuses to know any setting by name and to read the environment: both are arguments.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from web.setting_kinds import Kind


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting as declared: kind, explanation, defaults, and names that are not derived from its own."""

    kind: Kind
    doc: str
    default: Any
    production: Any
    flag: str | None
    env: str | None

    def default_in(self, mode: str) -> Any:
        """The default in this mode."""
        return self.production if mode == "production" and self.production is not None else self.default


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the setting's name with where it came from, what was wrong, and the remedy."""

    name: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}. {self.remedy}"


class SettingsFault(Exception):
    """The settings can't be used; `faults` has all reasons at once."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


@dataclass(frozen=True, slots=True)
class Sources:
    """Where values come from, strongest first; `file_name` is for reports."""

    flags: Mapping[str, str]
    environ: Mapping[str, str]
    table: Mapping[str, Any]
    file_name: str


def flag_of(name: str, about: Declared) -> str:
    """The command line's name of a setting: `log.level` is `--log-level`."""
    return about.flag or "--" + name.replace(".", "-").replace("_", "-")


def env_of(name: str, about: Declared) -> str:
    """The environment's name of a setting: `log.level` is `CASCADE_LOG_LEVEL`."""
    return about.env or "CASCADE_" + name.replace(".", "_").upper()


def declared_in(cls: type[Any], prefix: str = "") -> dict[str, Declared]:
    """The settings of a dataclass and its sections by dotted name, in order, scalars before sections."""
    found: dict[str, Declared] = {}
    for each in fields(cls):
        if "setting" in each.metadata:
            found[prefix + each.name] = each.metadata["setting"]
        else:
            found |= declared_in(each.metadata["section"], f"{each.name}.")
    return found


def read_file(path: Path | None) -> tuple[dict[str, Any], list[Fault]]:
    """The file as dotted names and values; one fault if it can't be read or is no TOML."""
    if path is None:
        return {}, []
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [
            Fault(str(path), f"can't be read ({error.strerror})", "Check the path and its permissions.")
        ]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Fault(str(path), f"is no TOML: {error}", "`cascade config sample` prints a good one.")]
    return _flattened(document), []


def _flattened(document: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": entry for inner, entry in value.items()}  # pyright: ignore[reportUnknownVariableType] # TOML
        else:
            flat[name] = value
    return flat


def collect(known: Mapping[str, Declared], sources: Sources) -> tuple[dict[str, Any], list[Fault]]:
    """The typed value of each setting (its default where what was given is wrong), and the faults."""
    faults = _unknown(known, sources)
    values: dict[str, Any] = {}
    mode = "development"
    for name, about in known.items():
        given = _strongest(name, about, sources)
        values[name] = about.default_in(mode)
        if given is not None:
            raw, from_text, where = given
            try:
                values[name] = about.kind.read(raw, from_text)
            except ValueError as problem:
                faults.append(Fault(where, f"{_shown(raw)} {problem}", f"Give {about.kind.wanted}."))
        if name == "mode":  # declared first, because the other defaults rest on it
            mode = values[name]
    return values, faults


def _strongest(name: str, about: Declared, sources: Sources) -> tuple[Any, bool, str] | None:
    if name in sources.flags:
        return sources.flags[name], True, flag_of(name, about)
    variable = env_of(name, about)
    if variable in sources.environ:
        return sources.environ[variable], True, variable
    if name in sources.table:
        return sources.table[name], False, f"{name} in {sources.file_name}"
    return None


def _unknown(known: Mapping[str, Declared], sources: Sources) -> list[Fault]:
    flags = {flag_of(name, about): name for name, about in known.items()}
    variables = {env_of(name, about): name for name, about in known.items()}
    faults = [_no_such(flag, list(flags)) for flag in sources.flags if flag not in known]
    faults += [
        _no_such(variable, list(variables)) for variable in sources.environ if variable not in variables
    ]
    faults += [
        _no_such(name, list(known), f" in {sources.file_name}") for name in sources.table if name not in known
    ]
    return faults


def _no_such(name: str, candidates: list[str], where: str = "") -> Fault:
    near = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if not near:  # a name without its section, or with another
        tail = name.rpartition(".")[2]
        near = [candidate for candidate in candidates if candidate.rpartition(".")[2] == tail][:1]
    remedy = f"Did you mean {near[0]}?" if near else "`cascade config sample` lists all settings."
    return Fault(name + where, "there is no such setting", remedy)


def _shown(raw: Any) -> str:
    text = str(raw)
    if isinstance(raw, bool):
        text = text.lower()
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'


def sample(known: Mapping[str, Declared], sections: Mapping[str, str]) -> str:
    """The sample file: every setting at its default under its explanation.

    Those that differ by mode are commented out, so that it loads to exactly the defaults in either mode.
    `sections` has the explanation of each section.
    """
    lines = [
        "# Settings of Cascade, each at its default. Stronger than this file are CASCADE_* variables of the",
        "# environment (CASCADE_LOG_LEVEL), and stronger than those the flags of a command (--log-level).",
        "# Where the default depends on the mode it is commented out, so that the mode alone changes it.",
    ]
    current = ""
    for name, about in known.items():
        section, _, short = name.rpartition(".")
        if section != current:
            lines += ["", f"[{section}]", f"# {sections[section]}"]
            current = section
        lines += ["", f"# {about.doc}", f"# {about.kind.wanted[0].upper()}{about.kind.wanted[1:]}."]
        shown = about.kind.show(about.default)
        if about.production is None:
            lines.append(f"{short} = {shown}")
        else:
            lines.append(f"# In production mode: {about.kind.show(about.production)}")
            lines.append(f"# {short} = {shown}")
    return "\n".join(lines) + "\n"
