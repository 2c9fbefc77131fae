"""What the SMTP side needs to know; `app` fills it from the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where mail is submitted and how. Times in seconds."""

    host: str
    port: int = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    """With starttls a server that does not offer it is given neither password nor mail."""
    auth: Literal["user", "service", "none"] = "user"
    login: str = ""
    password: str = field(default="", repr=False)
    """With which everybody's mail is submitted, for auth = "service"."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    verify: bool = True
    """False accepts any certificate: for tests only."""
    timeout: float = 60.0
    """How long to wait for a connection and for each answer but the last."""
    answer_timeout: float = 600.0
    """How long to wait for the answer to the message itself (RFC 5321 4.5.3.2.6)."""
    slowest_rate: float = 10_000.0
    """Octets a second at which a message must go out at least, `timeout` aside."""
    hello_name: str | None = None
    """What the gateway calls itself in EHLO; None: the name of the machine."""
    idle_seconds: float = 5.0
    """How long a connection is kept for the next message of the same user."""
    max_connections: int = 100
    """How many messages are submitted at once; further ones wait."""
    max_idle: int = 100
    """How many connections are kept."""
