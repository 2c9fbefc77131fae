"""Partnerships with devices, and what people decided of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from gateway.types.ids import DeviceId, UserId


class Access(StrEnum):
    """What a device may do here."""

    ALLOW = "allow"
    BLOCK = "block"
    QUARANTINE = "quarantine"
    """Nothing until somebody has decided."""


class Wipe(StrEnum):
    """What a device is to delete: all that is on it, or the account alone (MS-ASPROV 3.1.5.1.2.2)."""

    DEVICE = "device"
    ACCOUNT = "account"


class WipeStage(StrEnum):
    """How far a wipe is."""

    ASKED = "asked"
    TOLD = "told"
    """The device was told, and has not answered yet."""
    DONE = "done"
    FAILED = "failed"
    """The device could not; it is told again."""


@dataclass(frozen=True, slots=True)
class Control:
    """What people decided of a device.

    `access` None: by the rules. `wipe` None: there is none; otherwise `stage` and `asked` say how far it is
    and since when, and `answered` when the device said so.
    """

    access: Access | None = None
    wipe: Wipe | None = None
    stage: WipeStage | None = None
    asked: datetime | None = None
    answered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A partnership.

    One phone of one user. `policy_key` is the permanent key, 0 until there is one. `policy` is the digest of
    the policy that was acknowledged with it, `compliance` the Status sent for that (1 applied, 2 partly,
    3 not, 4 by somebody else), `provisioned` when; `refused` is the Status sent for a policy after which the
    device was refused, 0 once it was not. `synced` is when it last synchronised with success and `address`
    where it was then. These two and `control` are stored apart: saving a device does not touch them.
    `decided` is the number of the newest decision about it when it was loaded, None where it was not.
    """

    user: UserId
    id: DeviceId
    type: str
    policy_key: int = 0
    version: str = ""
    agent: str = ""
    information: Mapping[str, str] = field(default_factory=dict)
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    policy: str = ""
    compliance: int = 1
    provisioned: datetime | None = None
    control: Control = Control()
    refused: int = 0
    synced: datetime | None = None
    address: str = ""
    decided: int | None = field(default=None, compare=False)

    def replace(self, **changes: object) -> Device:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Visit:
    """From where a device asked, and when it last synchronised with success; None: not since it was noted."""

    address: str
    synced: datetime | None = None
