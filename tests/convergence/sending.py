"""SendMail as phones do it (MS-ASCMD 2.2.1.17)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.convergence.network import Fate
from tests.convergence.phone import WBXML, Phone
from tests.convergence.store import Answered, Errand
from wbxml import decode, element, encode
from wbxml.pages import ComposeMail

_AGAIN = frozenset({"111", "115", "116", "120"})
"""111 later, 115, 116 and 120 refused: the message stays in the outbox, and the user tries again."""


@dataclass(eq=False)
class Letter(Errand):
    """A message in the outbox. `message` has a Message-ID; `attempts` counts how often it was sent."""

    token: str
    message: bytes
    client_id: str
    attempts: int = 0

    def attempt(self, phone: Phone, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        self.attempts += 1
        identity = self.client_id
        if not phone.habits.same_client_id:
            identity += f"-{self.attempts}"
        body, kind, more = self.message, "message/rfc822", {"SaveInSent": "T"}
        if phone.habits.version >= "14":
            kind, more = WBXML, {}
            body = encode(
                element(
                    ComposeMail.SendMail,
                    element(ComposeMail.ClientId, identity),
                    element(ComposeMail.SaveInSentItems),
                    element(ComposeMail.Mime, self.message),
                )
            )
        answer = phone.post("SendMail", body, fate, position, kind, more)
        if answer is None:
            return "later"
        status = decode(answer.body).child_text(ComposeMail.Status) if answer.body else None
        if status not in {None, "118"}:
            return phone.later(f"SendMail {status}", status in _AGAIN)
        phone.ledger.sent(self.token)
        return "done"
