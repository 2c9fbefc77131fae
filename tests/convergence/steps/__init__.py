"""What can happen in a story: a class for each kind of step, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.convergence.play import Step
from tests.convergence.steps import (
    drafting,
    elsewhere,
    events,
    foldering,
    hazards,
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
    events.KeepsCalendar,
    hazards.LateCopiesCome,
    hazards.KilledAtRest,
    hazards.ImapRestarts,
)
"""The steps; `weight` of each says how often it comes."""

WEIGHTED = [kind for kind in STEPS for _ in range(kind.weight)]
