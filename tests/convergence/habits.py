"""How the phones differ in what they send, and in how they repeat it.

What they have in common is in `phone`: a request without a whole answer, or with HTTP 503, is sent again as
it was, with the same key and the same operations, and what the user did meanwhile joins it. Sync Status 3 and
FolderSync Status 9 have the phone throw its copy away and begin with key 0; 5, 16, 110 and 111 have it wait;
8 and 12 for a collection, and Ping 7, lead to a FolderSync first; 13 to the full request; MoreAvailable to
the next Sync at once. The answer to an operation ends it, whatever its Status: 6, 7 and 8 are not sent again,
and the phone keeps its own change until the server tells another.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.convergence.kinds import CALENDAR, CONTACTS, KINDS, TASKS, Kind


@dataclass(frozen=True, slots=True)
class Habits:
    """One kind of phone.

    `collections` is how many it puts into one Sync, `window` its WindowSize, `filter_type` the FilterType it
    begins with. `empty` says that it sends empty and Partial requests, `same_client_id` that it repeats a
    SendMail under its first ClientId, `new_device` that it may take a new DeviceId at any start. `kinds` are
    those of items it shows.
    """

    name: str
    version: str
    collections: int
    window: int
    filter_type: int = 0
    empty: bool = False
    same_client_id: bool = False
    deletes_as_moves: bool = True
    new_device: bool = False
    kinds: tuple[Kind, ...] = KINDS


IOS = Habits("iPhone", "16.1", collections=8, window=5, empty=True, same_client_id=True)
ANDROID = Habits("Android", "16.1", collections=1, window=3, filter_type=4, kinds=(CALENDAR, CONTACTS))
"""Stock Android: one folder at a time, and a new ClientId at every attempt to send."""
OUTLOOK = Habits("Outlook", "14.1", collections=3, window=512, same_client_id=True, new_device=True)
OLD = Habits(
    "SP",
    "12.1",
    collections=2,
    window=10,
    filter_type=5,
    deletes_as_moves=False,
    kinds=(CALENDAR, CONTACTS, TASKS),
)
"""A phone of before compose mail had a document: it sends message/rfc822, without a ClientId."""

ALL = (IOS, ANDROID, OUTLOOK, OLD)
