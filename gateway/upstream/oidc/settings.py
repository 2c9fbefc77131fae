"""What is to be known of an OpenID provider; `app` fills it from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Whose tokens are taken, and which of them."""

    issuer: str
    audience: frozenset[str]
    """One of these has to be among those a token is made out for."""
    user_claim: str = "email"
    keys: str = ""
    """URL of the keys; "": the one that discovery tells."""
    scope: frozenset[str] = frozenset()
    """All of these have to be granted."""
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    leeway: timedelta = timedelta(seconds=60)
    ca_file: Path | None = None
    timeout: float = 5.0
    """Seconds to wait for the provider."""
