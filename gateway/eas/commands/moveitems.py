"""MoveItems (MS-ASCMD 2.2.1.12): messages and items change folders, each with a Status of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.eas import fields, status
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.content.ids import item_server_id, parse_item_server_id, parse_server_id, server_id
from gateway.eas.versions import Version
from gateway.errors import ENDS_REQUEST, GatewayError, Kind, NotFound
from gateway.sync import itemfolders
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import RECIPIENT_CACHE, find, mailbox_of
from gateway.sync.itemfolders import is_item_folder
from gateway.sync.itemmoves import ItemMover
from gateway.sync.moves import Message, Moved, MoveOutcome, Mover, Place
from gateway.types import CollectionId, FolderList
from wbxml import Element, element
from wbxml.pages import Move as Page

_NO_SOURCE = 1
_NO_TARGET = 2
_SUCCESS = 3
_SAME_FOLDER = 4
_SEVERAL_TARGETS = 5
_FORBIDDEN_TARGET = 105
_MOST_MOVES = 1000

_KINDS: Mapping[MoveOutcome, Kind] = {
    MoveOutcome.NOT_FOUND: Kind.ITEM_NOT_FOUND,
    MoveOutcome.REFUSED: Kind.ACCESS_DENIED,
    MoveOutcome.LATER: Kind.SERVER_ERROR_RETRY,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One Move, as it was written. `several` says that the device named more than one target."""

    item: str
    source: str
    target: str
    several: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """What becomes of a Move: its Status, and the new ServerId."""

    status: int
    item: str = ""


class MoveItems:
    """Moves messages, as many of one pair of folders at once as there are, and items one by one."""

    name = "MoveItems"
    code = 13
    root = Page.MoveItems
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises what concerns the whole request: `Refused` and `ENDS_REQUEST`."""
        root = fields.document(root)
        moves = root.findall(Page.Move)
        if not 0 < len(moves) <= _MOST_MOVES or len(moves) != len(root):
            raise fields.malformed("no Move, too many, or something else")
        asked = [_parse(move) for move in moves]
        folders = Folders(context.services.state, context.mailboxes, context.principal.user)
        answers = await _Work(context, await folders.all()).answers(asked)
        reply = element(Page.MoveItems)
        for one in asked:
            answer = answers[one]
            told = element(Page.Response, element(Page.SrcMsgId, one.item))
            told.add(Page.Status, str(answer.status))
            if answer.item:
                told.add(Page.DstMsgId, answer.item)
            reply.append(told)
        return reply


def _parse(move: Element) -> _Asked:
    """A Move with its three ids, which may be anything: what is none concerns this Move alone."""
    targets = [target.text().strip() for target in move.findall(Page.DstFldId)]
    if not targets:
        raise fields.malformed("a Move without DstFldId")
    item, source = (fields.required(move, tag).text() for tag in (Page.SrcMsgId, Page.SrcFldId))
    return _Asked(item, source.strip(), targets[0], len(targets) > 1)


@dataclass(slots=True)
class _Work:
    """The moves of one request."""

    context: Context
    folders: FolderList

    async def answers(self, asked: Sequence[_Asked]) -> Mapping[_Asked, _Answer]:
        """Do all of them; whatever becomes of one, it gets an answer of its own."""
        answers: dict[_Asked, _Answer] = {}
        pairs: defaultdict[tuple[Place, Place], dict[Message, _Asked]] = defaultdict(dict)
        going: set[tuple[str, str]] = set()
        for one in dict.fromkeys(asked):
            name = one.source, one.item.strip()
            if name in going:  # to another folder, with a Move before this one
                answers[one] = _Answer(_SEVERAL_TARGETS)
                continue
            found = await self._move_item(one) if is_item_folder(one.source) else self._sorted(one)
            if not isinstance(found, _Answer):
                source, target, message = found
                pairs[source, target][message] = one
                going.add(name)
                continue
            answers[one] = found
            if found.status == _SUCCESS:
                going.add(name)
        for (source, target), messages in pairs.items():
            moved = await self._move(source, target, list(messages))
            for message, one in messages.items():
                answers[one] = moved[message]
        for one, answer in answers.items():
            if answer.status != _SUCCESS:
                self.context.note("", f"move from {one.source} to {one.target}: Status {answer.status}")
        return answers

    def _sorted(self, asked: _Asked) -> tuple[Place, Place, Message] | _Answer:
        """Where a message is to go from and to, or why it cannot."""
        source = self._place(asked.source)
        try:
            name = parse_server_id(asked.item.strip())
        except NotFound:
            return _Answer(_NO_SOURCE)
        if source is None or name.collection != asked.source:
            return _Answer(_NO_SOURCE)
        if asked.several:
            return _Answer(_SEVERAL_TARGETS)
        target = self._place(asked.target)
        if target is None:
            return self._no_target(asked)
        if target == source:
            return _Answer(_SAME_FOLDER)
        return source, target, (name.uidvalidity, name.uid)

    async def _move_item(self, asked: _Asked) -> _Answer:
        """Move an item to another folder of its kind."""
        context, user = self.context, self.context.principal.user
        items = context.services.items
        source = await itemfolders.find(items, user, CollectionId(asked.source))
        try:
            name = parse_item_server_id(asked.item)
        except NotFound:
            return _Answer(_NO_SOURCE)
        if source is None or name.collection != source.id:
            return _Answer(_NO_SOURCE)
        if asked.several:
            return _Answer(_SEVERAL_TARGETS)
        target = await itemfolders.find(items, user, CollectionId(asked.target))
        if target is None or target.kind is not source.kind:
            return self._no_target(asked)
        if target.id == source.id:
            return _Answer(_SAME_FOLDER)
        try:
            moved = await ItemMover(context.services.state, items, user, context.device.id).move(
                name.number, source, target
            )
        except ENDS_REQUEST:
            raise  # it concerns every move
        except GatewayError as error:
            context.note("", f"move from {source.id}: {error.detail}")
            return _Answer(self._status(error.kind))
        return _Answer(_SUCCESS, item_server_id(target.id, moved))

    def _no_target(self, asked: _Asked) -> _Answer:
        """The recipient cache is a folder, which nothing can be moved to; 105 came with 14.0 as it did."""
        forbidden = asked.target == RECIPIENT_CACHE and self.context.request.version.has_recipients
        return _Answer(_FORBIDDEN_TARGET if forbidden else _NO_TARGET)

    def _place(self, identity: str) -> Place | None:
        folder = find(self.folders, identity)
        mailbox = mailbox_of(folder) if folder else None
        return Place(folder.id, mailbox) if folder and mailbox else None

    async def _move(
        self, source: Place, target: Place, messages: Sequence[Message]
    ) -> Mapping[Message, _Answer]:
        context = self.context
        services = context.services
        mover = Mover(
            services.state, context.mailboxes, services.clock, context.principal.user, context.device.id
        )
        try:
            moved = await mover.move(source, target, messages)
        except ENDS_REQUEST:
            raise  # it concerns every move
        except GatewayError as error:
            context.note("", f"moves from {source.collection}: {error.detail}")
            return dict.fromkeys(messages, _Answer(self._status(error.kind)))
        return {message: self._answer(target, one) for message, one in moved.items()}

    def _answer(self, target: Place, moved: Moved) -> _Answer:
        if moved.outcome is MoveOutcome.NO_TARGET:
            return _Answer(_NO_TARGET)
        if moved.outcome is not MoveOutcome.DONE:
            return _Answer(self._status(_KINDS[moved.outcome]))
        if not moved.uid:
            return _Answer(_SUCCESS)
        return _Answer(_SUCCESS, server_id(target.collection, moved.uidvalidity, moved.uid))

    def _status(self, kind: Kind) -> int:
        return status.value("MoveItems", status.Level.ITEM, kind, self.context.request.version)
