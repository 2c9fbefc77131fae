"""Commands for the store as a whole: backup, restore, migrate."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import click

from gateway.app import (
    back_up_store,
    copy_store,
    look_over_backup,
    open_store,
    put_back_store,
    store_file,
    store_name,
)
from gateway.cli.common import act, as_json, config, confirm, print_json, told, with_store
from gateway.config import load
from gateway.ports import Items, State

__all__ = ["backup", "migrate", "restore"]

_path = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("target", type=_path, metavar="FILE")
@as_json
@config
@told
def backup(file: Path, target: Path, as_json: bool) -> None:
    """Copy the store to FILE, also while a gateway serves from it.

    The copy is checked, and there under its name once it is whole; one that was there before is replaced.
    """
    size = asyncio.run(back_up_store(load(file, os.environ), target))
    _note(file, "store.backup", target)
    if as_json:
        print_json({"act": "store.backup", "file": str(target), "bytes": size})
    else:
        click.echo(f"{target}: {size} bytes, checked")


@click.command()
@click.argument("source", type=_path, metavar="FILE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@config
@told
def restore(file: Path, source: Path, yes: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of the store, while no gateway serves.

    What is there now is kept beside it. Phones fetch anew what they were told since the backup was made.
    """
    settings = load(file, os.environ)
    if not yes:
        asyncio.run(look_over_backup(settings, source))
        confirm(f"Put {source} in the place of {store_file(settings)}?")
    kept = asyncio.run(put_back_store(settings, source))
    _note(file, "store.restore", source)
    if as_json:
        print_json({"act": "store.restore", "file": str(source), "kept": str(kept) if kept else None})
    else:
        click.echo("restored" if kept is None else f"restored; what was there is {kept}")


@click.command()
@click.option(
    "--to", "url", required=True, metavar="URL", help="The other store, as store.url would name it."
)
@click.option("--anew", is_flag=True, help="Empty a copy that was begun, and begin again.")
@as_json
@config
@told
def migrate(file: Path, url: str, anew: bool, as_json: bool) -> None:
    """Copy the store to another one, from SQLite to PostgreSQL or back, while no gateway serves from either.

    The other one must be empty. A copy that was broken off goes on where it was when the same is said again.
    Phones notice nothing once store.url names the copy.
    """
    settings = load(file, os.environ)
    target = load(file, {**os.environ, "GATEWAY_STORE__URL": url})
    rows = asyncio.run(copy_store(settings, target, _progress(aside=as_json), anew=anew))
    done = act("store.migrate", details=f"{store_name(settings)} to {store_name(target)}")

    async def note() -> None:
        async with open_store(target) as (state, _):
            await state.note_act(done)

    asyncio.run(note())
    if as_json:
        names = {"from": store_name(settings), "to": store_name(target)}
        print_json({"act": "store.migrate", **names, "rows": dict(rows)})
        return
    click.echo(f"{store_name(target)}: {sum(rows.values())} rows of {len(rows)} tables, the same in both")
    click.echo("Let store.url name it now, and start the gateway.")


def _progress(*, aside: bool) -> Callable[[str, str, int, int], None]:
    """Tell how far it is, once for each hundredth of a table; `aside` on standard error."""
    last: tuple[str, str, int] | None = None

    def tell(what: str, table: str, size: int, done: int) -> None:
        nonlocal last
        now = (what, table, 100 * done // size if size else 100)
        if size and now != last:
            click.echo(f"{what} {table}: {done} of {size} rows", err=aside)
        last = now

    return tell


def _note(file: Path, what: str, where: Path) -> None:
    done = act(what, details=str(where.absolute()))

    async def note(state: State, _: Items) -> None:
        await state.note_act(done)

    with_store(file, note)
