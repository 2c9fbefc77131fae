"""What the gateway itself remembers."""

from __future__ import annotations

from gateway.ports.state.annotations import Annotations
from gateway.ports.state.devices import Devices
from gateway.ports.state.folders import FolderLists
from gateway.ports.state.journal import Moves, Rewriting
from gateway.ports.state.poison import PoisonList
from gateway.ports.state.sending import SendJournal
from gateway.ports.state.syncing import SyncStates
from gateway.ports.state.whole import State

__all__ = [
    "Annotations",
    "Devices",
    "FolderLists",
    "Moves",
    "PoisonList",
    "Rewriting",
    "SendJournal",
    "State",
    "SyncStates",
]
