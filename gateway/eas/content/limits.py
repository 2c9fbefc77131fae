"""How long and how many things may be of which phones and servers tell each other."""

from __future__ import annotations

__all__ = ["LONGEST_CATEGORY", "LONGEST_SUBJECT", "LONGEST_UID", "MOST_CATEGORIES"]

LONGEST_UID = 300
"""Characters (MS-ASCAL 2.2.2.13, 46)."""
LONGEST_SUBJECT = 32768
"""Characters; no specification names a bound."""
MOST_CATEGORIES = 300
"""Of one item (MS-ASCAL 2.2.2.12)."""
LONGEST_CATEGORY = 255
"""Characters, as Outlook takes them."""
