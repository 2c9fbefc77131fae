"""What users of phones of 16.x do with drafts: save, address and send them (MS-ASCMD 2.2.3.7.2)."""

from __future__ import annotations

from tests.convergence.ledger import PLACE, Claim, Ledger
from tests.convergence.mailbox import message
from tests.convergence.properties import EMPTY, PROPERTIES, READ, changed
from tests.convergence.store import Collection, Item, Operation
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email, Email2

DRAFTS, SENT = "Drafts", "Sent"
_SEEN = changed(EMPTY, READ, READ.values[1])


def _claims(token: str, place: str) -> tuple[Claim, ...]:
    values = zip(PROPERTIES, _SEEN, strict=True)
    return (Claim(token, PLACE, place), *(Claim(token, kind, value) for kind, value in values))


class SaveDraft(Operation):
    """A user begins a message."""

    def __init__(self, token: str, ledger: Ledger) -> None:
        self.item = f"client-{token}"
        self.token = token
        self.claims = _claims(token, DRAFTS)
        self._ledger = ledger

    def __repr__(self) -> str:
        return f"draft {self.token}"

    def do(self, held: Collection) -> None:
        self._ledger.doomed.add(self.token)  # it may come to nothing, if the phone starts anew

    def element(self) -> Element:
        body = element(
            AirSyncBase.Body, element(AirSyncBase.Type, 4), element(AirSyncBase.Data, message(self.token))
        )
        return element(
            AirSync.Add, element(AirSync.ClientId, self.item), element(AirSync.ApplicationData, body)
        )

    def answered(self, held: Collection, response: Element | None) -> bool:
        name = response.child_text(AirSync.ServerId) if response else None
        if not name:
            return False
        held.items.setdefault(name, Item(self.token, _SEEN))
        self._ledger.came_to_be(self.token)
        return True


class AddressDraft(Operation):
    """A user says to whom a draft goes. `done` is None while nobody knows whether it was."""

    def __init__(self, item: str, token: str, address: str) -> None:
        self.item = item
        self.token = token
        self.address = address
        self.done: bool | None = None

    def __repr__(self) -> str:
        return f"draft {self.token} ({self.item}) goes to {self.address}"

    def do(self, held: Collection) -> None:
        """It is nothing that the phone's store is compared by."""

    def element(self) -> Element:
        data = element(AirSync.ApplicationData, element(Email.To, self.address))
        return element(AirSync.Change, element(AirSync.ServerId, self.item), data)

    def answered(self, held: Collection, response: Element | None) -> bool:
        self.done = super().answered(held, response)
        return self.done


class SendDraft(Operation):
    """A user sends a draft."""

    def __init__(self, item: str, token: str, ledger: Ledger) -> None:
        self.item = item
        self.token = token
        self.claims = _claims(token, SENT)
        self._ledger = ledger

    def __repr__(self) -> str:
        return f"draft {self.token} ({self.item}) is sent"

    def do(self, held: Collection) -> None:
        """The phone keeps its copy until the server tells that it is gone."""

    def element(self) -> Element:
        data = element(AirSync.ApplicationData, element(Email.Importance, 2))
        return element(AirSync.Change, element(AirSync.ServerId, self.item), data, element(Email2.Send))

    def answered(self, held: Collection, response: Element | None) -> bool:
        done = super().answered(held, response)
        if done:
            self._ledger.sent(self.token)
        return done
