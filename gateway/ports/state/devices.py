"""Partnerships, and what is decided of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from gateway.ports.audit import Act
from gateway.ports.devicelist import (
    AccessChoice,
    Choice,
    DeviceCounts,
    FoundDevices,
    Place,
    PolicyCount,
    SeenUser,
    WantedDevices,
)
from gateway.ports.mailboxes import Unsubscribe
from gateway.types import (
    Access,
    Device,
    DeviceId,
    UserId,
    Visit,
    Wipe,
    WipeStage,
)


class Devices(Protocol):
    """Partnerships: one phone of one user each.

    What takes an `act` notes it in the audit log, in the same transaction, if anything was decided.
    """

    async def load_device(self, user: UserId, device: DeviceId) -> Device | None: ...

    async def save_device(self, device: Device) -> Device:
        """Store a device; returns it with what was decided of it, be it before it ever came.

        Raises `StateConflict` when something was decided since it was loaded: it may have been removed.
        """
        ...

    async def note_visits(self, visits: Mapping[tuple[UserId, DeviceId], Visit]) -> None:
        """Note where devices were and when they synchronised, of all in one transaction."""
        ...

    async def list_devices(self, user: UserId | None = None) -> Sequence[Device]: ...

    async def awaited_devices(self, user: UserId | None = None) -> Sequence[Device]:
        """Devices that were decided of, and are not known: they never came, or not for long.

        They have no more than their ids and their `control`.
        """
        ...

    async def devices_after(
        self, place: Place | None, most: int, user: UserId | None = None
    ) -> Sequence[Device]:
        """So many devices of a user, or of everybody, by user and id: those behind a place."""
        ...

    async def find_devices(
        self, wanted: WantedDevices, choice: AccessChoice, first: int, most: int
    ) -> FoundDevices:
        """Devices that are looked for, those seen last first, then those decided of that never came.

        `choice` says what each may do, `first` counts from 0.
        """
        ...

    async def count_devices(self, choice: AccessChoice) -> DeviceCounts: ...

    async def count_policies(self, choice: Choice, digests: Sequence[str]) -> Mapping[int, PolicyCount]:
        """For how many devices each policy is, by its place in the choice, -1 for those that none is for.

        `digests` are what devices acknowledged that have each as it is now.
        """
        ...

    async def list_users(self) -> Sequence[SeenUser]:
        """Who has devices, by user."""
        ...

    async def set_access(
        self, user: UserId, device: DeviceId, access: Access | None, act: Act | None = None
    ) -> None:
        """Decide what a device may do, known or not; None: what the rules say."""
        ...

    async def ask_wipe(
        self, user: UserId, device: DeviceId, wipe: Wipe | None, now: datetime, act: Act | None = None
    ) -> bool:
        """Have a device wiped, or with None not any more; False when it was already, or never was to be."""
        ...

    async def note_wipe(
        self, user: UserId, device: DeviceId, wipe: Wipe, stage: WipeStage, now: datetime
    ) -> bool:
        """Note how far a wipe is; False when none of the kind is asked for, or it is done already."""
        ...

    async def forget_device(self, user: UserId, device: DeviceId, act: Act | None = None) -> bool:
        """Forget a device and all that is kept of it, also what was decided; False when none is known.

        As a decision it is told by `decided_devices`.
        """
        ...

    async def forget_syncs(self, user: UserId, device: DeviceId, act: Act | None = None) -> None:
        """Forget what a device knows of its collections, so that it begins anew with all of them.

        As a decision it is told by `decided_devices`.
        """
        ...

    async def decided_devices(self, after: int) -> tuple[int, Sequence[tuple[UserId, DeviceId]]]:
        """The devices of which something was decided after that change (0: ever), and the newest change."""
        ...

    def watch_decisions(self, notify: Callable[[], None]) -> Unsubscribe:
        """Call `notify` after something was decided of a device; of other processes' decisions it may not."""
        ...

    async def expire_devices(self, before: datetime) -> int:
        """Forget devices not seen since that time, but not what was decided of them; returns how many."""
        ...

    async def prune_devices(self, before: datetime) -> None:
        """Forget devices not seen since that time that have no policy key and synchronised nothing."""
        ...
