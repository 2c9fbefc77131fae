"""Spans of requests, where a collector is configured that takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.app.extras import missing
from gateway.app.release import RELEASE
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.web.spans import Spans


def spans_of(settings: Settings) -> Spans | None:
    """What makes spans and sends them; None where none are wanted. Raises `ConfigError`."""
    endpoint = settings.telemetry.endpoint
    if endpoint is None:
        return None
    check_telemetry(settings)
    from gateway.web import spans  # noqa: PLC0415 (an extra)

    return spans.Spans(spans.exporting(endpoint), RELEASE)


def check_telemetry(settings: Settings) -> None:
    """Raises `ConfigError` where spans are wanted, and what makes them is not here."""
    if settings.telemetry.endpoint is None:
        return
    try:
        import gateway.web.spans  # noqa: F401, PLC0415 (an extra)
    except ImportError:
        raise missing("otel", "[telemetry]") from None
