"""How much there may be of what calendars and address books hold: more than people have, less than hurts."""

from __future__ import annotations

__all__ = [
    "DEEPEST",
    "LONGEST_TEXT",
    "LONGEST_UID",
    "MOST_ATTENDEES",
    "MOST_COMPONENTS",
    "MOST_DATES",
    "MOST_EXCEPTIONS",
    "MOST_LINES",
]

LONGEST_UID = 1024
"""Characters of a UID; phones are told 300 of them (MS-ASCAL 2.2.2.46)."""
LONGEST_TEXT = 8 << 20
"""Characters of a calendar or a card; files are kept elsewhere."""
MOST_LINES = 100_000
"""Lines of one item."""
DEEPEST = 8
"""Components that are in each other."""
MOST_ATTENDEES = 5000
"""Those of an event that are looked at."""
MOST_EXCEPTIONS = 1000
"""Exceptions that a series may be given: the most a phone can be told of one (the schema of MS-ASCAL)."""
MOST_COMPONENTS = 2 * MOST_EXCEPTIONS
"""Components of one UID that are read; each costs as much as an event."""
MOST_DATES = 20_000
"""Times in the lists of an event (EXDATE, RDATE)."""
