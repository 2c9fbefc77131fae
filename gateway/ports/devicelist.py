"""Devices of everybody, looked through where they are stored: what is searched for, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from gateway.types import Access, Device, DeviceId, UserId

__all__ = [
    "AccessChoice",
    "Alike",
    "Choice",
    "Condition",
    "DeviceCounts",
    "Fact",
    "FoundDevices",
    "Place",
    "PolicyCount",
    "SeenUser",
    "Standing",
    "WantedDevices",
]

Place: TypeAlias = tuple[UserId, DeviceId]
"""Where a listing by user and id goes on: behind this device."""


class Fact(StrEnum):
    """What a condition is about."""

    USER = "user"
    DEVICE = "device"
    """The login and the id, as "anna@example.com/PHONE1"."""
    TYPE = "type"
    MODEL = "model"
    AGENT = "agent"
    VERSION = "version"
    GROUP = "group"
    """The groups of directories that the user was said to be in; these are named, and no patterns."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Holds of devices of which a fact is like one of these patterns.

    `*` stands for any text. Letters are alike in any case; beyond ASCII a store may tell the cases apart.
    """

    fact: Fact
    patterns: tuple[str, ...]


Condition: TypeAlias = tuple[Alike, ...]
"""Holds where each of these does."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen for a device: by the first condition that holds, by its place; -1 where none does."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessChoice:
    """What a device may do: nothing where one of `barred` holds, else as was decided, else as chosen."""

    barred: tuple[Condition, ...] = ()
    rules: Choice = field(default_factory=Choice)
    accesses: tuple[Access, ...] = ()
    """For each condition of the rules."""
    otherwise: Access = Access.ALLOW


class Standing(StrEnum):
    """What devices can be listed by."""

    ALLOW = "allow"
    QUARANTINE = "quarantine"
    BLOCK = "block"
    DECIDED = "decided"
    """What they may do was decided by somebody."""
    WIPE = "wipe"
    """They are to be wiped."""
    WIPED = "wiped"


@dataclass(frozen=True, slots=True)
class WantedDevices:
    """Devices that have all of this. `words` are anywhere in what is known of them, in any case."""

    words: tuple[str, ...] = ()
    standing: Standing | None = None
    user: str = ""
    type: str = ""
    model: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class FoundDevices:
    """A part of what was found, how many were found in all, and how many there are."""

    devices: Sequence[Device]
    total: int
    known: int


@dataclass(frozen=True, slots=True)
class DeviceCounts:
    """How many devices there are, of how many users; of how many a wipe is under way, and how many wait."""

    devices: int
    users: int
    wiping: int
    waiting: int


@dataclass(frozen=True, slots=True)
class PolicyCount:
    """For how many devices a policy is, how many have acknowledged it as it is now, and how many refused."""

    devices: int = 0
    acknowledged: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class SeenUser:
    """Somebody who has devices: how many, and when one of them was last seen."""

    user: UserId
    devices: int
    last_seen: datetime | None
