"""What is measured, what is aimed at, and what other servers reach: one line for each figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["FIGURES", "Figure", "Measured"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `sogo` and `zpush` are what SOGo 5.8 and Z-Push 2.7 reached on such a machine.

    `row` names the measurement that gives it, where that has another name.
    """

    name: str
    title: str
    unit: str
    target: float | None
    sogo: str = ""
    zpush: str = ""
    more_is_better: bool = False
    row: str = ""

    def met(self, value: float) -> bool | None:
        """Whether a value reaches the target; None where there is none."""
        if self.target is None:
            return None
        return value >= self.target if self.more_is_better else value <= self.target


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure as it was measured. `raw` is the same work straight over IMAP (or SMTP), in the same run."""

    name: str
    value: float
    raw: float | None = None
    details: Mapping[str, object] = field(default_factory=dict)


def _rate(name: str, title: str, unit: str, target: float | None, sogo: str = "", zpush: str = "") -> Figure:
    return Figure(name, title, unit, target, sogo, zpush, more_is_better=True)


FIGURES: tuple[Figure, ...] = (
    _rate("initial-1k", "initial sync, HTML 32 KiB, 1,000 messages", "msg/s", 2000, "42", "316"),
    _rate("initial-10k", "the same, 10,000 messages", "msg/s", 2000, "40", "77"),
    _rate("initial-50k", "the same, 50,000 messages", "msg/s", 2000, "21", "18"),
    Figure(
        "cpu", "processor time per message of it, gateway", "ms", 0.4, "3.9-19", "1.8-29", row="initial-10k"
    ),
    _rate("many", "97 users at once, 50 messages each", "msg/s", 2000, "263", "313"),
    Figure("nochange-50", "Sync with nothing new, 50 messages, p50", "ms", 3, "73", "22"),
    Figure("nochange-10k", "the same, 10,000 messages, p50", "ms", 3, "134", "719"),
    _rate("nochange-16", "the same at concurrency 16", "1/s", 1500, "116", "99"),
    Figure("onechange-1k", "one new message, 1,000 messages, p50", "ms", 10, "145", "74"),
    Figure("onechange-10k", "the same, 10,000 messages, p50", "ms", 10, "335", "623"),
    Figure("onechange-50k", "the same, 50,000 messages, p50", "ms", 12, "485", "567"),
    _rate("calendar-initial", "first sync of a calendar, 10,000 events", "1/s", None),
    Figure("calendar-nochange", "Sync of it with nothing new, p50", "ms", 3),
    Figure("calendar-onechange", "Sync of it with one changed event, p50", "ms", 10),
    Figure("connect", "first connect (Provision, FolderSync), p50", "ms", 20, "161", "41"),
    _rate("sendmail", "SendMail at concurrency 8", "1/s", 400, "44", "79"),
    Figure("ping", "memory of a waiting phone, each of another user (PSS)", "KiB", 40, "10 MB", "4-9 MB"),
    Figure("ping-whole", "the same, all that the user costs included", "KiB", None, row="ping"),
    Figure("ping-devices", "waiting phone, 50 of each user", "KiB", 40),
    Figure(
        "ping-devices-whole", "the same, all that the user costs included", "KiB", None, row="ping-devices"
    ),
    _rate("crowd", "phones waiting in one process", "", 10_000, "1,000", "1,000"),
    Figure("crowd-cpu", "processor while half of them wait", "%", 2, "250", "200", row="crowd"),
    Figure("push", "new mail to Ping's answer beyond Dovecot's IDLE, p95", "ms", 20, "5,000", "14,000"),
    Figure("start", "from the start of the process to its first answer", "s", 1),
    Figure("base", "memory of the process then (PSS)", "MiB", 120, row="start"),
    Figure("lag", "wait for the event loop under 10 first syncs, p99", "ms", 20),
    Figure("view", "memory of a view of 10,000 messages", "KiB", None),
    Figure("strangers", "Sync with nothing new beside 20,000 silent connections, p50", "ms", None),
    _rate("bare", "initial sync of 50,000 messages, IMAP4rev1 alone", "msg/s", None),
)
