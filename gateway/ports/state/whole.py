"""All that the gateway itself remembers, as one port."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gateway.ports.audit import Audit
from gateway.ports.memberships import Memberships
from gateway.ports.passwords import AppPasswords
from gateway.ports.sessions import Sessions
from gateway.ports.state.annotations import Annotations
from gateway.ports.state.devices import Devices
from gateway.ports.state.folders import FolderLists
from gateway.ports.state.journal import Moves, Rewriting
from gateway.ports.state.poison import PoisonList
from gateway.ports.state.sending import SendJournal
from gateway.ports.state.syncing import SyncStates
from gateway.ports.traces import Traces
from gateway.types import DeviceId, UserId


class State(
    Devices,
    FolderLists,
    SyncStates,
    Annotations,
    Rewriting,
    Moves,
    SendJournal,
    PoisonList,
    Audit,
    Sessions,
    AppPasswords,
    Memberships,
    Traces,
    Protocol,
):
    """What the gateway itself remembers. Each method is one short transaction, durable on return."""

    async def check_writable(self) -> None:
        """Raises `GatewayError` when the store cannot be written."""
        ...

    def lease(self, user: UserId, device: DeviceId, name: str) -> AbstractAsyncContextManager[None]:
        """Hold the exclusive right to work on something of a device while the context lasts.

        `name` is a collection id, "hierarchy" or "send".
        """
        ...
