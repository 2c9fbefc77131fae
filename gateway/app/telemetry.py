"""Spans of requests, where a collector is configured that takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.app.release import RELEASE
from gateway.config import Settings
from gateway.errors import ConfigError

if TYPE_CHECKING:
    from gateway.web.spans import Spans


def spans_of(settings: Settings) -> Spans | None:
    """What makes spans and sends them; None where none are wanted. Raises `ConfigError`."""
    endpoint = settings.telemetry.endpoint
    if endpoint is None:
        return None
    try:
        from gateway.web import spans  # noqa: PLC0415 (an extra)
    except ImportError:
        raise ConfigError(
            "[telemetry] needs the extra otel: pip install 'activesync-gateway[otel]'"
        ) from None
    return spans.Spans(spans.exporting(endpoint), RELEASE)
