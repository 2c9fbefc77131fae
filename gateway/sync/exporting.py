"""Folders written as files (.ics, contacts as .vcf), piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from gateway.errors import GatewayError, NotFound
from gateway.items import Item, ItemFolder, ItemKind, ItemNumber
from gateway.pim.exchange.attachments import OCTETS_OF_A_LINE, written
from gateway.pim.exchange.writing import CalendarFile, Content, alone
from gateway.ports import Items

__all__ = ["export_folder", "export_item"]

_BATCH = 100
_OCTETS = OCTETS_OF_A_LINE * 4096


async def export_folder(
    items: Items, folder: ItemFolder, problem: Callable[[Item, str], None]
) -> AsyncIterator[bytes]:
    """The whole of a folder (UTF-8, lines end with CRLF).

    `problem` is called with what cannot be written, and why.
    """
    numbers = [change.number for change in await items.item_changes(folder.id, 0) if not change.gone]
    if folder.kind is ItemKind.CONTACTS:
        async for item in _loaded(items, folder, numbers):
            yield item.stored.text.encode("utf-8", "replace")
        return
    file = CalendarFile(folder.name)
    joined: dict[ItemNumber, int] = {}
    apart: list[ItemNumber] = []
    async for item in _loaded(items, folder, numbers):
        try:
            if file.joins(item.stored.text):
                joined[item.number] = item.revision
            else:
                apart.append(item.number)
        except GatewayError as error:
            problem(item, error.detail)
    yield file.head().encode()
    async for item in _loaded(items, folder, list(joined)):
        if item.revision != joined[item.number]:
            apart.append(item.number)  # it changed meanwhile, and may need another zone
            continue
        async for piece in _pieces(items, file.item(item.stored.text)):
            yield piece
    yield file.tail().encode()
    async for item in _loaded(items, folder, apart):
        async for piece in _pieces(items, alone(item.stored.text)):
            yield piece


async def export_item(items: Items, folder: ItemFolder, uid: str) -> AsyncIterator[bytes]:
    """One item, if not a contact in a calendar of its own. Raises `NotFound`."""
    found = await items.find_items(folder.owner, folder.kind, uid)
    item = next((one for one in found if one.folder == folder.id), None)
    if item is None:
        raise NotFound(f"folder {folder.id} has nothing with the UID {uid!r}")
    if folder.kind is ItemKind.CONTACTS:
        yield item.stored.text.encode("utf-8", "replace")
        return
    async for piece in _pieces(items, alone(item.stored.text)):
        yield piece


async def _loaded(items: Items, folder: ItemFolder, numbers: Sequence[ItemNumber]) -> AsyncIterator[Item]:
    """Those that are still there, in their order."""
    for at in range(0, len(numbers), _BATCH):
        some = numbers[at : at + _BATCH]
        loaded = await items.load_items(folder.id, some)
        for number in some:
            if number in loaded:
                yield loaded[number]


async def _pieces(items: Items, parts: Iterable[str | Content]) -> AsyncIterator[bytes]:
    text: list[str] = []
    for part in parts:
        if isinstance(part, str):
            text.append(part)
            continue
        yield "".join(text).encode("utf-8", "replace")
        text = []
        at = 0
        while content := await items.read_item_file(part.number, at, _OCTETS):
            yield written(content).encode()
            at += len(content)
    yield "".join(text).encode("utf-8", "replace")
