"""What a Sync request asks.

The document as typed values, and the form in which the last one is remembered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.eas import fields
from gateway.eas.content.kinds import content_named
from gateway.eas.options import CollectionOptions
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.sync.itemfolders import is_item_folder
from gateway.sync.keys import INITIAL_KEY
from gateway.types import CollectionId
from wbxml import Element
from wbxml.pages import AirSync, AirSyncBase, Email2

MAX_WINDOW = 512
DEFAULT_WINDOW = 100
MAX_OPERATIONS = 200
MOST_COLLECTIONS = 5000
"""As many as any configuration allows; what follows the one beyond is not read."""
MAX_WAIT = 59

_COLLECTION_ORDER = (
    AirSync.Class,
    AirSync.SyncKey,
    AirSync.CollectionId,
    AirSync.Supported,
    AirSync.DeletesAsMoves,
    AirSync.GetChanges,
    AirSync.WindowSize,
    AirSync.ConversationMode,
    AirSync.Options,
    AirSync.Commands,
)
_RANK = {tag: rank for rank, tag in enumerate(_COLLECTION_ORDER)}


class Verb(StrEnum):
    """The operations a client may ask for."""

    ADD = "Add"
    CHANGE = "Change"
    DELETE = "Delete"
    FETCH = "Fetch"


_VERBS = {
    AirSync.Add: Verb.ADD,
    AirSync.Change: Verb.CHANGE,
    AirSync.Delete: Verb.DELETE,
    AirSync.Fetch: Verb.FETCH,
}


@dataclass(frozen=True, slots=True)
class ClientCommand:
    """One operation of the client. `item` is its ServerId, for an Add its ClientId.

    `kind` is the Class it names, if that is another than the folder's.
    """

    verb: Verb
    item: str
    data: Element | None = None
    instance: str = ""
    send: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SyncCollection:
    """One Collection. `options` None means those stored; `get_changes` None that the client did not say.

    `id` is "" when only `kind` says which folder is meant: the default one of that class (2.5). The Options
    of a folder of items are `blocks`: what they may be depends on what it holds. `supported` comes with
    key 0. `refusal` is what is wrong with the Options of a folder of mail, which concerns it alone.
    """

    id: CollectionId
    key: str
    get_changes: bool | None = None
    deletes_as_moves: bool = True
    window: int = DEFAULT_WINDOW
    options: CollectionOptions | None = None
    conversations: bool = False
    commands: Sequence[ClientCommand] = ()
    kind: str = ""
    blocks: Sequence[Element] = ()
    supported: Element | None = None
    refusal: Refused | None = None

    @property
    def wants_changes(self) -> bool:
        """Whether server changes are asked for: yes unless the client says no (MS-ASCMD 2.2.3.79)."""
        return self.get_changes is not False

    @property
    def wants_nothing(self) -> bool:
        """Whether no answer is wanted but that the key is good, be it one that was answered before."""
        return self.key != INITIAL_KEY and not self.wants_changes and not self.commands


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A Sync request. `wait` is in seconds, and `wait_in_minutes` says in which unit it was asked for."""

    collections: Sequence[SyncCollection] = ()
    wait: int | None = None
    wait_in_minutes: bool = False
    window: int = MAX_WINDOW
    partial: bool = False

    def remember(self) -> bytes:
        """What an empty or partial request refers to later: all but the client's operations."""
        collections = [
            [c.id, c.key, c.get_changes, c.deletes_as_moves, c.window, c.conversations]
            for c in self.collections
        ]
        return json.dumps([collections, self.wait, self.wait_in_minutes, self.window]).encode()

    @classmethod
    def recall(cls, memo: bytes) -> SyncRequest:
        """The request `remember` made these bytes of."""
        collections, wait, in_minutes, window = json.loads(memo)
        return cls(
            # The first release knew five values.
            tuple(
                SyncCollection(CollectionId(c[0]), c[1], c[2], c[3], c[4], conversations=any(c[5:]))
                for c in collections
            ),
            wait,
            in_minutes,
            window,
        )

    def completed(self, last: SyncRequest) -> SyncRequest:
        """A partial request with what it leaves out taken from the last one (MS-ASCMD 2.2.3.130)."""
        named = {collection.id for collection in self.collections}
        others = tuple(collection for collection in last.collections if collection.id not in named)
        wait = last.wait if self.wait is None else self.wait
        in_minutes = last.wait_in_minutes if self.wait is None else self.wait_in_minutes
        return replace(self, collections=(*self.collections, *others), wait=wait, wait_in_minutes=in_minutes)


def parse(root: Element, version: Version) -> SyncRequest:
    """The request a document is. Raises `Refused(INVALID_XML)` for what concerns more than one collection."""
    container = fields.only(root, AirSync.Collections)
    partial = root.find(AirSync.Partial) is not None
    minutes = fields.number(root, AirSync.Wait)
    seconds = fields.number(root, AirSync.HeartbeatInterval)
    if minutes is not None and seconds is not None:
        raise fields.malformed("Wait and HeartbeatInterval in one request")
    if container is None and (not partial or len(root) == 1):
        raise fields.malformed("neither Collections nor anything else beside Partial")
    asked = container.findall(AirSync.Collection)[: MOST_COLLECTIONS + 1] if container else []
    if not asked and not partial and minutes is None and seconds is None:
        raise fields.malformed("Collections without a Collection")
    # Counted first: to read as many as a document can hold takes seconds.
    if sum(len(commands) for one in asked for commands in one.findall(AirSync.Commands)) > MAX_OPERATIONS:
        raise fields.malformed("more than 200 operations")
    collections = tuple(_collection(one, version) for one in asked)
    if len({collection.id or collection.kind for collection in collections}) != len(collections):
        raise fields.malformed("a collection named twice")
    return SyncRequest(
        collections,
        seconds if minutes is None else minutes * 60,
        minutes is not None,
        _window(root, MAX_WINDOW),
        partial,
    )


def _collection(asked: Element, version: Version) -> SyncCollection:
    ranks = [_RANK[child.tag] for child in asked if child.tag in _RANK]
    if ranks != sorted(ranks):
        raise fields.malformed("the children of a Collection are out of order")
    key = fields.identifier(asked, AirSync.SyncKey)
    kind = (asked.child_text(AirSync.Class) or "").strip()
    old = version < Version.V12_0
    unnamed = old and kind and asked.find(AirSync.CollectionId) is None
    identity = CollectionId("" if unnamed else fields.identifier(asked, AirSync.CollectionId))
    get_changes = None
    # Old devices ask for changes with key 0 too, and know that there are none.
    if asked.find(AirSync.GetChanges) is not None and not (old and key == INITIAL_KEY):
        get_changes = fields.boolean(asked, AirSync.GetChanges, default=True)
    blocks = asked.findall(AirSync.Options)
    of_items = is_item_folder(identity) if identity else content_named(kind) is not None
    conversations = fields.boolean(asked, AirSync.ConversationMode, default=False)
    if of_items and conversations:
        raise fields.malformed("ConversationMode outside mail")
    commands = fields.only(asked, AirSync.Commands)
    if key == INITIAL_KEY:  # the device is about to forget the items that operations name
        commands = None
    options, refusal = None, None
    if blocks and not of_items:
        try:
            options = CollectionOptions.parse(blocks, version)
        except Refused as error:
            refusal = error
    return SyncCollection(
        identity,
        key,
        get_changes,
        fields.boolean(asked, AirSync.DeletesAsMoves, default=True),
        _window(asked, DEFAULT_WINDOW),
        options,
        conversations,
        tuple(_command(command) for command in commands or () if command.tag in _VERBS),
        kind,
        blocks if of_items else (),
        asked.find(AirSync.Supported) if of_items and key == INITIAL_KEY else None,
        refusal,
    )


def _window(parent: Element, default: int) -> int:
    """A WindowSize; 0 and what is beyond the maximum mean the maximum (MS-ASCMD 2.2.3.199)."""
    size = fields.number(parent, AirSync.WindowSize, default)
    return size if size is not None and 0 < size <= MAX_WINDOW else MAX_WINDOW


def _command(command: Element) -> ClientCommand:
    verb = _VERBS[command.tag]
    item = fields.identifier(command, AirSync.ClientId if verb is Verb.ADD else AirSync.ServerId)
    data = fields.only(command, AirSync.ApplicationData)
    send = command.find(Email2.Send) is not None
    if data is None and (verb is Verb.ADD or (verb is Verb.CHANGE and not send)):
        raise fields.malformed(f"{verb} without ApplicationData")
    return ClientCommand(
        verb,
        item,
        data,
        command.child_text(AirSyncBase.InstanceId) or "",
        send,
        (command.child_text(AirSync.Class) or "").strip(),
    )
