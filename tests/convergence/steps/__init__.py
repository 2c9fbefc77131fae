"""What can happen in a story: a class for each kind of step, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.convergence.play import Step
from tests.convergence.steps import (
    drafting,
    elsewhere,
    foldering,
    hazards,
    items,
    moveitems,
    sending,
    syncing,
)

STEPS: Sequence[type[Step]] = (
    elsewhere.Arrives,
    elsewhere.Marked,
    elsewhere.Moved,
    elsewhere.Expunged,
    elsewhere.MailboxChanges,
    syncing.Syncs,
    syncing.SyncsFolders,
    syncing.TwoAtOnce,
    syncing.StartsAnew,
    sending.Sends,
    drafting.Drafts,
    moveitems.MovesItems,
    foldering.ChangesFolders,
    items.KeepsItems,
    items.MovesItemsOfKinds,
    hazards.LateCopiesCome,
    hazards.TroubledAtRest,
    hazards.ImapRestarts,
)
"""The steps; `weight` of each says how often it comes."""

WEIGHTED = [kind for kind in STEPS for _ in range(kind.weight)]

_OF_ITEMS: frozenset[type[Step]] = frozenset(
    {
        syncing.SyncsFolders,
        items.KeepsItems,
        items.MovesItemsOfKinds,
        hazards.LateCopiesCome,
        hazards.TroubledAtRest,
    }
)
ABOUT_ITEMS = [kind for kind in WEIGHTED if kind in _OF_ITEMS]
"""For stories about items alone, since in others little happens to them."""
