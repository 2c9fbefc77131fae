"""What the core asks of the outside.

Small Protocols, implemented in `upstream/` and `store/`, wired in `app`.
"""

from __future__ import annotations

from gateway.ports.audit import Act, Audit
from gateway.ports.bus import Bus, NoOthers, Subject
from gateway.ports.clock import Clock
from gateway.ports.directory import Directory, People
from gateway.ports.fetching import Fetcher
from gateway.ports.filters import Filters
from gateway.ports.items import Commit, Items
from gateway.ports.logins import Authenticator
from gateway.ports.mailboxes import NAMES, Mailboxes, MailboxesFactory, Unsubscribe
from gateway.ports.passwords import AppPasswords
from gateway.ports.pieces import Pieces, Spool
from gateway.ports.sending import Submission
from gateway.ports.state import State
from gateway.ports.turns import Turns

__all__ = [
    "NAMES",
    "Act",
    "AppPasswords",
    "Audit",
    "Authenticator",
    "Bus",
    "Clock",
    "Commit",
    "Directory",
    "Fetcher",
    "Filters",
    "Items",
    "Mailboxes",
    "MailboxesFactory",
    "NoOthers",
    "People",
    "Pieces",
    "Spool",
    "State",
    "Subject",
    "Submission",
    "Turns",
    "Unsubscribe",
]
