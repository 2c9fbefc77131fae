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
    events.MovesEvents,
    hazards.LateCopiesCome,
    hazards.KilledAtRest,
    hazards.ImapRestarts,
)
"""The steps; `weight` of each says how often it comes."""

WEIGHTED = [kind for kind in STEPS for _ in range(kind.weight)]

_OF_CALENDARS: frozenset[type[Step]] = frozenset(
    {
        syncing.SyncsFolders,
        events.KeepsCalendar,
        events.MovesEvents,
        hazards.LateCopiesCome,
        hazards.KilledAtRest,
    }
)
ABOUT_CALENDARS = [kind for kind in WEIGHTED if kind in _OF_CALENDARS]
"""For stories about calendars alone, since in others little happens there."""
