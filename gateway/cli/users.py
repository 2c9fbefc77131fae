"""Users: listed, and signed out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource

from gateway.app import admission_of
from gateway.cli.common import (
    as_json,
    config,
    decisions,
    moment,
    print_json,
    print_rows,
    recall_groups,
    told,
    with_store,
)
from gateway.cli.folders import note_stranger, user_argument
from gateway.config import load
from gateway.eas.admission import Admission
from gateway.errors import Refused
from gateway.ports import Items, State
from gateway.ports.devicelist import SeenUser
from gateway.types import UserId

__all__ = ["users"]

_COLUMNS = ("user", "devices", "last_seen", "barred")


@click.group(invoke_without_command=True)
@as_json
@config
@click.pass_context
@told
def users(context: click.Context, /, file: Path, as_json: bool) -> None:
    """List who uses the gateway.

    Columns: user, number of devices, when one of them was last seen, and whether the user is barred.
    """
    if context.invoked_subcommand is not None:
        if context.get_parameter_source("file") is ParameterSource.COMMANDLINE or as_json:
            raise click.UsageError("options stand behind the name of the command")
        return
    admission = admission_of(load(file, os.environ))

    async def show(state: State, _: Items) -> None:
        await recall_groups(state, admission)
        rows = [_described(one, admission) for one in await state.list_users()]
        print_rows(rows, _COLUMNS, as_json=as_json)

    with_store(file, show)


@users.command("sign-out")
@user_argument
@as_json
@config
@told
def sign_out(file: Path, user: UserId, as_json: bool) -> None:
    """Have USER log in again everywhere.

    His sessions at the web pages end, requests of his phones that wait are answered, and whatever they show
    next is checked at the mail server, which may have another password by now. App passwords are revoked
    with `passwords revoke`, phones that are to stay out blocked with `devices block`.
    """

    async def end(state: State, items: Items) -> None:
        stranger = await note_stranger(state, items, user)
        await decisions(state).sign_out(user)
        if as_json:
            print_json({"act": "user.sign-out", "user": user, "known": not stranger})

    with_store(file, end)


def _described(seen: SeenUser, admission: Admission) -> Mapping[str, object]:
    try:
        admission.check_user(seen.user)
        barred = False
    except Refused:
        barred = True
    return {
        "user": seen.user,
        "devices": seen.devices,
        "last_seen": moment(seen.last_seen),
        "barred": barred,
    }
