"""What the Sieve side needs to know; `app` fills it from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class SieveSettings:
    """Where the filters of users are. Times in seconds."""

    host: str
    port: int = 4190
    security: Literal["tls", "starttls", "none"] = "starttls"
    """With starttls a server that does not offer it is given no password."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    verify: bool = True
    """False accepts any certificate: for tests only."""
    timeout: float = 15.0
    """How long reading or changing the replies may take, from connecting to the last answer."""
    max_connections: int = 50
    """How many users are served at once; further ones wait, within `timeout`."""
