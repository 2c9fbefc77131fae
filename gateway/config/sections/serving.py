"""The gateway itself: where it listens, where it keeps things, what it tells of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.config.sections.section import Section
from gateway.config.values import (
    Listen,
    Network,
    PublicUrl,
    Seconds,
    StoreUrl,
    Traced,
    TracesUrl,
    words,
)


class ServerSection(Section):
    """Where phones reach the gateway."""

    listen: Listen = "127.0.0.1:8080"
    """Address and port to listen on."""
    public_url: PublicUrl | None = None
    """What phones call the server, as https://sync.example.com."""
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(words)] = (
        "127.0.0.1",
        "::1",
    )
    """Addresses and networks whose X-Forwarded-For is believed."""
    shutdown_grace: Seconds = 20
    """Seconds that requests under way may take to end once the server is told to stop."""

    @property
    def host(self) -> str:
        """The address of `listen`, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of `listen`; 0: any."""
        return int(self.listen.rpartition(":")[2])


class StoreSection(Section):
    """Where the gateway keeps what it must remember."""

    url: StoreUrl
    """sqlite:///path/to/gateway.db, or sqlite:name.db beside the configuration file, or
    postgresql://user:password@host/database, which several processes may share."""
    connections: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many connections to PostgreSQL a process takes at most, besides the one on which it listens."""
    pooled: bool = False
    """Whether store.url leads to a pooler in transaction mode, as PgBouncer has it."""
    direct_url: StoreUrl | None = None
    """The URL of the same database past the pooler, for what needs a connection of its own: to hear what
    others change, to upgrade and to copy."""


class LogSection(Section):
    """What is logged, to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lambda value: str(value).lower())
    ] = "info"
    """The least severity that is logged."""
    format: Literal["text", "json"] = "text"
    """Lines to read, or JSON objects to collect."""
    trace: Annotated[tuple[Traced, ...], BeforeValidator(words)] = ()
    """Users, or "user/deviceid", whose requests and replies are logged with their texts blotted out."""


class TelemetrySection(Section):
    """Traces of OpenTelemetry."""

    endpoint: TracesUrl | None = None
    """Where a collector takes spans by OTLP over HTTP, as http://localhost:4318/v1/traces; without, none."""
