"""What a Sync answers: Collection elements (MS-ASCMD 2.2.1.21.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.eas import status
from gateway.eas.commands.sync import drafts
from gateway.eas.commands.sync.operations import OBJECT_NOT_FOUND, Plan, status_of
from gateway.eas.commands.sync.request import SyncCollection, Verb
from gateway.eas.content import email
from gateway.eas.content.ids import server_id
from gateway.eas.content.marks import NO_VALUES, Marks
from gateway.eas.versions import Version
from gateway.errors import Kind
from gateway.sync.annotations import Values
from gateway.sync.changes import Outcome
from gateway.sync.mail import MailReply
from gateway.types import CollectionId
from wbxml import Element, Tag, element
from wbxml.pages import AirSync

SUCCESS = 1
MAIL = "Email"
RESPONSES = {
    Verb.ADD: AirSync.Add,
    Verb.CHANGE: AirSync.Change,
    Verb.DELETE: AirSync.Delete,
    Verb.FETCH: AirSync.Fetch,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of the messages of a reply, by UID.

    Those told in full, the annotations of those of which only marks changed, with the subjects of those of
    which `untitled` says that they are needed, and those fetched. `texts` are the answers to uploads of text
    messages, by position.
    """

    rendered: Mapping[int, email.Rendered]
    notes: Mapping[int, Values]
    subjects: Mapping[int, str]
    fetched: Mapping[int, email.Rendered]
    texts: Mapping[int, Element]


def failed(asked: SyncCollection, kind: Kind, version: Version) -> Element:
    """A collection that could not be served. Its key is as it was, or 0 when that key is worth nothing."""
    key = "0" if kind is Kind.SYNC_STATE_NOT_FOUND else asked.key
    value = status.value("Sync", status.Level.COLLECTION, kind, version)
    return frame(asked.id, key, value, version, asked.kind or MAIL)


def unchanged(asked: SyncCollection, version: Version) -> Element:
    """A collection without news, said aloud."""
    return frame(asked.id, asked.key, SUCCESS, version, asked.kind or MAIL)


def collection(
    asked: SyncCollection, plan: Plan, outcome: MailReply, shown: Shown, version: Version
) -> Element:
    """A collection that was served.

    Commands are the server's changes, Responses answer the client's operations.
    """
    told = frame(asked.id, outcome.key, SUCCESS, version)
    if outcome.more:
        told.add(AirSync.MoreAvailable)
    commands = _commands(asked.id, outcome, shown, version)
    if commands:
        told.append(element(AirSync.Commands, *commands))
    responses = _responses(asked, plan, outcome, shown, version)
    if responses:
        told.append(element(AirSync.Responses, *responses))
    return told


def frame(identity: CollectionId, key: str, value: int, version: Version, kind: str = MAIL) -> Element:
    """A collection with its names and its Status; up to 12.0 also with its class."""
    made = element(AirSync.Collection)
    if version < Version.V12_1:
        made.add(AirSync.Class, kind)
    made.add(AirSync.SyncKey, key)
    made.add(AirSync.CollectionId, identity)
    made.add(AirSync.Status, str(value))
    return made


def _commands(identity: CollectionId, outcome: MailReply, shown: Shown, version: Version) -> list[Element]:
    """Server changes: what is gone first, then what changed, then new mail, newest first."""
    validity, told = outcome.after.uidvalidity, outcome.told
    gone = [(former, uid) for former, uids in told.former for uid in uids]
    gone += [(validity, uid) for uid in told.removed]
    commands = [item(AirSync.Delete, server_id(identity, named, uid)) for named, uid in gone]
    commands += [item(AirSync.SoftDelete, server_id(identity, validity, uid)) for uid in told.aged]
    for uid in told.changed:
        marks, names = _changed(outcome, shown.notes, uid)
        properties = marks.changes(names, version, shown.subjects.get(uid, ""))
        if properties:
            data = element(AirSync.ApplicationData, *properties)
            commands.append(item(AirSync.Change, server_id(identity, validity, uid), data))
    for tag, uids in ((AirSync.Change, told.renewed), (AirSync.Add, told.added)):
        for uid in reversed(uids):
            message = shown.rendered.get(uid)
            if message is not None:
                data = element(AirSync.ApplicationData, *message.elements)
                commands.append(item(tag, server_id(identity, validity, uid), data))
    return commands


def untitled(outcome: MailReply, notes: Mapping[int, Values]) -> list[int]:
    """The messages that are told to be flagged, and whose flags get their subject."""
    changed = {uid: _changed(outcome, notes, uid) for uid in outcome.told.changed}
    return [uid for uid, (marks, names) in changed.items() if marks.lacks_subject(names)]


def _changed(outcome: MailReply, notes: Mapping[int, Values], uid: int) -> tuple[Marks, frozenset[str]]:
    """The marks of a message, and which of them changed."""
    flags = outcome.after.flags_of(uid)
    noted = {name for name, uids in outcome.told.noted.items() if uid in uids}
    return Marks.of(flags, notes.get(uid, NO_VALUES)), frozenset(flags ^ outcome.before.flags_of(uid) | noted)


def item(tag: Tag, name: str, *more: Element) -> Element:
    """A change of one item."""
    return element(tag, element(AirSync.ServerId, name), *more)


def _responses(
    asked: SyncCollection, plan: Plan, outcome: MailReply, shown: Shown, version: Version
) -> list[Element]:
    """Answers in request order.

    An operation that succeeded is passed over in silence, but for an Add, a Fetch, and new attachments. A
    message fetched more than once is answered once: each answer would hold all of it.
    """
    validity = outcome.after.uidvalidity
    outcomes = dict(zip(plan.operations, outcome.outcomes, strict=True))
    responses: list[Element] = []
    fetched: set[tuple[int, int]] = set()
    for position, command in enumerate(asked.commands):
        if position in plan.fetches:
            name = plan.fetches[position]
            if name not in fetched:
                fetched.add(name)
                responses.append(_fetched(command.item, name, outcome, shown, version))
            continue
        if position in plan.texts:
            if position in shown.texts:
                responses.append(shown.texts[position])
            continue
        new = command.verb is Verb.ADD
        if position in plan.refused:
            told = [element(AirSync.Status, plan.refused[position])]
        elif outcomes[position] is not Outcome.DONE:
            told = [element(AirSync.Status, status_of(outcomes[position], version))]
        else:
            answer = outcome.drafts.get(plan.operations[position].identity)
            told = drafts.answered(asked.id, validity, answer, new=new) if answer else []
            if new and not told:  # sent at once
                told = [element(AirSync.Status, SUCCESS)]
        if told:
            named = AirSync.ClientId if new else AirSync.ServerId
            responses.append(element(RESPONSES[command.verb], element(named, command.item), *told))
    return responses


def _fetched(item: str, name: tuple[int, int], outcome: MailReply, shown: Shown, version: Version) -> Element:
    validity, uid = name
    message = shown.fetched.get(uid) if validity == outcome.after.uidvalidity else None
    if message is None:
        value = OBJECT_NOT_FOUND
    else:  # what there was no room for is to be asked for again
        value = status_of(Outcome.RETRY, version) if message.withheld else SUCCESS
    told = element(AirSync.Fetch, element(AirSync.ServerId, item), element(AirSync.Status, value))
    if message is not None and not message.withheld:
        told.append(element(AirSync.ApplicationData, *message.elements))
    return told
