"""Files of an event since 16.0 (MS-ASAIRS 2.2.2.1, 7, 8): added, removed, listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.eas.content.ids import ItemName, item_file_reference, parse_item_file_reference
from gateway.eas.content.readers import boolean, once, text
from gateway.eas.content.values import BadItem
from gateway.errors import NotFound
from gateway.items import FileNumber
from gateway.mail.headers import clean
from gateway.pim.events.model import File
from gateway.sync.itemoperations import NewFile
from wbxml import Element, element
from wbxml.pages import AirSyncBase

__all__ = ["FileChanges", "answered_files", "read_files", "shown_files"]

_FILE = "1"
"""The Method of a file, which is all that an event can have (MS-ASAIRS 2.2.2.31)."""
_MOST_FILES = 100
_LONGEST_TEXT = 1024
_ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileChanges:
    """What a device wants of the files: some new, by what it calls them, and some gone."""

    new: Mapping[str, tuple[NewFile, File]]
    removed: frozenset[FileNumber] = frozenset()

    @property
    def uploads(self) -> Sequence[NewFile]:
        """What the store is to keep."""
        return tuple(upload for upload, _ in self.new.values())

    def applied(self, known: Sequence[File], numbers: Mapping[str, FileNumber]) -> tuple[File, ...] | None:
        """The files afterwards; `numbers` are those the new ones got. None: there are none."""
        kept = [one for one in known if one.number not in self.removed]
        for client_id, (_, file) in self.new.items():
            number = numbers[client_id]
            kept.append(File(number, file.name, file.content_type, file.size, file.content_id, file.inline))
        return tuple(kept) or None


def read_files(data: Element, item: ItemName | None) -> FileChanges | None:
    """What an ApplicationData says of files; None when it says nothing.

    `item` is the event that is changed, None for a new one. Raises `BadItem`.
    """
    container = once(data, AirSyncBase.Attachments)
    if container is None:
        return None
    added = [_added(one) for one in container.findall(AirSyncBase.Add)]
    new = {upload.client_id: (upload, file) for upload, file in added}
    if len(new) < len(added) or len(added) > _MOST_FILES:
        raise BadItem("two files with one ClientId, or too many")
    removed = frozenset(_removed(one, item) for one in container.findall(AirSyncBase.Delete))
    return FileChanges(new, removed)


def shown_files(files: Sequence[File], item: ItemName) -> Element:
    """The list of files of an item; empty when there are none."""
    shown = (element(AirSyncBase.Attachment, *_shown(one, item)) for one in files)
    return element(AirSyncBase.Attachments, *shown)


def answered_files(files: Mapping[str, FileNumber], item: ItemName) -> Element:
    """How a device hears what its new files are called from now on."""
    told = (
        element(
            AirSyncBase.Attachment,
            element(AirSyncBase.ClientId, client_id),
            element(AirSyncBase.FileReference, item_file_reference(item.collection, item.number, file)),
        )
        for client_id, file in files.items()
    )
    return element(AirSyncBase.Attachments, *told)


def _added(new: Element) -> tuple[NewFile, File]:
    client_id, content = text(new, AirSyncBase.ClientId, _LONGEST_TEXT), once(new, AirSyncBase.Content)
    if not client_id or content is None or text(new, AirSyncBase.Method) != _FILE:
        raise BadItem("a file without ClientId or Content, or with another Method than 1")
    name = clean(text(new, AirSyncBase.DisplayName, _LONGEST_TEXT) or "") or "attachment"
    content_type = clean(text(new, AirSyncBase.ContentType, _LONGEST_TEXT) or "") or _ANY_TYPE
    octets = content.data()
    described = File(
        0,
        name,
        content_type,
        len(octets),
        clean(text(new, AirSyncBase.ContentId, _LONGEST_TEXT) or ""),
        bool(boolean(new, AirSyncBase.IsInline)),
    )
    return NewFile(client_id, name, content_type, octets), described


def _removed(gone: Element, item: ItemName | None) -> FileNumber:
    try:
        reference = parse_item_file_reference(text(gone, AirSyncBase.FileReference) or "")
    except NotFound as error:
        raise BadItem("no FileReference") from error
    if reference.item != item:
        raise BadItem("a file of another event")
    return reference.file


def _shown(file: File, item: ItemName) -> Iterator[Element]:
    yield element(AirSyncBase.DisplayName, clean(file.name) or "attachment")
    yield element(AirSyncBase.FileReference, item_file_reference(item.collection, item.number, file.number))
    yield element(AirSyncBase.Method, _FILE)
    yield element(AirSyncBase.EstimatedDataSize, file.size)
    if file.content_id:
        yield element(AirSyncBase.ContentId, clean(file.content_id))
    if file.inline:
        yield element(AirSyncBase.IsInline, 1)
