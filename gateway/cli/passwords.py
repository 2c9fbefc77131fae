"""App passwords: made, listed, revoked. A running gateway takes none that is revoked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from gateway.app import SystemClock
from gateway.cli.common import (
    as_json,
    caller,
    config,
    moment,
    print_json,
    print_rows,
    stored_number,
    told,
    with_store,
)
from gateway.cli.folders import user_argument
from gateway.eas.apppasswords import AppPasswordBook
from gateway.ports import Items, State
from gateway.types import AppPassword, UserId

__all__ = ["passwords"]

_COLUMNS = ("user", "number", "name", "created", "used", "bound", "device")


@click.group()
def passwords() -> None:
    """App passwords: create, list, revoke.

    USER is a login at the IMAP server, NUMBER what `passwords list` shows.
    """


@passwords.command()
@user_argument
@click.argument("name")
@click.option("--bound", is_flag=True, help="Good for the first device alone that uses it.")
@as_json
@config
@told
def create(file: Path, user: UserId, name: str, bound: bool, as_json: bool) -> None:
    """Make an app password for USER, and print it this once. NAME says what for."""

    async def make(state: State, _: Items) -> None:
        made = await _book(state).create(user, name, bound=bound)
        if as_json:
            print_json({**_described(made.password), "password": made.text})
        else:
            click.echo(made.text)

    with_store(file, make)


@passwords.command("list")
@click.argument("user", required=False)
@as_json
@config
@told
def list_passwords(file: Path, user: str | None, as_json: bool) -> None:
    """List the app passwords of USER, or those of everybody.

    Columns: user, number, name, when it was made, when it was used (to some minutes), whether it is bound,
    and the device that used it last.
    """

    async def show(state: State, _: Items) -> None:
        found = await _book(state).listed(UserId(user.strip().lower()) if user else None)
        print_rows([_described(one) for one in found], _COLUMNS, as_json=as_json)

    with_store(file, show)


@passwords.command()
@user_argument
@click.argument("number", type=stored_number)
@as_json
@config
@told
def revoke(file: Path, user: UserId, number: int, as_json: bool) -> None:
    """Have the app password NUMBER of USER end: at once, for requests that wait within seconds."""

    async def end(state: State, _: Items) -> None:
        await _book(state).revoke(user, number)
        if as_json:
            print_json({"act": "password.revoke", "user": user, "number": number})

    with_store(file, end)


def _book(state: State) -> AppPasswordBook:
    return AppPasswordBook(state, SystemClock(), caller())


def _described(password: AppPassword) -> Mapping[str, object]:
    return {
        "user": password.user,
        "number": password.number,
        "name": password.name,
        "created": moment(password.created),
        "used": moment(password.used),
        "bound": password.bound,
        "device": password.device or None,
    }
