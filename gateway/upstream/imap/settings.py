"""What the IMAP side needs to know; `app` fills it from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Where the mail is and how much may be asked of it. Times in seconds."""

    host: str
    port: int = 993
    security: Literal["tls", "starttls", "none"] = "tls"
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    verify: bool = True
    """False accepts any certificate: for tests only."""
    timeout: float = 30.0
    """How long to wait for a sign of life before a connection counts as dead, and for a free connection."""
    max_connections_per_user: int = 4
    max_connections: int = 5000
    idle_seconds: float = 120.0
    """How long an unused connection is kept."""
    max_mailboxes: int = 10_000
    """How many mailboxes of a user are shown at most."""
    shared_mailboxes: bool = False
    """Whether the mailboxes of other users and of everybody that a user may read are shown with his own."""
    poll_interval: float = 30.0
    """How often mailboxes that the server does not push are looked at while somebody watches them."""
    auth_cache_seconds: float = 300.0
    """How long checked credentials are believed without asking again."""
