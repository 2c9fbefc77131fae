"""Events brought in from .ics files, and calendars written as such."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from gateway.cli.calendars import calendar_of, note_stranger, user_argument
from gateway.cli.common import config, told, with_store, zone_of_users
from gateway.errors import GatewayError, Refused
from gateway.items import Item, ItemFolder, ItemKind
from gateway.pim.exchange.entries import entries
from gateway.pim.exchange.scan import Contents, Problem, scan
from gateway.pim.timezones import named_zone
from gateway.ports import Items, State
from gateway.sync.exporting import export_folder, export_item
from gateway.sync.importing import Import, Known, Tally
from gateway.sync.itemfolders import default_folder
from gateway.types import CollectionId, UserId

__all__ = ["export_ics", "import_ics"]

_STANDARD = "-"
_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_CALENDAR = click.option("--calendar", help="Id of the calendar instead of the default one.")


@click.command("import")
@user_argument
@click.argument("source", metavar="FILE", type=_FILE)
@_CALENDAR
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--replace", "known", flag_value=Known.REPLACE, type=Known, help="Replace events that are there already."
)
@click.option(
    "--keep", "known", flag_value=Known.KEEP, type=Known, help="Keep events that are there already."
)
@click.option("--timezone", help="Zone of times in none, instead of the configured one: Europe/Berlin.")
@config
@told
def import_ics(
    *,
    file: Path,
    user: UserId,
    source: Path,
    calendar: str | None,
    dry_run: bool,
    known: Known | None,
    timezone: str | None,
) -> None:
    """Bring the events of FILE (.ics; - is standard input) into the calendar of USER.

    An event that is there already, by its UID, is replaced by a newer version of it only. What cannot be
    taken over is told with its line. Nobody is mailed.
    """
    zone = named_zone(timezone) if timezone else zone_of_users(file)
    if timezone and zone is None:
        raise click.BadParameter(f"nobody knows the time zone {timezone!r}", param_hint="--timezone")
    with _opened(source) as octets:
        contents = _scanned(octets, source)

        async def bring(state: State, items: Items) -> Tally:
            await note_stranger(state, items, user)
            folder = await _target(items, user, calendar, dry_run=dry_run)
            with _progress(contents.count) as progress:
                work = Import(
                    items,
                    user,
                    folder,
                    known=known or Known.NEWER,
                    rehearse=dry_run,
                    problem=_tell,
                    progress=progress,
                )
                return await work.run(entries(octets, contents, zone))

        tally = with_store(file, bring)
    would = "would be " if dry_run else ""
    click.echo(
        f"{would}added {tally.added}, replaced {tally.replaced}, kept as they were {tally.kept}, "
        f"left out {tally.left_out}"
    )
    for name, count in sorted(contents.others.items()):
        click.echo(f"not for calendars: {count} {name}")


@click.command("export")
@user_argument
@click.argument("target", metavar="[FILE]", type=_FILE, default=_STANDARD)
@_CALENDAR
@click.option("--uid", help="Only the event with this UID.")
@config
@told
def export_ics(file: Path, user: UserId, target: Path, calendar: str | None, uid: str | None) -> None:
    """Write the calendar of USER to FILE (.ics), or to standard output."""

    def problem(item: Item, reason: str) -> None:
        click.echo(f"event {item.stored.uid!r} left out: {reason}", err=True)

    with _written(target) as octets:

        async def write(_: State, items: Items) -> None:
            folder = await _source(items, user, calendar)
            exported = (
                export_folder(items, folder, problem) if uid is None else export_item(items, folder, uid)
            )
            async for piece in exported:
                octets.write(piece)

        with_store(file, write)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[Tally], None]]:
    """Show on a terminal how far it is."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=count, label="Events", file=sys.stderr, hidden=hidden) as bar:
        yield lambda tally: bar.update(tally.done - bar.pos)


def _tell(problem: Problem) -> None:
    click.echo(f"line {problem.line}: {problem.reason}{' (left out)' if problem.whole else ''}", err=True)


async def _target(items: Items, user: UserId, calendar: str | None, *, dry_run: bool) -> ItemFolder:
    """Where events go; a user without a calendar gets one."""
    if calendar is not None:
        return await calendar_of(items, calendar, user)
    if dry_run:
        return await _default(items, user) or ItemFolder(CollectionId(""), user, ItemKind.CALENDAR, "")
    return await default_folder(items, user, ItemKind.CALENDAR)


async def _source(items: Items, user: UserId, calendar: str | None) -> ItemFolder:
    if calendar is not None:
        return await calendar_of(items, calendar, user)
    found = await _default(items, user)
    if found is None:
        raise GatewayError(f"{user} has no calendar yet")
    return found


async def _default(items: Items, user: UserId) -> ItemFolder | None:
    folders = await items.item_folders(user)
    return next(
        (one for one in folders if one.kind is ItemKind.CALENDAR and one.default and one.owner == user), None
    )


def _scanned(octets: BinaryIO, source: Path) -> Contents:
    try:
        return scan(octets)
    except Refused as error:
        raise Refused(error.kind, f"{source}: {error.detail}") from error


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    """A file to be read twice; what comes through a pipe is kept on disk meanwhile. Raises `GatewayError`."""
    try:
        with sys.stdin.buffer if str(source) == _STANDARD else source.open("rb") as found:
            if found.seekable():
                yield found
                return
            with tempfile.TemporaryFile() as kept:
                shutil.copyfileobj(found, kept)
                kept.seek(0)
                yield kept
    except OSError as error:
        raise GatewayError(f"cannot read {source}: {error.strerror}") from error


@contextmanager
def _written(target: Path) -> Iterator[BinaryIO]:
    """A file that is there once it is whole. Raises `GatewayError`."""
    if str(target) == _STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as octets:
            yield octets
        part.replace(target)
    except OSError as error:
        raise GatewayError(f"cannot write {target}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
