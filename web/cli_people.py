"""Owns the sub-commands `user` and `token`: accounts and tokens by the hand of whoever owns the machine.

Refuses to hold rules of its own: everything goes through `chatcore.people`, as a request of an administrator
would. The database belongs to one process, so these say so and do nothing while the server runs.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from chatcore.log.database import Database, DatabaseUnavailable
from chatcore.people.config import PeopleConfig
from chatcore.people.principal import ADMIN, CREATOR, Principal
from chatcore.people.service import People
from chatcore.people.store_sqlite import SqliteStore
from schemas import resources
from schemas.errors import Refused
from web.cli_care import prepare_data
from web.cli_parts import Command, Failed, ask_password, say
from web.settings import Settings

_OPERATOR: Final = Principal("operator", "user", "operator", "Operator", frozenset({ADMIN}), "terminal", None)
_ADDRESS: Final = "terminal"
_ALL_PAGES: Final = 200


@asynccontextmanager
async def people_of(settings: Settings) -> AsyncGenerator[People, None]:
    """The people of the database in the data folder. Raises Failed, while a server has it too."""
    prepare_data(settings.data)
    try:
        database = await Database.open(settings.database_path)
    except DatabaseUnavailable as error:
        raise Failed(str(error)) from None
    config = PeopleConfig(session_days=settings.accounts.session_days)
    people = People(SqliteStore(database), clock=_now, entropy=secrets.token_bytes, config=config)
    try:
        yield people
    finally:
        await people.close()
        await database.close()


def _now() -> int:
    return time.time_ns() // 1_000_000


Work = Callable[[argparse.Namespace, People], Awaitable[None]]


def _run(work: Work) -> Callable[[argparse.Namespace, Settings], int]:
    def run(arguments: argparse.Namespace, settings: Settings) -> int:
        async def with_people() -> None:
            async with people_of(settings) as people:
                await work(arguments, people)

        asyncio.run(with_people())
        return 0

    return run


# -- user --------------------------------------------------------------------------------------------------


async def _create(arguments: argparse.Namespace, people: People) -> None:
    roles = [role for role in (ADMIN, CREATOR) if getattr(arguments, role)]
    wanted = resources.UserCreate(
        display_name=arguments.display_name or arguments.name,
        name=arguments.name,
        email=arguments.email,
        roles=cast(list[resources.InstanceRole], roles),
        password=None if arguments.invite else ask_password(arguments.password_stdin),
    )
    user = await people.create_user(_OPERATOR, wanted)
    say(f"Made @{user.name} ({user.id})" + (f" with the role {' and '.join(roles)}." if roles else "."))
    if isinstance(user.invite_url, str):
        say(f"Give him this address of your server, good for a week and one use: {user.invite_url}")


async def _passwd(arguments: argparse.Namespace, people: People) -> None:
    ref = _ref(arguments.user)
    await people.get_user(ref, _OPERATOR)
    password = ask_password(arguments.password_stdin)
    user = await people.patch_user(_OPERATOR, ref, {"password": password}, address=_ADDRESS)
    say(f"@{user.name} has a new password; all his sessions have ended.")


async def _users(arguments: argparse.Namespace, people: People) -> None:
    query = resources.UserQuery(q=arguments.q, limit=_ALL_PAGES)
    while True:
        page = await people.list_users(_OPERATOR, query)
        for user in page.items:
            roles = ",".join(user.roles or [])
            say(f"{user.id}  @{user.name:<25}  {user.email or '-'}  {roles}".rstrip())
        if page.next is None:
            return
        query = resources.UserQuery(q=arguments.q, limit=_ALL_PAGES, cursor=page.next)


# -- token -------------------------------------------------------------------------------------------------


async def _acting(people: People, name: str) -> Principal:
    """The user as whom a token is made, as if he had signed in himself."""
    user = await people.get_user(_ref(name), _OPERATOR)
    if user.kind != "user":
        raise Refused("bad_request", f"@{user.name} is no person; name the one who answers for the token.",
                      field="--user", d={"reason": "kind"})  # fmt: skip
    roles = frozenset(user.roles or [])
    return Principal(user.id, "user", user.name, user.display_name, roles, "terminal", None)


async def _create_token(arguments: argparse.Namespace, people: People) -> None:
    maker = await _acting(people, arguments.user)
    expires_at = None if arguments.days is None else _now() + arguments.days * 86_400_000
    wanted = resources.TokenCreate(
        kind=arguments.kind,
        name=arguments.name,
        channels=arguments.channel or ["*"],
        scopes=arguments.scope,
        expires_at=expires_at,
    )
    made = await people.create_token(maker, wanted)
    say(f"Token {made.id}, acting as @{made.user.name}. It is shown this once:")
    say(made.token)


async def _list_tokens(arguments: argparse.Namespace, people: People) -> None:
    maker = await _acting(people, arguments.user)
    page = await people.list_tokens(maker, resources.PageQuery(limit=_ALL_PAGES))
    for token in page.items:
        until = "without end" if token.expires_at is None else f"until {_date(token.expires_at)}"
        used = "never used" if token.last_used_at is None else f"used {_date(token.last_used_at)}"
        say(f"{token.id}  {token.kind}  {token.name}  as @{token.user.name}  {until}, {used}")
        say(f"    channels {' '.join(token.channels)}  scopes {' '.join(token.scopes) or '-'}")


async def _revoke_token(arguments: argparse.Namespace, people: People) -> None:
    await people.revoke_token(await _acting(people, arguments.user), arguments.id)
    say(f"Token {arguments.id} has ended.")


def _date(ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(ms / 1000))


def _ref(name: str) -> str:
    return name if name.startswith(("@", "u_")) else f"@{name}"


# -- arguments ---------------------------------------------------------------------------------------------


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="3 to 25 of a-z, 0-9 and _")
    parser.add_argument("--email", required=True, help="the address he signs in with")
    parser.add_argument("--display-name", metavar="TEXT", help="how he is shown (default: the name)")
    parser.add_argument("--admin", action="store_true", help="may administer the instance")
    parser.add_argument("--creator", action="store_true", help="may make channels")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    way.add_argument(
        "--invite", action="store_true", help="print an invitation instead of setting a password"
    )


def _passwd_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", help="the name or id")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("q", nargs="?", metavar="TEXT", help="only those whose name or email has this in it")


def _owner_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", required=True, metavar="NAME", help="whose token it is")


def _token_arguments(parser: argparse.ArgumentParser) -> None:
    _owner_argument(parser)
    parser.add_argument("name", help="what it is for; of a bot also how it is shown")
    parser.add_argument("--kind", choices=("bot", "personal", "overlay"), default="bot", help="default: bot")
    channel = "a channel it may be used in (c_…); may be given several times, all without"
    parser.add_argument("--channel", action="append", metavar="ID", help=channel)
    scope = "what it may do, such as msg.send; may be given several times"
    parser.add_argument("--scope", action="append", metavar="CAPABILITY", default=[], help=scope)
    parser.add_argument("--days", type=_days, metavar="N", help="days until it ends (default: without end)")


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 36_500:
        raise argparse.ArgumentTypeError("give a whole number of days from 1 to 36500")
    return int(text)


def _revoke_arguments(parser: argparse.ArgumentParser) -> None:
    _owner_argument(parser)
    parser.add_argument("id", help="the token's id, as `token list` shows it")


def _command(name: str, text: str, work: Work, more: Any) -> Command:
    return Command(name, text + "\nThe server must not be running: the database belongs to one process.",
                   _run(work), more=more)  # fmt: skip


USER: Final = Command(
    "user",
    "Make accounts and set passwords.",
    children=(
        _command("create", "Make an account.", _create, _create_arguments),
        _command("passwd", "Set somebody's password and end his sessions.", _passwd, _passwd_arguments),
        _command("list", "List accounts.", _users, _list_arguments),
    ),
)
TOKEN: Final = Command(
    "token",
    "Make, list and end tokens of bots, overlays and people.",
    children=(
        _command("create", "Make a token and print it once.", _create_token, _token_arguments),
        _command("list", "List somebody's tokens, without their secrets.", _list_tokens, _owner_argument),
        _command("revoke", "End a token.", _revoke_token, _revoke_arguments),
    ),
)
