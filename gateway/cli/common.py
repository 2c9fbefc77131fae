"""What commands have in common: the configuration, the store, how rows and failures are told, who calls."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.app import SystemClock, is_shared, open_store, store_file
from gateway.config import CONFIG_VARIABLE, load
from gateway.eas.admission import Admission
from gateway.eas.deciding import Decisions
from gateway.eas.memberships import LearnedGroups
from gateway.errors import GatewayError
from gateway.pim.clock import tzid_of
from gateway.ports import Act, Items, State
from gateway.sync.background import Background
from gateway.types import DeviceId, UserId

__all__ = [
    "act",
    "as_json",
    "caller",
    "config",
    "confirm",
    "decisions",
    "moment",
    "print_json",
    "print_rows",
    "print_stream",
    "reachable",
    "recall_groups",
    "report_aside",
    "shown",
    "stored_number",
    "told",
    "with_store",
    "zone_of_users",
]

_USAGE_ERROR = 2
_ASIDE = f"{__name__}.aside"
"""Under this name a command's context has whether standard output is for something else than JSON."""
P = ParamSpec("P")
T = TypeVar("T")

stored_number = click.IntRange(1, 2**63 - 1)
"""What rows of the store are numbered with."""
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def config(function: Callable[P, T]) -> Callable[P, T]:
    """Give a command `--config FILE`."""
    return click.option(
        "--config",
        "file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar=CONFIG_VARIABLE,
        default=Path("/etc/activesync-gateway/gateway.toml"),
        show_default=True,
        help="Configuration file.",
    )(function)


def told(function: Callable[P, T]) -> Callable[P, T]:
    """Tell a failure in one line, or with `--json` as an object, and end with status 2."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except GatewayError as error:
            if kwargs.get("as_json"):
                print_json({"error": str(error)})
            else:
                click.echo(f"activesync-gateway: {error}", err=True)
            sys.exit(_USAGE_ERROR)
        except click.Abort:
            if kwargs.get("as_json"):
                print_json({"error": "not confirmed"})
            raise

    return call


def reachable(host: str) -> str:
    """Where something that listens on an address is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def zone_of_users(file: Path) -> tzinfo | None:
    """The `calendar.timezone` of a configuration; None for UTC, which may just not have been changed.

    Raises `GatewayError`.
    """
    zone = ZoneInfo(load(file, os.environ).calendar.timezone)
    return zone if tzid_of(zone) else None


def with_store(file: Path, work: Callable[[State, Items], Awaitable[T]]) -> T:
    """Do something with the store of a configuration, beside a gateway that serves from it or without one.

    One that was not there is made, and told: the configuration may name another than is meant. Raises
    `GatewayError`.
    """
    settings = load(file, os.environ)
    is_new = not is_shared(settings) and not store_file(settings).exists()

    async def run() -> T:
        async with open_store(settings) as (state, items):
            if is_new:
                click.echo(f"activesync-gateway: a new store was made: {store_file(settings)}", err=True)
            return await work(state, items)

    return asyncio.run(run())


async def recall_groups(state: State, admission: Admission) -> None:
    """Know in which groups the directories said that users are; none is asked."""
    groups, names = admission.policies.groups, admission.directory_groups
    await LearnedGroups(groups, names, state, SystemClock(), Background()).recall()


def act(what: str, user: str = "", device: str = "", details: str = "") -> Act:
    """What is decided by whoever calls the command, for the audit log."""
    return Act(datetime.now(UTC), caller(), what, UserId(user), DeviceId(device), details)


def decisions(state: State) -> Decisions:
    """What an administrator who calls the command decides of devices."""
    return Decisions(state, SystemClock(), caller())


def caller() -> str:
    """Who calls the command, as it is noted with what is decided."""
    return f"cli:{_account()}"


def _account() -> str:
    """The account of the operating system, or who became that by sudo.

    Whoever may call commands as the user of the gateway, or as root, may write to the store itself: so far is
    believed what the environment says.
    """
    if caller := os.environ.get("SUDO_USER"):
        return caller
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # containers have users without a name
        return str(os.getuid())


def confirm(question: str) -> None:
    """Ask whoever calls the command, beside standard output. Raises `click.Abort` unless it is a yes."""
    click.confirm(shown(question), abort=True, err=True)


def report_aside() -> None:
    """Have the JSON of this command written to standard error: standard output is for a file."""
    click.get_current_context().meta[_ASIDE] = True


def print_json(found: object) -> None:
    """Print what a command found or did, for programs."""
    aside = click.get_current_context().meta.get(_ASIDE, False)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False), err=aside)


def print_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows for programs, or some of their columns for people, below their names, with tabs between."""
    if as_json:
        print_json([*rows])
        return
    click.echo("\t".join(columns))
    for row in rows:
        click.echo("\t".join(shown(row[name]) for name in columns))


async def print_stream(
    batches: AsyncIterator[Sequence[Mapping[str, object]]], columns: Sequence[str], *, as_json: bool
) -> None:
    """Print rows as `print_rows` does, as they come: there may be more than belong into memory."""
    aside = click.get_current_context().meta.get(_ASIDE, False)
    if not as_json:
        click.echo("\t".join(columns))
    before = "["
    async for rows in batches:
        for row in rows:
            if as_json:
                text = json.dumps(row, indent=2, ensure_ascii=False).replace("\n", "\n  ")
                click.echo(f"{before}\n  {text}", nl=False, err=aside)
                before = ","
            else:
                click.echo("\t".join(shown(row[name]) for name in columns))
    if as_json:
        click.echo("[]" if before == "[" else "\n]", err=aside)


def moment(value: datetime | None) -> str | None:
    """A time as it is shown, to the second."""
    return value.isoformat(timespec="seconds") if value else None


def shown(value: object) -> str:
    """A value for people; what devices and mail say is not to steer a terminal."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return ", ".join(f"{name}: {shown(each)}" for name, each in value.items()) or "-"
        case tuple() | list():
            return ", ".join(map(shown, value)) or "-"
        case _:
            return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(value))
