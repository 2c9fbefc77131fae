"""`audit`: who decided what."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.common import as_json, config, moment, print_rows, stored_number, told, with_store
from gateway.ports import Items, State
from gateway.ports.audit import Wanted

__all__ = ["audit"]

_COLUMNS = ("number", "at", "who", "act", "user", "device", "details")


@click.command()
@click.option("--who", default="", help="Only what WHO decided: a user, or cli:ACCOUNT.")
@click.option("--act", default="", help="Only this, as device.wipe.")
@click.option("--user", default="", help="Only what was about USER.")
@click.option("--device", default="", help="Only what was about DEVICE.")
@click.option("--before", type=stored_number, help="Only what has a lower number.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Rows at most."
)
@as_json
@config
@told
def audit(
    *,
    file: Path,
    who: str,
    act: str,
    user: str,
    device: str,
    before: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List what was decided of users, devices and folders, the newest first.

    Columns: number, when, who did it, what, the user and the device it was about, and details.
    """
    wanted = Wanted(who, act, user.strip().lower(), device, before)

    async def show(state: State, _: Items) -> None:
        rows = [
            {
                "number": one.number,
                "at": moment(one.act.at),
                "who": one.act.who,
                "act": one.act.act,
                "user": one.act.user or None,
                "device": one.act.device or None,
                "details": one.act.details or None,
            }
            for one in await state.list_acts(wanted, limit)
        ]
        print_rows(rows, _COLUMNS, as_json=as_json)

    with_store(file, show)
