"""SendMail, SmartReply and SmartForward as phones do them (MS-ASCMD 2.2.1.17 to 2.2.1.20)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.convergence.network import Fate
from tests.convergence.phone import WBXML, Phone
from tests.convergence.store import Answered, Errand
from wbxml import Element, decode, element, encode
from wbxml.pages import ComposeMail

_AGAIN = frozenset({"111", "115", "116", "120"})
"""111 later, 115, 116 and 120 refused: the message stays in the outbox, and the user tries again."""
_NO_ORIGINAL = "150"


@dataclass(eq=False)
class Letter(Errand):
    """A message in the outbox. `message` has a Message-ID; `attempts` counts how often it was sent."""

    token: str
    message: bytes
    client_id: str
    attempts: int = 0
    original: tuple[str, str] | None = None
    """Folder and item that it answers: it is sent by SmartReply then, until that one turns out to be gone."""
    forward: bool = False
    """Whether it is sent by SmartForward instead."""
    answered: bool = False
    """Whether the gateway said that it sent it as an answer."""

    def attempt(self, phone: Phone, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        self.attempts += 1
        identity = self.client_id
        if not phone.habits.same_client_id:
            identity += f"-{self.attempts}"
        smart = "SmartForward" if self.forward else "SmartReply"
        command = "SendMail" if self.original is None else smart
        body, kind, more = self.message, "message/rfc822", {"SaveInSent": "T", **self._query()}
        if phone.habits.version >= "14":
            body, kind, more = encode(self._document(command, identity)), WBXML, {}
        failures = phone.answers[f"{command} HTTP 500"]
        answer = phone.post(command, body, fate, position, kind, more)
        if answer is None:
            if phone.answers[f"{command} HTTP 500"] > failures:
                self.original = None  # it says no more than that it cannot be done so
            return "later"
        status = decode(answer.body).child_text(ComposeMail.Status) if answer.body else None
        if status == _NO_ORIGINAL and self.original is not None:
            self.original = None
            return "later"
        if status not in {None, "118"}:
            return phone.later(f"{command} {status}", status in _AGAIN)
        phone.ledger.sent(self.token)
        self.answered = self.original is not None
        return "done"

    def _query(self) -> dict[str, str]:
        """What names the original up to 12.1."""
        return (
            {} if self.original is None else dict(zip(("CollectionId", "ItemId"), self.original, strict=True))
        )

    def _document(self, command: str, identity: str) -> Element:
        root = element(getattr(ComposeMail, command), element(ComposeMail.ClientId, identity))
        if self.original is not None:
            folder, item = self.original
            names = element(ComposeMail.FolderId, folder), element(ComposeMail.ItemId, item)
            root.append(element(ComposeMail.Source, *names))
        root.add(ComposeMail.SaveInSentItems)
        root.append(element(ComposeMail.Mime, self.message))
        return root
