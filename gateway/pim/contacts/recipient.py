"""Somebody a user writes to, as the recipient information cache has it: a vCard of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.items import StoredItem
from gateway.pim.contacts.card import Card
from gateway.pim.names import OWN
from gateway.pim.properties import natural
from gateway.pim.tree import Node, escaped, make_line

__all__ = ["Recipient", "read_recipient", "stored_recipient"]

_RANK = f"{OWN}RANK"
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Recipient:
    """`rank` counts the days on which somebody was written to; `name` may be ""."""

    address: str
    name: str
    rank: int = 1

    @property
    def key(self) -> str:
        """What is the same for the same address."""
        return self.address.lower()


def stored_recipient(recipient: Recipient, last: datetime) -> StoredItem:
    """What is to be stored; `last` is when a message went there last, which is when the item ends."""
    name = recipient.name[:_LONGEST] or recipient.address
    lines = [
        make_line("VERSION", "3.0"),
        make_line("UID", escaped(recipient.key)),
        make_line("FN", escaped(name)),
        make_line("EMAIL", escaped(recipient.address)),
        make_line(_RANK, str(recipient.rank)),
    ]
    return StoredItem(recipient.key, Node.new("VCARD", lines).text, ends=last)


def read_recipient(text: str) -> Recipient:
    """What `stored_recipient` made. Raises `BadContact`."""
    card = Card.parse(text)
    address, name = card.text("EMAIL"), card.text("FN")
    return Recipient(address, "" if name == address else name, natural(card.text(_RANK)))
