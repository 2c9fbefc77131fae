"""What a Sync answers for a folder of items: its Collection element (MS-ASCMD 2.2.1.21.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.eas import status
from gateway.eas.commands.sync.itemplan import ItemPlan
from gateway.eas.commands.sync.reply import RESPONSES, SUCCESS, frame, item
from gateway.eas.commands.sync.request import ClientCommand, SyncCollection, Verb
from gateway.eas.content.ids import item_server_id
from gateway.eas.content.items import ItemContent, Scene
from gateway.errors import Kind
from gateway.items import ItemKind, ItemNumber
from gateway.sync.itemexchange import ItemReply
from gateway.sync.itemfolders import shown_id
from gateway.sync.itemoperations import Answer
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase

__all__ = ["ItemCollection"]

_NOT_FOUND = 8

Rendered = Mapping[ItemNumber, Sequence[Element]]


@dataclass(frozen=True, slots=True)
class ItemCollection:
    """A collection of items that was served.

    `told` are the properties of the items told, `fetched` of those asked for by name, by number.
    """

    asked: SyncCollection
    plan: ItemPlan
    outcome: ItemReply
    content: ItemContent
    scene: Scene
    told: Rendered
    fetched: Rendered

    def element(self) -> Element:
        """Its Collection element."""
        told = frame(
            shown_id(self.scene.folder), self.outcome.key, SUCCESS, self.scene.version, self.content.name
        )
        if self.outcome.more:
            told.add(AirSync.MoreAvailable)
        commands = self._commands()
        if commands:
            told.append(element(AirSync.Commands, *commands))
        responses = self._responses()
        if responses:
            told.append(element(AirSync.Responses, *responses))
        return told

    def _name(self, number: ItemNumber) -> str:
        return item_server_id(self.scene.folder.id, number)

    def _commands(self) -> list[Element]:
        """Server changes: what is gone first, then what changed, then what is new."""
        delta = self.outcome.told
        commands = [item(AirSync.Delete, self._name(number)) for number in delta.removed]
        commands += [item(AirSync.SoftDelete, self._name(number)) for number in delta.aged]
        changed = AirSync.Change
        if self.content.kind is ItemKind.RECIPIENTS:  # which changes as what goes and what comes
            commands += [item(AirSync.Delete, self._name(one.number)) for one in delta.changed]
            changed = AirSync.Add
        for tag, items in ((changed, delta.changed), (AirSync.Add, delta.added)):
            for one in items:
                data = element(AirSync.ApplicationData, *self.told[one.number])
                commands.append(item(tag, self._name(one.number), data))
        return commands

    def _responses(self) -> list[Element]:
        """Answers in request order.

        An operation that succeeded is passed over in silence, but for an Add, a Fetch, and new attachments.
        """
        answers = self.plan.answers(self.outcome)
        responses: list[Element] = []
        for position, command in enumerate(self.asked.commands):
            if position in self.plan.fetches:
                responses.append(_fetched(command, self.fetched.get(self.plan.fetches[position])))
                continue
            answer = answers.get(position) or Answer(self.plan.refused[position])
            if answer.refusal is not None:
                value = status.value("Sync", status.Level.ITEM, answer.refusal, self.scene.version)
                told = [element(AirSync.Status, value)]
            elif command.verb is Verb.ADD or answer.files:
                data = self.content.answered(answer, self.scene)
                told = [element(AirSync.Status, self._success(answer))]
                told += [element(AirSync.ApplicationData, *data)] if data else []
            else:
                continue
            responses.append(element(RESPONSES[command.verb], *self._names(command, answer), *told))
        return responses

    def _success(self, answer: Answer) -> int:
        """What tells that an operation was done, all of it or all but some occurrences (MS-ASCMD 2.2.2)."""
        if not answer.incomplete:
            return SUCCESS
        return status.value("Sync", status.Level.ITEM, Kind.EXCEPTIONS_FAILED, self.scene.version)

    def _names(self, command: ClientCommand, answer: Answer) -> list[Element]:
        """What the request called the item, and for an Add its name from now on.

        Also for one that was refused and will be deleted from the device, which has to know it by then.
        """
        if command.verb is not Verb.ADD:
            named = [element(AirSync.ServerId, command.item)]
            return named + ([element(AirSyncBase.InstanceId, command.instance)] if command.instance else [])
        named = [element(AirSync.ClientId, command.item)]
        if answer.number:
            named.append(element(AirSync.ServerId, self._name(answer.number)))
        return named


def _fetched(command: ClientCommand, properties: Sequence[Element] | None) -> Element:
    told = element(AirSync.Fetch, element(AirSync.ServerId, command.item))
    if properties is None:
        told.add(AirSync.Status, str(_NOT_FOUND))
    else:
        told.add(AirSync.Status, str(SUCCESS))
        told.append(element(AirSync.ApplicationData, *properties))
    return told
