"""Calendars of users: listed, made, renamed, deleted and shared. They may be used by phones meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.cli.common import config, told, with_store
from gateway.errors import AlreadyExists, Kind, NotFound, Refused
from gateway.items import ItemFolder, ItemKind, Right
from gateway.mail.headers import clean
from gateway.ports import Items, State
from gateway.sync.delegates import delegates_of, dismiss_delegate, name_delegate
from gateway.sync.hierarchy import LONGEST_NAME
from gateway.types import CollectionId, UserId

__all__ = ["calendar_of", "calendars", "note_stranger", "user_argument"]

_NONE = "none"
_RIGHTS = {Right.READ.value: Right.READ, Right.WRITE.value: Right.WRITE, _NONE: None}


class _User(click.ParamType[UserId]):
    """A user as the store names him: his login at the IMAP server, whose case does not matter."""

    name = "user"

    def convert(self, value: str, _param: click.Parameter | None, _context: click.Context | None) -> UserId:
        return UserId(value.strip().lower())


user_argument = click.argument("user", type=_User())


@click.group()
def calendars() -> None:
    """Calendars: list, make, share, import, export.

    USER is a login at the IMAP server, CALENDAR an id that `calendars list` shows. A running gateway tells
    the phones within seconds.
    """


@calendars.command("list")
@click.argument("user", type=_User(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config
@told
def list_calendars(file: Path, user: UserId | None, as_json: bool) -> None:
    """List the calendars that USER sees, or those of everybody.

    Columns: id, owner, what the user may do, whether it is the owner's default one, name, and with whom it is
    shared.
    """

    async def show(_: State, items: Items) -> None:
        found = await (items.all_item_folders() if user is None else items.item_folders(user))
        listed = [one for one in found if one.kind is ItemKind.CALENDAR]
        rows = [(one, await _shares(items, one)) for one in listed]
        if as_json:
            click.echo(json.dumps([_as_object(*row) for row in rows], indent=2, ensure_ascii=False))
        else:
            for row in rows:
                click.echo("\t".join(_as_columns(*row)))

    with_store(file, show)


@calendars.command()
@user_argument
@click.argument("name")
@config
@told
def create(file: Path, user: UserId, name: str) -> None:
    """Make another calendar for USER; prints its id."""

    async def make(state: State, items: Items) -> None:
        await note_stranger(state, items, user)
        made = await items.create_item_folder(user, ItemKind.CALENDAR, await _free_name(items, user, name))
        click.echo(made.id)

    with_store(file, make)


@calendars.command()
@click.argument("calendar")
@click.argument("name")
@config
@told
def rename(file: Path, calendar: str, name: str) -> None:
    """Rename CALENDAR, for everybody who sees it."""

    async def change(_: State, items: Items) -> None:
        folder = await _not_default(items, calendar, "renamed")
        new = await _free_name(items, folder.owner, name, but=folder)
        await items.update_item_folder(folder.id, new, folder.parent)

    with_store(file, change)


@calendars.command()
@click.argument("calendar")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config
@told
def delete(file: Path, calendar: str, yes: bool) -> None:
    """Delete CALENDAR with those below it and all events, also from the phones."""

    async def remove(_: State, items: Items) -> None:
        folder = await _not_default(items, calendar, "deleted")
        if not yes:
            changes = await items.item_changes(folder.id, 0)
            count = sum(not one.gone for one in changes)
            click.confirm(
                f"Delete the calendar {folder.name!r} of {folder.owner} with {count} events?", abort=True
            )
        await items.delete_item_folder(folder.id)

    with_store(file, remove)


@calendars.command()
@click.argument("calendar")
@user_argument
@click.option(
    "--right", type=click.Choice(list(_RIGHTS)), required=True, help="What the user may do from now on."
)
@config
@told
def share(file: Path, calendar: str, user: UserId, right: str) -> None:
    """Let USER see CALENDAR, and change what is in it (write), or not any more (none)."""

    async def change(state: State, items: Items) -> None:
        folder = await calendar_of(items, calendar)
        if folder.owner == user:
            raise Refused(Kind.ACCESS_DENIED, f"{user} owns the calendar {calendar}")
        if _RIGHTS[right] is not None:
            await note_stranger(state, items, user)
        await items.share_item_folder(folder.id, user, _RIGHTS[right])

    with_store(file, change)


@calendars.command()
@user_argument
@click.argument("delegate", type=_User(), required=False)
@click.option("--remove", is_flag=True, help="The delegate is told no longer.")
@config
@told
def delegate(file: Path, user: UserId, delegate: UserId | None, remove: bool) -> None:
    """Have DELEGATE, another user, told by mail of the meeting mail that USER gets.

    Without DELEGATE, list who is told.
    """

    async def change(state: State, items: Items) -> None:
        if delegate is None:
            for one in await delegates_of(state, user):
                click.echo(one)
        elif remove:
            await dismiss_delegate(state, user, delegate)
        elif delegate == user:
            raise Refused(Kind.ACCESS_DENIED, f"{user} gets his own mail")
        else:
            await note_stranger(state, items, user)
            await name_delegate(state, user, delegate)

    with_store(file, change)


async def calendar_of(items: Items, calendar: str, user: UserId | None = None) -> ItemFolder:
    """The calendar with an id as its owner sees it, or as a user does. Raises `NotFound`."""
    if user is not None:
        found = await items.item_folder(user, CollectionId(calendar))
    else:
        found = next((one for one in await items.all_item_folders() if one.id == calendar), None)
    if found is None or found.kind is not ItemKind.CALENDAR:
        of = f" that {user} sees" if user else ""
        raise NotFound(f"there is no calendar {calendar!r}{of}: see `activesync-gateway calendars list`")
    return found


async def note_stranger(state: State, items: Items, user: UserId) -> None:
    """Warn when nothing is known of a user: his name may be mistyped."""
    if await items.item_folders(user) or any(one.user == user for one in await state.list_devices()):
        return
    click.echo(f"activesync-gateway: no phone of {user} has used the gateway yet", err=True)


async def _not_default(items: Items, calendar: str, what: str) -> ItemFolder:
    folder = await calendar_of(items, calendar)
    if folder.default:
        raise Refused(
            Kind.DEFAULT_FOLDER, f"{calendar} is the default calendar of {folder.owner}: not {what}"
        )
    return folder


async def _free_name(items: Items, owner: UserId, name: str, but: ItemFolder | None = None) -> str:
    """A name as it can be shown. Raises `AlreadyExists` when another calendar of the owner has it."""
    wanted = clean(name)[:LONGEST_NAME]
    if not wanted:
        raise Refused(Kind.INVALID_CONTENT, "a calendar needs a name")
    for one in await items.item_folders(owner):
        taken = one.kind is ItemKind.CALENDAR and one.owner == owner and one.name.lower() == wanted.lower()
        if taken and (but is None or one.id != but.id):
            raise AlreadyExists(f"{owner} has a calendar of that name: {one.id}")
    return wanted


async def _shares(items: Items, folder: ItemFolder) -> Mapping[UserId, Right]:
    return await items.item_folder_shares(folder.id) if folder.right is Right.OWNER else {}


def _as_object(folder: ItemFolder, shares: Mapping[UserId, Right]) -> dict[str, object]:
    return {
        "id": folder.id,
        "owner": folder.owner,
        "right": folder.right.value,
        "default": folder.default,
        "name": folder.name,
        "shares": {user: right.value for user, right in shares.items()},
    }


def _as_columns(folder: ItemFolder, shares: Mapping[UserId, Right]) -> tuple[str, ...]:
    shared = ",".join(f"{user}={right.value}" for user, right in shares.items())
    default = "default" if folder.default else "-"
    return folder.id, folder.owner, folder.right.value, default, clean(folder.name), shared or "-"
