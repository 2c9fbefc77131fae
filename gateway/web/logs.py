"""Where log lines go and how they look: one structured line per event, on standard error."""

from __future__ import annotations

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["configure"]

_STAMPED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def configure(level: str, style: str, stream: TextIO | None = None) -> None:
    """Send everything logged in this process, libraries included, to `stream` (standard error).

    `level` is "debug", "info", "warning" or "error"; `style` is "text", lines to read, or "json", one object
    a line.
    """
    target = stream or sys.stderr
    renderer: list[Processor]
    if style == "json":
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        renderer = [_Text()]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_STAMPED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    writer = structlog.WriteLogger(target)
    # Our own lines go past logging, which takes half the time of one.
    structlog.configure(
        processors=[*_STAMPED, *renderer],
        logger_factory=lambda *_: writer,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )


class _Text:
    """A line to read: time, level, event, and what belongs to it by name.

    As `ConsoleRenderer` writes them, in a third of its time: a busy gateway writes a thousand a second. What
    comes with a traceback is left to that one.
    """

    def __init__(self) -> None:
        # Tracebacks without the values of variables: those may be secrets.
        plain = structlog.dev.plain_traceback
        self._console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)

    def __call__(self, logger: WrappedLogger, name: str, event_dict: EventDict) -> str:
        if not _LEFT.isdisjoint(event_dict):
            return self._console(logger, name, event_dict)
        stamp, level, event = (event_dict.pop(key) for key in ("timestamp", "level", "event"))
        facts = " ".join([f"{key}={_shown(value)}" for key, value in sorted(event_dict.items())])
        return f"{stamp} [{level:<{_LEVEL_WIDTH}}] {event!s:<{_EVENT_WIDTH}} {facts}".rstrip(" ")


_LEFT = frozenset({"exception", "exc_info", "stack", "logger", "logger_name"})
"""What is left to `ConsoleRenderer`."""
_LEVEL_WIDTH, _EVENT_WIDTH = 9, 30
_QUOTED = re.compile("[ =\"']")


def _shown(value: object) -> str:
    """A value so that it stays one: what a device said may hold blanks, quotes or control characters."""
    if isinstance(value, str) and value.isprintable() and not _QUOTED.search(value):
        return value
    return repr(value)
