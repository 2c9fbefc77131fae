"""Events as texts: what `Document` does, with text for it and text from it."""

from __future__ import annotations

from datetime import datetime

from gateway.items import StoredItem
from gateway.pim.events import document
from gateway.pim.events.document import Bounds, Document
from gateway.pim.events.model import EventPatch, OccurrencePatch

__all__ = ["bounds", "delete_occurrence", "new_event", "patch_event", "patch_occurrence", "stored_event"]


def new_event(patch: EventPatch, uid: str, owner: str, now: datetime) -> str:
    return document.new_event(patch, uid, owner, now).text


def patch_event(text: str, patch: EventPatch, owner: str, now: datetime) -> str:
    return Document(text).patched(patch, owner, now).text


def patch_occurrence(text: str, original: datetime, patch: OccurrencePatch, owner: str, now: datetime) -> str:
    return Document(text).with_occurrence(original, patch, owner, now).text


def delete_occurrence(text: str, original: datetime, owner: str, now: datetime) -> str:
    return Document(text).with_occurrence(original, None, owner, now).text


def bounds(text: str) -> Bounds:
    return Document(text).bounds


def stored_event(text: str) -> StoredItem:
    return Document(text).stored
