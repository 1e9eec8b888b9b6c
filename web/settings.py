"""Owns every setting: its name, default, bounds and explanation. The one place that reads the environment.

Refuses to act on any of them: it hands out one frozen value, read once at start (law 11). How values are
written is `setting_kinds`' business, how sources are merged and faults reported `setting_sources`'.
"""
# ruff: noqa: RUF009 - _set and _section return dataclass fields

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from chatcore.limits import Spec
from web import setting_kinds as kinds
from web.setting_sources import (
    Declared,
    Fault,
    SettingsFault,
    Sources,
    collect,
    declared_in,
    read_file,
    sample,
)

Mode = Literal["development", "production"]
T = TypeVar("T")

FILE_NAME: Final = "cascade.toml"


def _set(
    default: T,
    kind: kinds.Kind,
    doc: str,
    *,
    production: Any = None,
    flag: str | None = None,
    env: str | None = None,
) -> T:
    """Declare a setting; `production` is its default in that mode where it differs."""
    about = Declared(kind=kind, doc=doc, default=default, production=production, flag=flag, env=env)
    return field(default=default, metadata={"setting": about})


def _section(of: type[T], doc: str) -> T:
    return field(default_factory=of, metadata={"section": of, "doc": doc})


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to standard error."""

    level: str = _set(
        "info", kinds.choice("debug", "info", "warning", "error"), "The least severe lines that are written."
    )
    format: str = _set(
        "human",
        kinds.choice("human", "json"),
        "Lines for people, or one JSON object a line for programs.",
        production="json",
    )
    requests: bool = _set(
        True, kinds.switch(), "One line for each HTTP request (never its query, headers or body)."
    )


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Who may read /metrics."""

    access: str = _set(
        "everyone",
        kinds.choice("everyone", "loopback", "off"),
        "Who may read /metrics: everyone, only this machine (not through a proxy), or nobody.",
        production="loopback",
    )


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """Who may have an account and what he may do with it."""

    signup: str = _set(
        "open",
        kinds.choice("open", "invite"),
        "Whether anybody may sign up, or only people whom an administrator made an account for.",
    )
    channels: str = _set(
        "creators",
        kinds.choice("creators", "everyone"),
        "Who may make channels: people with the role creator (and administrators), or everyone signed up.",
    )
    session_days: int = _set(30, kinds.whole(1, 3650), "Days until a sign-in ends.")


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """One WebSocket connection. The numbers are told to clients in `hello` (protocol 1, 4)."""

    frame_bytes: int = _set(8192, kinds.whole(1024, 65536), "Bytes of a client's frame (auth: 65536).")
    in_flight: int = _set(64, kinds.whole(1, 1024), "Commands of a connection that may wait at once.")
    channels: int = _set(100, kinds.whole(1, 1000), "Channels that a connection may be in at once.")
    auth_ms: int = _set(10_000, kinds.whole(500, 120_000), "Milliseconds a client has to authenticate.")
    ping_ms: int = _set(25_000, kinds.whole(500, 600_000), "Milliseconds of silence before a ping.")
    pong_ms: int = _set(8_000, kinds.whole(200, 120_000), "Milliseconds that it then has to answer.")
    backlog_bytes: int = _set(
        1_048_576,
        kinds.whole(65_536, 67_108_864),
        "Bytes that may wait for a slow reader, the system's buffer counted, before the connection is shed.",
    )
    backlog_ms: int = _set(
        5_000,
        kinds.whole(500, 120_000),
        "Milliseconds that bytes may wait for a slow reader before it is shed.",
    )
    per_address: int = _set(
        2_000, kinds.whole(1, 1_000_000), "Connections from one address (IPv6: one /64) at once."
    )


@dataclass(frozen=True, slots=True)
class FanoutSettings:
    """How events reach the connections of a room."""

    loop_share: float = _set(
        0.6,
        kinds.fraction(0.3, 0.95),
        "The share of the process's time that sending may take; the rest is commands'.",
    )
    recent_mib: int = _set(
        64,
        kinds.whole(1, 65_536),
        "MiB of recent events kept in memory for all rooms, for those who come back.",
    )
    resume_events: int = _set(
        2_000, kinds.whole(0, 100_000), "Events missed that can still be caught up; beyond, a snapshot."
    )


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Rate limits: token buckets as `limit / time`, with `burst` where a bucket is deeper."""

    enabled: bool = _set(
        True,
        kinds.switch(),
        "Off lifts every rate limit, for load tests; only in development mode.",
        flag="--limits",
        env="CASCADE_LIMITS",
    )
    send: Spec = _set(Spec("send", 20, 30_000), kinds.rate("send"), "Messages of a viewer in a channel.")
    send_staff: Spec = _set(
        Spec("send", 100, 30_000), kinds.rate("send"), "Messages of staff and of bots in a channel."
    )
    attempts: Spec = _set(
        Spec("send", 60, 30_000), kinds.rate("send"), "Messages that were refused, of a user in a channel."
    )
    join: Spec = _set(Spec("join", 20, 10_000), kinds.rate("join"), "Joins of a connection; not resumes.")
    query: Spec = _set(Spec("query", 120, 30_000), kinds.rate("query"), "Reads of a connection.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Read-only; `defaults(mode)` and `load(…)` make one."""

    mode: Mode = _set(
        "development",
        kinds.choice("development", "production"),
        "What the defaults are made for. It changes defaults and nothing else.",
    )
    host: str = _set(
        "127.0.0.1",
        kinds.text("an IP address or host name of this machine", r"[0-9A-Za-z.:_%-]{1,253}"),
        "The address to listen on; 0.0.0.0 (or ::) is all of this machine's.",
        production="0.0.0.0",  # noqa: S104 - a server for others listens to others
    )
    port: int = _set(8080, kinds.whole(0, 65535), "The TCP port to listen on; 0 takes any free one.")
    data: Path = _set(
        Path("cascade-data"), kinds.folder(), "The folder of the database and of all else that is kept."
    )
    workers: int = _set(1, kinds.whole(1, 256), "Processes. With the built-in SQLite there can be only one.")
    public_url: str = _set(
        "", kinds.base_url(), "Where people reach this server, if that is not the address listened on."
    )
    trusted_proxies: tuple[kinds.Network, ...] = _set(
        (), kinds.networks(), "Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    allowed_origins: tuple[str, ...] = _set(
        (), kinds.origins(), "Other sites whose pages may use the API with a Bearer token; cookies never."
    )
    secure_cookies: str = _set(
        "auto",
        kinds.choice("auto", "always"),
        "Whether cookies are for https alone always, or only where people come by https.",
        production="always",
    )
    drain_seconds: int = _set(
        30, kinds.whole(0, 600), "Seconds that a planned stop gives to connections before it closes them."
    )
    log: LogSettings = _section(LogSettings, "What is written to standard error.")
    metrics: MetricsSettings = _section(MetricsSettings, "Figures for Prometheus.")
    accounts: AccountSettings = _section(AccountSettings, "Who may have an account and make channels.")
    socket: SocketSettings = _section(
        SocketSettings, "One WebSocket connection; clients are told in `hello`."
    )
    fanout: FanoutSettings = _section(FanoutSettings, "How events reach the connections of a room.")
    limits: LimitSettings = _section(LimitSettings, "Rate limits, by user, connection and address.")

    @property
    def production(self) -> bool:
        """Whether the mode is production."""
        return self.mode == "production"

    @property
    def database_path(self) -> Path:
        """The SQLite file inside the data folder."""
        return self.data / "cascade.sqlite3"


#: Names under the same prefix that belong to tests, examples and tools, not to the server.
FOREIGN_ENVIRONMENT: Final = frozenset(
    {"CASCADE_URL", "CASCADE_TOKEN", "CASCADE_CHANNEL", "CASCADE_ADMIN_TOKEN", "CASCADE_CHROMIUM"}
    | {"CASCADE_CONFIG"}
)
FOREIGN_PREFIX: Final = "CASCADE_TEST_"


def declared() -> dict[str, Declared]:
    """All settings by dotted name, in the order of the sample file."""
    return declared_in(Settings)


def environment() -> dict[str, str]:
    """This process's `CASCADE_*` variables: the only reading of the environment."""
    return {name: value for name, value in os.environ.items() if name.startswith("CASCADE_")}


def defaults(mode: Mode = "development") -> Settings:
    """The settings when nothing is set but the mode."""
    return load({"mode": mode}, {}, None)


def load(flags: Mapping[str, str], environ: Mapping[str, str], file: Path | None) -> Settings:
    """Merge flags over environment over file over the mode's defaults.

    `flags` has dotted names and texts as typed. Raises SettingsFault with every fault there is: a file that
    can't be read, unknown names, wrong values, and values that do not go together.
    """
    known = declared()
    mine = {
        name: value
        for name, value in environ.items()
        if name not in FOREIGN_ENVIRONMENT and not name.startswith(FOREIGN_PREFIX)
    }
    table, faults = read_file(file)
    values, more = collect(known, Sources(flags, mine, table, str(file)))
    faults += more
    settings: Settings = _build(Settings, values, "")
    faults += _disagreements(settings)
    if faults:
        raise SettingsFault(faults)
    return settings


def find_file(flag: str | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """The settings file: `--config`, else CASCADE_CONFIG, else cascade.toml in `folder` if there is one."""
    named = flag or environ.get("CASCADE_CONFIG")
    if named:
        return Path(named).expanduser()
    here = folder / FILE_NAME
    return here if here.exists() else None


def _build(cls: type[Any], values: Mapping[str, Any], prefix: str) -> Any:
    arguments: dict[str, Any] = {}
    for name, about in cls.__dataclass_fields__.items():
        section = about.metadata.get("section")
        arguments[name] = _build(section, values, f"{name}.") if section else values[prefix + name]
    return cls(**arguments)


def _disagreements(settings: Settings) -> list[Fault]:
    faults: list[Fault] = []
    if settings.production and not settings.limits.enabled:
        faults.append(
            Fault(
                "limits.enabled",
                "rate limits can't be switched off in production mode",
                'Remove CASCADE_LIMITS=off, or use mode = "development" for load tests.',
            )
        )
    if settings.workers > 1:
        faults.append(
            Fault(
                "workers",
                f"{settings.workers} processes can't share the built-in SQLite database",
                "Leave workers at 1.",
            )
        )
    return faults


def sample_file() -> str:
    """The text of the sample file, as `web/cascade.sample.toml` has it."""
    about = {name: each.metadata["doc"] for name, each in _sections().items()}
    return sample(declared(), about)


def _sections() -> dict[str, Any]:
    return {each.name: each for each in fields(Settings) if "section" in each.metadata}
