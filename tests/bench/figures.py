"""What is measured, what is aimed at, and what other servers reach: one line for each figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["COMMITS", "FIGURES", "OPERATIONS", "SIZES", "STORES", "Figure", "Measured"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `sogo` and `zpush` are what SOGo 5.8 and Z-Push 2.7 reached on such a machine.

    `row` names the measurement that gives it, where that has another name. What is for the model of capacity
    stands in the tables of that.
    """

    name: str
    title: str
    unit: str
    target: float | None
    sogo: str = ""
    zpush: str = ""
    more_is_better: bool = False
    row: str = ""
    for_capacity: bool = False

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


def _factor(name: str, title: str, unit: str, row: str, *, more_is_better: bool = False) -> Figure:
    """What the model of capacity is made from; there is nothing to be aimed at."""
    return Figure(name, title, unit, None, more_is_better=more_is_better, row=row, for_capacity=True)


def _of_stores() -> Iterator[Figure]:
    """What is measured over each store: see `worker_rows`."""
    for kind, store in STORES.items():
        row = f"processes-{kind}"
        yield _factor(f"first-{kind}", f"97 first Syncs, {store}", "msg/s", row, more_is_better=True)
        yield _factor(f"nothing-{kind}", f"Sync with nothing new, {store}", "1/s", row, more_is_better=True)
        yield _factor(f"send-{kind}", f"SendMail, {store}", "1/s", row, more_is_better=True)
        yield _factor(f"held-{kind}", f"memory of a waiting phone, {store}", "KiB", row)


def _of_the_database() -> Iterator[Figure]:
    """What PostgreSQL has to do: see `cost_rows`."""
    for name, title in OPERATIONS.items():
        yield _factor(f"cost-{name}", f"statements, {title}", "", "costs")
    for name, title in SIZES.items():
        yield _factor(f"size-{name}", f"in the database, {title}", "octets", "sizes")
    for name, title in COMMITS.items():
        yield _factor(f"commits-{name}", f"commits, {title}", "1/s", "commits", more_is_better=True)


STORES: Mapping[str, str] = {
    "sqlite": "SQLite",
    "pg1": "PostgreSQL, 1 process",
    "pg2": "PostgreSQL, 2 processes",
    "pg4": "PostgreSQL, 4 processes",
}
OPERATIONS: Mapping[str, str] = {
    "connect": "first connect of a new user's device",
    "message": "a message of a first Sync",
    "nothing": "Sync with nothing new",
    "mail": "Sync that brings a new mail",
    "mark": "Sync that marks a mail as read",
    "ping": "Ping that is held and comes to its end",
    "told": "Ping that is held and told of new mail",
    "send": "SendMail",
    "event": "Sync that changes an event",
    "event-told": "Sync that brings a changed event",
    "minute": "a minute of a process whose phones wait",
}
SIZES: Mapping[str, str] = {
    "user": "a user with a device",
    "device": "a further device",
    "folder": "a folder a device knows, with 50 messages",
    "message": "a further message a device knows",
    "event": "an event with 1 KB of notes",
    "sent": "a sent message, kept for the sake of repeats",
}
COMMITS: Mapping[str, str] = {
    "1": "one connection",
    "64": "64 connections",
    "notify": "64 connections, each tells the others of its change",
}

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
    Figure("maildir-1k", "one new message in a Maildir, 1,000 messages, p50", "ms", None),
    Figure("maildir-10k", "the same, 10,000 messages, p50", "ms", None),
    Figure("maildir-50k", "the same, 50,000 messages, p50", "ms", None),
    Figure("maildir-dirty-1k", "the same, very dirty syncs, 1,000 messages, p50", "ms", 10),
    Figure("maildir-dirty-10k", "the same, very dirty syncs, 10,000 messages, p50", "ms", 10),
    Figure("maildir-dirty-50k", "the same, very dirty syncs, 50,000 messages, p50", "ms", 12),
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
    *_of_stores(),
    *_of_the_database(),
)
