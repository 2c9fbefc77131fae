"""Conflicts: an item changed on the device and on the server since they last agreed (MS-ASCMD 2.2.3.34).

An item is looked at as its properties, whatever they are: texts, flags, or one version for a content that is
changed as a whole. What only one side changed, and what both changed to the same, is no conflict.

    known by the device   wanted by it   on the server   the server
    a                     b              a               takes b
    a                     a              b               keeps b, and tells the device so
    a                     b              b               has it already
    a                     b              c               a conflict, decided by the policy

A deletion is never a conflict: Delete wins over a change on the other side. Nor is a
property with two values ever in one: if both sides changed it, they changed it to the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Policy(IntEnum):
    """Who wins; the values are those of the Conflict element."""

    CLIENT_WINS = 0
    SERVER_WINS = 1


@dataclass(frozen=True, slots=True)
class Settlement(Generic[_Value]):
    """What to do with a change.

    `apply` are the properties to set on the server. `refused` says that the server's item stays as it is: the
    device gets Status 7 and, as a server change, the item.
    """

    apply: Mapping[str, _Value] = field(default_factory=dict)
    refused: bool = False


def settle(
    known: Mapping[str, _Value],
    wanted: Mapping[str, _Value],
    present: Mapping[str, _Value],
    policy: Policy,
) -> Settlement[_Value]:
    """Settle a change of a device.

    `known` are the properties as the device had them, `wanted` those its Change holds, `present` those of the
    server's item now; a property that is missing has no value. Where the server wins, it does so with the
    whole item: a change that conflicts in one property is not done at all.
    """
    changes = {
        name: value for name, value in wanted.items() if value not in (known.get(name), present.get(name))
    }
    conflict = any(present.get(name) != known.get(name) for name in changes)
    if conflict and policy is Policy.SERVER_WINS:
        return Settlement(refused=True)
    return Settlement(changes)
