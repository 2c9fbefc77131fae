"""The kinds of item that are served, one object each. To add one, write its package and name it here."""

from __future__ import annotations

from gateway.eas.content.calendar import CalendarContent
from gateway.eas.content.contacts import ContactsContent
from gateway.eas.content.items import ItemContent
from gateway.eas.content.notes import NoteContent
from gateway.eas.content.recipients import RecipientContent
from gateway.eas.content.tasks import TaskContent
from gateway.eas.versions import Version
from gateway.items import ItemKind

__all__ = ["CONTENTS", "content_named", "content_of", "knows"]

CONTENTS: tuple[ItemContent, ...] = (
    CalendarContent(),
    ContactsContent(),
    TaskContent(),
    NoteContent(),
    RecipientContent(),
)
"""Every kind served; `sync.itemfolders.SERVED` are the same, and recipients."""
_SINCE = {ItemKind.NOTES: Version.V14_0, ItemKind.RECIPIENTS: Version.V14_0}
"""The first version of a class that not all have."""


def content_of(kind: ItemKind) -> ItemContent:
    """The content of folders of a kind that is served."""
    return next(content for content in CONTENTS if content.kind is kind)


def content_named(name: str) -> ItemContent | None:
    """The content of a Class ("Calendar"), the first of that name; None when none is called so."""
    return next((content for content in CONTENTS if content.name == name), None)


def knows(version: Version, kind: ItemKind) -> bool:
    """Whether a version has the class of a kind.

    One that has not is told of the folders all the same, whose types are in every version, and of nothing in
    them (MS-ASCMD 2.2.3.186.3, MS-ASNOTE 2.2).
    """
    return version >= _SINCE.get(kind, Version.V2_5)
