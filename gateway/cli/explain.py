"""`explain`: what a device and the gateway know of each other, in words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from gateway.app import admission_of
from gateway.cli.common import as_json, config, print_json, recall_groups, shown, told, with_store
from gateway.cli.devices import described
from gateway.cli.folders import user_argument
from gateway.config import load
from gateway.eas.commands import ping
from gateway.eas.commands.sync import handler as sync
from gateway.eas.commands.sync.request import SyncRequest
from gateway.eas.deciding import find_device
from gateway.ports import Items, State
from gateway.sync import hierarchy
from gateway.sync.cursor import MailCursor
from gateway.sync.itemcursor import ItemCursor
from gateway.sync.itemfolders import is_item_folder
from gateway.sync.keys import format_key, key_of
from gateway.types import CollectionId, Device, SyncState, UserId

__all__ = ["explain"]

_HIERARCHY = CollectionId("")


@click.command()
@user_argument
@click.argument("device")
@as_json
@config
@told
def explain(file: Path, user: UserId, device: str, as_json: bool) -> None:
    """Explain what DEVICE of USER knows: folder by folder, with its keys, and what is under way.

    What it asked for last is what the gateway has to remember of it: there is no log of requests in the
    store.
    """
    admission = admission_of(load(file, os.environ))

    async def tell(state: State, _: Items) -> None:
        known = await find_device(state, user, device)
        await recall_groups(state, admission)
        found = {"device": described(known, admission), **await _everything(state, known)}
        if as_json:
            print_json(found)
        else:
            for line in _lines(found):
                click.echo(shown(line))

    with_store(file, tell)


async def _everything(state: State, device: Device) -> dict[str, object]:
    syncs = await state.load_syncs(device.user, device.id)
    top = syncs.get(_HIERARCHY)
    names = {row.id: row.name for row in hierarchy.unpack(top.cursor)} if top else {}
    collections = [
        {
            "id": collection,
            "name": names.get(collection, "?"),
            **_keys(kept),
            "knows": _knows(collection, kept),
            "intents": sorted(await state.load_intents(device.user, device.id, collection)),
        }
        for collection, kept in sorted(syncs.items())
        if collection != _HIERARCHY
    ]
    moves = await state.open_moves(device.user, device.id)
    copies = await state.kept_copies(device.user)
    return {
        "folders": {**_keys(top), "knows": f"{len(names)} folders"} if top else None,
        "collections": collections,
        "moves": [
            f"message {one.uid} of {names.get(one.source, one.source)}"
            f" to {names.get(one.target, one.target)},"
            f" begun {one.began.isoformat(timespec='seconds')}"
            for one in moves
        ],
        "unsaved_copies": len(copies),
        "last_ping": _last_ping(await state.load_memo(device.user, device.id, ping.MEMO), names),
        "last_sync": _last_sync(await state.load_memo(device.user, device.id, sync.MEMO), names),
        "poison": [
            f"{names.get(collection, collection)}: {item}: {reason}"
            for _, collection, item, _, reason in await state.list_poison(device.user)
        ],
    }


def _keys(kept: SyncState) -> dict[str, object]:
    """The newest key, and what else the device may come with."""
    return {
        "key": format_key(kept),
        "repeatable": kept.previous is not None,
        "beginnings": [key_of(one) for one in kept.beginnings],
    }


def _knows(collection: CollectionId, kept: SyncState) -> str:
    return "; ".join(_items(kept) if is_item_folder(collection) else _mail(kept))


def _mail(kept: SyncState) -> Iterator[str]:
    cursor = MailCursor.unpack(kept.cursor)
    since = f" since {cursor.since:%Y-%m-%d %H:%M}" if cursor.since else ""
    yield f"{len(cursor.uids)} messages{since}"
    for flag, uids in sorted(cursor.flags.items()):
        if uids:
            yield f"{len(uids)} {flag}"
    gone = sum(len(uids) for _, uids in cursor.former)
    if gone:
        yield f"{gone} of a former mailbox to be told as gone"
    if cursor.stubs:
        yield f"{len(cursor.stubs)} stubs to be told again"
    late = sum(len(uids) for uids in cursor.noted.values())
    if late:
        yield f"{late} notes to be told"
    yield "in step with the mailbox as last seen" if cursor.version else "has not been told everything"


def _items(kept: SyncState) -> Iterator[str]:
    cursor = ItemCursor.unpack(kept.cursor)
    since = f" since {cursor.since:%Y-%m-%d %H:%M}" if cursor.since else ""
    yield f"{len(cursor.held)} items{since}, up to change {cursor.revision}"
    yield f"{len(cursor.untold)} to be told" if cursor.untold else "has been told everything up to it"


def _last_ping(memo: bytes | None, names: Mapping[CollectionId, str]) -> dict[str, object] | None:
    if memo is None:
        return None
    interval, folders = ping.remembered(memo)
    return {"heartbeat": interval, "folders": [names.get(one, one) for one in folders]}


def _last_sync(memo: bytes | None, names: Mapping[CollectionId, str]) -> dict[str, object] | None:
    if memo is None:
        return None
    last = SyncRequest.recall(memo)
    return {
        "wait": last.wait,
        "collections": [
            {"name": names.get(one.id, one.id), "key": one.key, "window": one.window}
            for one in last.collections
        ],
    }


def _lines(found: Mapping[str, object], indent: str = "") -> Iterator[str]:
    """The same for people: nothing where there is nothing."""
    for name, value in found.items():
        label = f"{indent}{name.replace('_', ' ')}"
        match value:
            case None | "" | [] | False:
                continue
            case Mapping():
                if not value:
                    continue
                yield f"{label}:"
                yield from _lines(value, f"{indent}  ")
            case list():
                yield f"{label}:"
                for one in value:
                    yield from _entry(one, f"{indent}  ")
            case True:
                yield f"{label}: yes"
            case _:
                yield f"{label}: {value}"


def _entry(one: object, indent: str) -> Iterator[str]:
    if not isinstance(one, Mapping):
        yield f"{indent}{one}"
        return
    yield f"{indent}{one['name']}"
    yield from _lines({key: value for key, value in one.items() if key != "name"}, f"{indent}  ")
