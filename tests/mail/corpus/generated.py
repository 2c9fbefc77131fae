"""Messages made by rule: trees of parts at random, and messages damaged on their way."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.mail.corpus.parts import (
    BOTH,
    HTML,
    IMAGE,
    INVITATION,
    MESSAGE,
    SIGNATURE,
    TEXT,
    Sample,
    coded,
    file,
    mail,
    multi,
)

__all__ = ["samples"]

_SEED = 20260301
_TREES = 80
_DAMAGED = 80
_LARGEST = 4000
"""Octets of a message that is worth being damaged; in larger ones it would hardly be seen."""
_LEAVES = (
    TEXT,
    HTML,
    BOTH,
    IMAGE,
    MESSAGE,
    SIGNATURE,
    INVITATION,
    file("; filename=a.pdf"),
    coded("koi8-r", "Привет"),
)
_SUBTYPES = ("mixed", "alternative", "related", "signed", "report", "digest", "appledouble", "parallel")


def samples(written: Sequence[Sample]) -> Iterator[Sample]:
    """The messages, of which nothing is expected but that each is shown. `written` are those to damage."""
    chance = random.Random(_SEED)
    for number in range(_TREES):
        yield _rough(f"tree {number}", mail(_tree(chance, chance.randint(1, 5))))
    small = [sample for sample in written if 50 < len(sample.raw) < _LARGEST]
    for number in range(_DAMAGED):
        victim = chance.choice(small)
        yield _rough(f"damaged {number}: {victim.name}", _damaged(chance, victim.raw))


def _rough(name: str, raw: bytes) -> Sample:
    return Sample(
        name,
        raw,
        subject=None,
        sender=None,
        plain=None,
        native=None,
        attachments=None,
        inline=None,
        message_class=None,
    )


def _tree(chance: random.Random, depth: int) -> bytes:
    if not depth or chance.random() < 0.25:
        return chance.choice(_LEAVES)
    parts = [_tree(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    return multi(chance.choice(_SUBTYPES), *parts, boundary=f"b{chance.randrange(10**6)}")


def _damaged(chance: random.Random, raw: bytes) -> bytes:
    octets = bytearray(raw)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(octets))
        match chance.randrange(4):
            case 0:
                octets[at] = chance.randrange(256)
            case 1:
                del octets[at : at + chance.randint(1, 20)]
            case 2:
                octets[at:at] = octets[at : at + chance.randint(1, 60)]
            case _:
                octets[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(octets[: chance.randint(len(octets) // 2, len(octets))])
