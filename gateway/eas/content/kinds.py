"""The kinds of item that are served, one object each. To add one, write its package and name it here."""

from __future__ import annotations

from gateway.eas.content.calendar import CalendarContent
from gateway.eas.content.items import ItemContent
from gateway.items import ItemKind

__all__ = ["CONTENTS", "content_named", "content_of"]

CONTENTS: tuple[ItemContent, ...] = (CalendarContent(),)
"""Every kind served; `sync.itemfolders.SERVED` are the same."""


def content_of(kind: ItemKind) -> ItemContent:
    """The content of folders of a kind that is served."""
    return next(content for content in CONTENTS if content.kind is kind)


def content_named(name: str) -> ItemContent | None:
    """The content of a Class ("Calendar"); None when none is called so."""
    return next((content for content in CONTENTS if content.name == name), None)
