"""Commands for the store as a whole: backup, restore."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from gateway.app import back_up_store, put_back_store, store_file
from gateway.cli.common import act, config, told, with_store
from gateway.config import load
from gateway.ports import Items, State

__all__ = ["backup", "restore"]

_path = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("target", type=_path, metavar="FILE")
@config
@told
def backup(file: Path, target: Path) -> None:
    """Copy the store to FILE, also while a gateway serves from it.

    The copy is checked, and there under its name once it is whole; one that was there before is replaced.
    """
    size = asyncio.run(back_up_store(load(file, os.environ), target))
    _note(file, "store.backup", target)
    click.echo(f"{target}: {size} bytes, checked")


@click.command()
@click.argument("source", type=_path, metavar="FILE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config
@told
def restore(file: Path, source: Path, yes: bool) -> None:
    """Put the backup FILE in the place of the store, while no gateway serves.

    What is there now is kept beside it. Phones fetch anew what they were told since the backup was made.
    """
    settings = load(file, os.environ)
    if not yes:
        click.confirm(f"Put {source} in the place of {store_file(settings)}?", abort=True)
    kept = asyncio.run(put_back_store(settings, source))
    _note(file, "store.restore", source)
    click.echo("restored" if kept is None else f"restored; what was there is {kept}")


def _note(file: Path, what: str, where: Path) -> None:
    done = act(what, details=str(where.absolute()))

    async def note(state: State, _: Items) -> None:
        await state.note_act(done)

    with_store(file, note)
