"""Client operations on mail: what a Change or Delete element asks for, and the Status that answers each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.eas import status
from gateway.eas.commands.sync import drafts, texts
from gateway.eas.commands.sync.request import ClientCommand, Verb
from gateway.eas.commands.sync.texts import TextOperation
from gateway.eas.content.ids import parse_server_id
from gateway.eas.content.marks import parse_categories, parse_flag
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound
from gateway.sync.annotations import FollowUp
from gateway.sync.changes import Change, Outcome
from gateway.sync.drafting import Add
from gateway.sync.operations import Delete, Operation
from gateway.types import CollectionId
from wbxml import Element
from wbxml.pages import Email, Email2

CONVERSION_ERROR = 6
OBJECT_NOT_FOUND = 8

_KINDS: Mapping[Outcome, Kind] = {
    Outcome.NOT_FOUND: Kind.ITEM_NOT_FOUND,
    Outcome.REFUSED: Kind.ACCESS_DENIED,
    Outcome.QUOTA: Kind.MAILBOX_QUOTA_EXCEEDED,
    Outcome.CONFLICT: Kind.CONFLICT,
    Outcome.INVALID: Kind.INVALID_XML,
    Outcome.TOO_LARGE: Kind.TOO_LARGE,
    Outcome.RECIPIENTS: Kind.INVALID_RECIPIENTS,
    Outcome.SEND_QUOTA: Kind.SEND_QUOTA_EXCEEDED,
    Outcome.NOT_SENT: Kind.SUBMISSION_FAILED,
    Outcome.RETRY: Kind.SERVER_ERROR_RETRY,
}
_READ_ONLY = frozenset(
    {
        Email2.ConversationId,
        Email2.ConversationIndex,
        Email2.ReceivedAsBcc,
        Email2.Sender,
        Email2.UmCallerID,
        Email2.UmUserNotes,
        Email2.IsDraft,
    }
)


@dataclass(slots=True)
class Plan:
    """The operations of a collection, sorted by what becomes of them.

    `operations` go to the mailbox, `refused` are answered with a Status at once, `fetches` name the
    messages to return, `texts` are operations on text messages. All are by the position of the command in the
    request.
    """

    operations: dict[int, Operation] = field(default_factory=dict)
    refused: dict[int, int] = field(default_factory=dict)
    fetches: dict[int, tuple[int, int]] = field(default_factory=dict)
    texts: dict[int, TextOperation] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether there are answers beside those of the mailbox."""
        return bool(self.refused or self.fetches or self.texts)


def plan(
    collection: CollectionId,
    commands: Sequence[ClientCommand],
    *,
    with_drafts: bool = False,
    text_box: texts.Box | None = None,
) -> Plan:
    """Sort the commands of one mail collection, in which the device may make drafts or upload texts, or not.

    Each stands alone: a bad one gets its Status, the others are done.
    """
    sorted_ = Plan()
    added: dict[str, Add] = {}
    edits: Counter[str] = Counter()
    for position, command in enumerate(commands):
        try:
            text = texts.operation(collection, command, text_box)
            if text is not None:
                sorted_.texts[position] = text
                continue
            if command.verb is Verb.ADD:
                sorted_.operations[position] = _add(command, added, with_drafts=with_drafts)
                continue
            name = parse_server_id(command.item)
            if name.collection != collection:
                raise NotFound("an item of another collection")
            if command.verb is Verb.FETCH:
                sorted_.fetches[position] = (name.uidvalidity, name.uid)
            elif command.verb is Verb.DELETE:
                sorted_.operations[position] = Delete(name.uidvalidity, name.uid)
            else:
                change = _change(name.uidvalidity, name.uid, command.data)
                if command.send and not with_drafts:
                    raise BadItem("only drafts can be sent")
                sorted_.operations[position] = (
                    drafts.edit(name, command, change, edits) if with_drafts else change
                )
        except NotFound:
            sorted_.refused[position] = OBJECT_NOT_FOUND
        except BadItem:
            sorted_.refused[position] = CONVERSION_ERROR
    return sorted_


def status_of(outcome: Outcome, version: Version) -> int:
    """The Status of an operation that was not done."""
    return status.value("Sync", status.Level.ITEM, _KINDS[outcome], version)


def _add(command: ClientCommand, added: dict[str, Add], *, with_drafts: bool) -> Add:
    """A new draft; other mail comes from the server alone (MS-ASCMD 2.2.3.7.2)."""
    if not with_drafts or command.kind == texts.CLASS:
        raise BadItem("mail cannot be added here")
    new = drafts.add(command, _change(0, 0, command.data))
    if added.setdefault(command.item, new).digest != new.digest:
        raise BadItem("two drafts with one ClientId")
    return new


def _change(uidvalidity: int, uid: int, data: Element | None) -> Change:
    """The Change an ApplicationData asks for.

    Properties a client may not set are left as they are (MS-ASEMAIL 3.1.5.1).
    """
    read: bool | None = None
    flag: FollowUp | None = None
    categories: frozenset[str] | None = None
    for child in data or ():
        if child.tag in _READ_ONLY:
            raise BadItem(f"{child.tag!r} cannot be changed")
        if child.tag is Email.Read:
            text = child.text().strip()
            if text not in ("", "0", "1"):
                raise BadItem("Read is neither 0 nor 1")
            read = text != "0"
        elif child.tag is Email.Flag:
            flag = parse_flag(child)
        elif child.tag is Email.Categories:
            categories = parse_categories(child)
    return Change(uidvalidity, uid, read, None if flag is None else flag.active, flag, categories)
