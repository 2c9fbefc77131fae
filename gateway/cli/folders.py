"""What users keep in the gateway: a group of commands for calendars, address books, tasks and notes each.

Folders are listed, made, renamed, deleted and shared. They may be used by phones meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.common import (
    act,
    as_json,
    caller,
    config,
    confirm,
    print_json,
    print_rows,
    told,
    with_store,
)
from gateway.errors import AlreadyExists, Kind, NotFound, Refused
from gateway.items import ItemFolder, ItemKind, Right
from gateway.mail.headers import clean
from gateway.ports import Items, State
from gateway.sync.delegates import delegates_of, dismiss_delegate, name_delegate
from gateway.sync.hierarchy import LONGEST_NAME
from gateway.sync.sharing import NOUNS, share_folder
from gateway.types import CollectionId, UserId

__all__ = ["GROUPS", "SORTS_BY_KIND", "Sort", "folder_of", "note_stranger", "sort", "user_argument"]

_COLUMNS = ("id", "owner", "right", "default", "name", "shares")
_NONE = "none"
_RIGHTS = {Right.READ.value: Right.READ, Right.WRITE.value: Right.WRITE, _NONE: None}


class _User(click.ParamType[UserId]):
    """A user as the store names him: his login at the IMAP server, whose case does not matter."""

    name = "user"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> UserId:
        user = UserId(value.strip().lower())
        if not user:
            self.fail("a user has a name", param, context)
        return user


user_argument = click.argument("user", type=_User())


@dataclass(frozen=True, slots=True)
class Sort:
    """A kind of folder: its group of commands, and what people call such a folder and what is in it."""

    kind: ItemKind
    group: str
    article: str
    contents: str
    suffix: str = ".ics"

    @property
    def folder(self) -> str:
        return NOUNS[self.kind]

    @property
    def a_folder(self) -> str:
        return f"{self.article} {self.folder}"


_SORTS = (
    Sort(ItemKind.CALENDAR, "calendars", "a", "events"),
    Sort(ItemKind.CONTACTS, "books", "an", "contacts", ".vcf"),
    Sort(ItemKind.TASKS, "tasks", "a", "tasks"),
    Sort(ItemKind.NOTES, "notes", "a", "notes"),
)
_HELP = """{title}: list, make, share, import, export.

USER is a login at the IMAP server, FOLDER an id that `{group} list` shows. A running gateway tells the phones
within seconds.
"""


def _group(sort: Sort) -> click.Group:
    @click.pass_context
    def begin(context: click.Context) -> None:
        context.obj = sort

    title = f"{sort.folder}s".capitalize()
    return click.Group(sort.group, callback=begin, help=_HELP.format(title=title, group=sort.group))


GROUPS: Mapping[ItemKind, click.Group] = {sort.kind: _group(sort) for sort in _SORTS}
SORTS_BY_KIND: Mapping[ItemKind, Sort] = {sort.kind: sort for sort in _SORTS}
sort = click.make_pass_decorator(Sort)
"""Gives a command of the groups the `Sort` it is called for."""


@click.command("list")
@click.argument("user", type=_User(), required=False)
@as_json
@config
@sort
@told
def list_folders(sort: Sort, file: Path, user: UserId | None, as_json: bool) -> None:
    """List what USER sees, or those of everybody.

    Columns: id, owner, what the user may do, whether it is the owner's default one, name, and with whom it is
    shared.
    """

    async def show(_: State, items: Items) -> None:
        found = await (items.all_item_folders() if user is None else items.item_folders(user))
        listed = [one for one in found if one.kind is sort.kind]
        rows = [_as_object(one, await _shares(items, one)) for one in listed]
        print_rows(rows, _COLUMNS, as_json=as_json)

    with_store(file, show)


@click.command()
@user_argument
@click.argument("name")
@as_json
@config
@sort
@told
def create(sort: Sort, file: Path, user: UserId, name: str, as_json: bool) -> None:
    """Make another one for USER; prints its id."""

    async def make(state: State, items: Items) -> None:
        await note_stranger(state, items, user)
        made = await items.create_item_folder(user, sort.kind, await _free_name(items, sort, user, name))
        await state.note_act(act("folder.create", user, details=f"{sort.folder} {made.id} {made.name!r}"))
        if as_json:
            print_json(_as_object(made, {}))
        else:
            click.echo(made.id)

    with_store(file, make)


@click.command()
@click.argument("folder")
@click.argument("name")
@as_json
@config
@sort
@told
def rename(sort: Sort, file: Path, folder: str, name: str, as_json: bool) -> None:
    """Rename FOLDER, for everybody who sees it."""

    async def change(state: State, items: Items) -> None:
        found = await _not_default(items, sort, folder, "renamed")
        new = await _free_name(items, sort, found.owner, name, but=found)
        await items.update_item_folder(found.id, new, found.parent)
        details = f"{sort.folder} {found.id} {found.name!r} to {new!r}"
        await state.note_act(act("folder.rename", found.owner, details=details))
        if as_json:
            print_json(_done("folder.rename", found, name=new))

    with_store(file, change)


@click.command()
@click.argument("folder")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@config
@sort
@told
def delete(sort: Sort, file: Path, folder: str, yes: bool, as_json: bool) -> None:
    """Delete FOLDER with those below it and all that is in them, also from the phones."""

    async def remove(state: State, items: Items) -> None:
        found = await _not_default(items, sort, folder, "deleted")
        if not yes:
            changes = await items.item_changes(found.id, 0)
            count = sum(not one.gone for one in changes)
            confirm(f"Delete the {sort.folder} {found.name!r} of {found.owner} with {count} {sort.contents}?")
        await items.delete_item_folder(found.id)
        details = f"{sort.folder} {found.id} {found.name!r}"
        await state.note_act(act("folder.delete", found.owner, details=details))
        if as_json:
            print_json(_done("folder.delete", found, name=found.name))

    with_store(file, remove)


@click.command()
@click.argument("folder")
@user_argument
@click.option(
    "--right", type=click.Choice(list(_RIGHTS)), required=True, help="What the user may do from now on."
)
@as_json
@config
@sort
@told
def share(sort: Sort, *, file: Path, folder: str, user: UserId, right: str, as_json: bool) -> None:
    """Let USER see FOLDER, and change what is in it (write), or not any more (none)."""

    async def change(state: State, items: Items) -> None:
        found = await folder_of(items, sort, folder)
        if _RIGHTS[right] is not None and found.owner != user:
            await note_stranger(state, items, user)
        await share_folder(state, items, found, user, _RIGHTS[right], who=caller(), now=datetime.now(UTC))
        if as_json:
            print_json(_done("folder.share", found, user=user, right=right))

    with_store(file, change)


@GROUPS[ItemKind.CALENDAR].command()
@user_argument
@click.argument("delegate", type=_User(), required=False)
@click.option("--remove", is_flag=True, help="The delegate is told no longer.")
@as_json
@config
@told
def delegate(file: Path, user: UserId, delegate: UserId | None, remove: bool, as_json: bool) -> None:
    """Have DELEGATE, another user, told by mail of the meeting mail that USER gets.

    Without DELEGATE, list who is told.
    """

    async def change(state: State, items: Items) -> None:
        if delegate is None:
            rows = [{"delegate": one} for one in await delegates_of(state, user)]
            print_rows(rows, ["delegate"], as_json=as_json)
            return
        what = "delegate.dismiss" if remove else "delegate.name"
        if remove:
            await dismiss_delegate(state, user, delegate)
        elif delegate == user:
            raise Refused(Kind.ACCESS_DENIED, f"{user} gets his own mail")
        else:
            await note_stranger(state, items, user)
            await name_delegate(state, user, delegate)
        await state.note_act(act(what, user, details=delegate))
        if as_json:
            print_json({"act": what, "user": user, "delegate": delegate})

    with_store(file, change)


for _command in (list_folders, create, rename, delete, share):
    for _one in GROUPS.values():
        _one.add_command(_command)


async def folder_of(items: Items, sort: Sort, folder: str, user: UserId | None = None) -> ItemFolder:
    """The folder with an id as its owner sees it, or as a user does. Raises `NotFound`."""
    if user is not None:
        found = await items.item_folder(user, CollectionId(folder))
    else:
        found = next((one for one in await items.all_item_folders() if one.id == folder), None)
    if found is None or found.kind is not sort.kind:
        of = f" that {user} sees" if user else ""
        raise NotFound(
            f"there is no {sort.folder} {folder!r}{of}: see `activesync-gateway {sort.group} list`"
        )
    return found


async def note_stranger(state: State, items: Items, user: UserId) -> bool:
    """Warn when nothing is known of a user, whose name may be mistyped; returns whether that is so."""
    if await items.item_folders(user) or await state.list_devices(user):
        return False
    click.echo(f"activesync-gateway: no phone of {user} has used the gateway yet", err=True)
    return True


async def _not_default(items: Items, sort: Sort, folder: str, what: str) -> ItemFolder:
    found = await folder_of(items, sort, folder)
    if found.default:
        raise Refused(
            Kind.DEFAULT_FOLDER, f"{folder} is the default {sort.folder} of {found.owner}: not {what}"
        )
    return found


async def _free_name(
    items: Items, sort: Sort, owner: UserId, name: str, but: ItemFolder | None = None
) -> str:
    """A name as it can be shown. Raises `AlreadyExists` when another such folder of the owner has it."""
    wanted = clean(name)[:LONGEST_NAME]
    if not wanted:
        raise Refused(Kind.INVALID_CONTENT, f"{sort.a_folder} needs a name")
    for one in await items.item_folders(owner):
        taken = one.kind is sort.kind and one.owner == owner and one.name.lower() == wanted.lower()
        if taken and (but is None or one.id != but.id):
            raise AlreadyExists(f"{owner} has {sort.a_folder} of that name: {one.id}")
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


def _done(what: str, folder: ItemFolder, **facts: object) -> dict[str, object]:
    """What was done to a folder, for programs."""
    return {"act": what, "id": folder.id, "owner": folder.owner, **facts}
