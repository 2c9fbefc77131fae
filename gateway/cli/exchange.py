"""Events, contacts, tasks and notes brought in from files (.ics, .vcf), and folders written as such."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

import click

from gateway.cli.common import (
    act,
    as_json,
    config,
    print_json,
    report_aside,
    told,
    with_store,
    zone_of_users,
)
from gateway.cli.folders import GROUPS, SORTS_BY_KIND, Sort, folder_of, note_stranger, sort, user_argument
from gateway.errors import GatewayError, Refused
from gateway.items import Item, ItemFolder, ItemKind
from gateway.pim.exchange.cards import card_entries, count_cards
from gateway.pim.exchange.entries import entries
from gateway.pim.exchange.scan import Problem, scan
from gateway.pim.exchange.sorts import SORTS
from gateway.pim.timezones import named_zone
from gateway.ports import Items, State
from gateway.sync.exporting import export_folder, export_item
from gateway.sync.importing import Entry, Import, Known, Tally
from gateway.sync.itemfolders import default_folder
from gateway.types import CollectionId, UserId

__all__ = ["at_top", "export_file", "import_file"]

_STANDARD = "-"
_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_FOLDER = click.option("--folder", "--calendar", help="Id of one instead of the default one.")


@click.command("import")
@user_argument
@click.argument("source", metavar="FILE", type=_FILE)
@_FOLDER
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option(
    "--replace", "known", flag_value=Known.REPLACE, type=Known, help="Replace what is there already."
)
@click.option(
    "--keep", "known", flag_value=Known.KEEP, type=Known, help="Keep what is there already as it is."
)
@click.option("--timezone", help="Zone of times in none, instead of the configured one: Europe/Berlin.")
@as_json
@config
@sort
@told
def import_file(
    sort: Sort,
    *,
    file: Path,
    user: UserId,
    source: Path,
    folder: str | None,
    dry_run: bool,
    known: Known | None,
    timezone: str | None,
    as_json: bool,
) -> None:
    """Bring what FILE has (.ics, of contacts .vcf; - is standard input) into the folder of USER.

    What is there already, by its UID, is replaced by a newer version of it only. What cannot be taken over is
    told with its line. Nobody is mailed.
    """
    zone = named_zone(timezone) if timezone else zone_of_users(file)
    if timezone and zone is None:
        raise click.BadParameter(f"nobody knows the time zone {timezone!r}", param_hint="--timezone")
    with _opened(source) as octets:
        contents = _contents(sort, octets, source)
        problems: list[Problem] = []

        async def bring(state: State, items: Items) -> Tally:
            await note_stranger(state, items, user)
            target = await _target(items, sort, user, folder, dry_run=dry_run)
            with _progress(sort, contents.count) as progress:
                work = Import(
                    items,
                    user,
                    target,
                    known=known or Known.NEWER,
                    rehearse=dry_run,
                    problem=problems.append if as_json else _tell,
                    progress=progress,
                )
                tally = await work.run(contents.entries(octets, zone))
            if not dry_run:
                details = f"{tally.added} added, {tally.replaced} replaced in {sort.folder} {target.id}"
                await state.note_act(act("folder.import", user, details=details))
            return tally

        tally = with_store(file, bring)
    if as_json:
        print_json(_report(user, tally, contents, problems, dry_run=dry_run))
        return
    would = "would be " if dry_run else ""
    click.echo(
        f"{would}added {tally.added}, replaced {tally.replaced}, kept as they were {tally.kept}, "
        f"left out {tally.left_out}"
    )
    for name, count in sorted(contents.others.items()):
        click.echo(f"not for {sort.group}: {count} {name}")


@click.command("export")
@user_argument
@click.argument("target", metavar="[FILE]", type=_FILE, default=_STANDARD)
@_FOLDER
@click.option("--uid", help="Only what has this UID.")
@as_json
@config
@sort
@told
def export_file(
    sort: Sort,
    *,
    file: Path,
    user: UserId,
    target: Path,
    folder: str | None,
    uid: str | None,
    as_json: bool,
) -> None:
    """Write the folder of USER to FILE (.ics, of contacts .vcf), or to standard output.

    The report of --json is on standard error when the folder is written to standard output.
    """
    if str(target) == _STANDARD:
        report_aside()
    left_out: list[dict[str, str]] = []

    def problem(item: Item, reason: str) -> None:
        if as_json:
            left_out.append({"uid": item.stored.uid, "reason": reason})
        else:
            click.echo(f"{item.stored.uid!r} left out: {reason}", err=True)

    with _written(target) as octets:

        async def write(state: State, items: Items) -> ItemFolder:
            source = await _source(items, sort, user, folder)
            exported = (
                export_folder(items, source, problem) if uid is None else export_item(items, source, uid)
            )
            async for piece in exported:
                octets.write(piece)
            await state.note_act(act("folder.export", user, details=f"{sort.folder} {source.id}"))
            return source

        source = with_store(file, write)
    if as_json:
        written = None if str(target) == _STANDARD else str(target)
        done = {"act": "folder.export", "user": user, "folder": source.id, "file": written}
        print_json({**done, "left_out": left_out})


def at_top(command: click.Command) -> click.Command:
    """The same command for any kind of folder, which the option --kind or the name of the file says."""
    sorts = {group.name: kind for kind, group in GROUPS.items()}

    def call(kind: str | None, **values: object) -> object:
        context = click.get_current_context()
        file = Path(str(values.get("source") or values.get("target")))
        named = kind or ("books" if file.suffix.lower() == ".vcf" else "calendars")
        context.obj = SORTS_BY_KIND[sorts[named]]
        return context.invoke(command, **values)

    option = click.Option(
        ["--kind"],
        type=click.Choice(list(sorts)),
        help="What it is for; without, address books for a .vcf file, else calendars.",
    )
    return click.Command(command.name, params=[*command.params, option], callback=call, help=command.help)


@contextmanager
def _progress(sort: Sort, count: int) -> Iterator[Callable[[Tally], None]]:
    """Show on a terminal how far it is."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        length=count, label=sort.contents.capitalize(), file=sys.stderr, hidden=hidden
    ) as bar:
        yield lambda tally: bar.update(tally.done - bar.pos)


def _tell(problem: Problem) -> None:
    click.echo(f"line {problem.line}: {problem.reason}{' (left out)' if problem.whole else ''}", err=True)


async def _target(items: Items, sort: Sort, user: UserId, folder: str | None, *, dry_run: bool) -> ItemFolder:
    """Where it goes; a user without such a folder gets one."""
    if folder is not None:
        return await folder_of(items, sort, folder, user)
    if dry_run:
        return await _default(items, sort, user) or ItemFolder(CollectionId(""), user, sort.kind, "")
    return await default_folder(items, user, sort.kind)


async def _source(items: Items, sort: Sort, user: UserId, folder: str | None) -> ItemFolder:
    if folder is not None:
        return await folder_of(items, sort, folder, user)
    found = await _default(items, sort, user)
    if found is None:
        raise GatewayError(f"{user} has no {sort.folder} yet")
    return found


async def _default(items: Items, sort: Sort, user: UserId) -> ItemFolder | None:
    folders = await items.item_folders(user)
    return next((one for one in folders if one.kind is sort.kind and one.default and one.owner == user), None)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What is in a file for a kind of folder; `others` counts what is for others."""

    count: int
    others: Mapping[str, int]
    entries: Callable[[BinaryIO, tzinfo | None], Iterable[Entry | Problem]]


def _contents(sort: Sort, octets: BinaryIO, source: Path) -> _Contents:
    """Raises `Refused` when it is another kind of file."""
    try:
        if sort.kind is ItemKind.CONTACTS:
            count = count_cards(octets)
            octets.seek(0)
            return _Contents(count, {}, lambda file, _: card_entries(file))
        found = scan(octets, SORTS[sort.kind])
    except Refused as error:
        raise Refused(error.kind, f"{source}: {error.detail}") from error
    return _Contents(found.count, found.others, lambda file, zone: entries(file, found, zone))


def _report(
    user: UserId, tally: Tally, contents: _Contents, problems: Sequence[Problem], *, dry_run: bool
) -> dict[str, object]:
    """What came of bringing a file in, for programs."""
    return {
        "act": "folder.import",
        "user": user,
        "dry_run": dry_run,
        "added": tally.added,
        "replaced": tally.replaced,
        "kept": tally.kept,
        "left_out": tally.left_out,
        "others": dict(contents.others),
        "problems": [{"line": one.line, "reason": one.reason, "left_out": one.whole} for one in problems],
    }


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
