"""How many processors, how much memory and what of PostgreSQL many devices need.

Made of what was measured (results.json) and of a day as phones have it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "DEVICES",
    "OPERATIONS",
    "Cost",
    "Day",
    "Factors",
    "Hardware",
    "Limit",
    "Need",
    "limits",
    "need",
    "rates",
]

DEVICES = (1_000, 10_000, 100_000, 1_000_000)
OPERATIONS = ("nothing", "mail", "mark", "ping", "told", "send", "event", "event-told")
"""What a device asks for all day, by the names of `figures.OPERATIONS`."""
_HOUR = 3600
_PAGE = 8192
_MIB = 1 << 20
_GIB = 1 << 30


def _assumed(value: float, meaning: str) -> Any:
    """A field with what it is if nobody says otherwise."""
    return field(default=value, metadata={"help": meaning})


@dataclass(frozen=True, slots=True)
class Day:
    """What a device does on a working day. Assumptions: an administrator counts his own."""

    received: float = _assumed(90, "mails a day that come into a folder the device watches")
    sent: float = _assumed(10, "mails a day sent from the device")
    marked: float = _assumed(60, "Syncs a day that mark, move or delete a mail")
    opened: float = _assumed(30, "Syncs a day that find nothing new")
    events: float = _assumed(3, "events a day that the device changes")
    heartbeat: float = _assumed(900, "seconds a Ping lasts when nothing happens")
    waiting: float = _assumed(0.9, "share of the devices that wait at any moment")
    busiest: float = _assumed(0.12, "share of the day's work that falls into the busiest hour")
    devices: float = _assumed(1.25, "devices of a user")
    first: float = _assumed(500, "messages of the first Syncs of a new device")
    folders: float = _assumed(8, "folders a device knows")
    messages: float = _assumed(1000, "messages a device knows in them")
    stored: float = _assumed(500, "events of a user in the database")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What machines there are, and how much of them is to be used."""

    cores: float = _assumed(8, "processors of a node, of which one is left to the system")
    memory: float = _assumed(16, "GiB of a node, of which a quarter is left to the system")
    load: float = _assumed(0.6, "how busy processors may be in the busiest hour")
    database_cores: float = _assumed(16, "processors of the PostgreSQL server")
    database_share: float = _assumed(0.5, "share of the measured commits a second to be used")
    log: float = _assumed(50, "MB a second of log that its disk and its standby take")
    connections: float = _assumed(500, "connections to PostgreSQL without a pooler")
    pool: float = _assumed(11, "connections of a process: store.connections and one")
    users: float = _assumed(5000, "waiting users of a process: imap.max_connections")
    pages: float = _assumed(
        1, "whole pages in the log with each durable commit, as in large tables after a checkpoint"
    )
    bloat: float = _assumed(2, "how much larger tables are than when packed")

    @property
    def usable_cores(self) -> float:
        """Processors of a node for the gateway, a process each."""
        return max(1.0, self.cores - 1)

    @property
    def usable_memory(self) -> float:
        """Octets of a node for the gateway."""
        return 0.75 * self.memory * _GIB


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation costs: in PostgreSQL, on the way there, and in milliseconds of processors."""

    statements: float
    writes: float
    durable: float
    notices: float
    log: float
    wire: float
    postgres: float
    gateway: float


@dataclass(frozen=True, slots=True)
class Factors:
    """What was measured, as far as the model needs it."""

    costs: Mapping[str, Cost]
    waiting_kib: float
    """Memory of a waiting phone, with all that its user costs, whatever the store is."""
    process_mib: float
    """Memory of one of several processes on a machine, once phones have synced."""
    files: float
    """Open files for each waiting phone."""
    idle: float
    """Share of a processor for each waiting phone while nothing happens."""
    commits: float
    """Durable commits a second."""
    notices: float
    """The same where each has a notice."""
    octets: Mapping[str, float]
    """Sizes in the database, by the names of `figures.SIZES`."""

    @classmethod
    def of(cls, figures: Mapping[str, Mapping[str, Any]]) -> Factors:
        """Those in results.json. Raises `KeyError` when something was not measured yet."""
        waiting = figures["ping"]["details"]
        return cls(
            {
                name.removeprefix("cost-"): _cost(found)
                for name, found in figures.items()
                if name.startswith("cost-")
            },
            figures["ping-whole"]["value"],
            figures["held-pg4"]["details"]["MiB synced"] / 4,
            waiting["files"] / waiting["phones"],
            figures["crowd-cpu"]["value"] / 100 / figures["crowd-cpu"]["details"]["phones"],
            figures["commits-64"]["value"],
            figures["commits-notify"]["value"],
            {
                name.removeprefix("size-"): found["value"]
                for name, found in figures.items()
                if name.startswith("size-")
            },
        )


def _cost(found: Mapping[str, Any]) -> Cost:
    details = found["details"]
    return Cost(
        found["value"],
        details["writing transactions"],
        details["durable commits"],
        details["notices"],
        details["log octets"],
        details["wire octets"],
        details["PostgreSQL cpu ms"],
        details["gateway cpu ms"],
    )


# --- the arithmetic ----------------------------------------------------------------------------------------


def rates(day: Day) -> Mapping[str, float]:
    """How often one device asks for each operation, per hour, in the busiest hour.

    What another device of the user marks comes with the next Sync, and events it changes end a Ping as mail
    does. A device that waits comes to the end of its heartbeat as often as if it were never told of anything,
    which is more than happens.
    """
    hour = day.busiest
    changed = (day.devices - 1) * day.events
    return {
        "nothing": day.opened * hour,
        "mail": day.received * hour,
        "mark": day.marked * hour,
        "ping": day.waiting * _HOUR / day.heartbeat,
        "told": day.waiting * (day.received + changed) * hour,
        "send": day.sent * hour,
        "event": day.events * hour,
        "event-told": changed * hour,
    }


@dataclass(frozen=True, slots=True)
class Need:
    """What so many devices need in the busiest hour."""

    devices: int
    users: float
    waiting: float
    requests: float
    """A second."""
    processors: float
    """Of the gateway, as if they were busy all the time."""
    processes: int
    memory: float
    """Octets, of all processes of the gateway."""
    nodes: int
    """Without the one to spare."""
    files: float
    """Open, of each process."""
    connections: tuple[float, float]
    """To the IMAP server, from waiting phones: with sticky sessions, and at most without."""
    statements: float
    writes: float
    durable: float
    notices: float
    log: float
    wire: float
    """A second, as the ones before it: transactions, octets."""
    database_processors: float
    pool: int
    """Connections to PostgreSQL."""
    disk: float
    """Octets of the database."""
    morning: float
    """Hours until all devices have synced for the first time, with these nodes and one database."""


def need(devices: int, factors: Factors, day: Day, hardware: Hardware) -> Need:
    """What so many devices need."""
    users, waiting = devices / day.devices, devices * day.waiting
    second = {name: devices * often / _HOUR for name, often in rates(day).items()}

    def total(what: str) -> float:
        return sum(often * float(getattr(factors.costs[name], what)) for name, often in second.items())

    requests = sum(second.values())
    processors = total("gateway") / 1000 + waiting * factors.idle
    watched = min(users, waiting)
    processes = max(1, math.ceil(processors / hardware.load), math.ceil(watched / hardware.users))
    memory = processes * factors.process_mib * _MIB + waiting * factors.waiting_kib * 1024
    second["minute"] = processes / 60  # what each does in the database while nobody asks for anything
    nodes = max(math.ceil(processes / hardware.usable_cores), math.ceil(memory / hardware.usable_memory))
    octets = factors.octets
    disk = hardware.bloat * (
        users * (octets["user"] + day.stored * octets["event"])
        + max(0, devices - users) * octets["device"]
        + devices
        * (day.folders * octets["folder"] + day.messages * octets["message"] + day.sent * octets["sent"])
    )
    connect, message = factors.costs["connect"], factors.costs["message"]
    computing = devices * (connect.gateway + day.first * message.gateway) / 1000
    committing = devices * (connect.durable + day.first * message.durable)
    beginning = max(
        computing / (nodes * hardware.usable_cores * hardware.load),
        committing / (factors.commits * hardware.database_share),
    )
    return Need(
        devices,
        users,
        waiting,
        requests,
        processors,
        processes,
        memory,
        nodes,
        waiting * factors.files / processes,
        (watched, waiting),
        total("statements"),
        total("writes"),
        total("durable"),
        total("notices"),
        total("log") + total("durable") * hardware.pages * _PAGE,
        total("wire"),
        total("postgres") / 1000,
        math.ceil(processes * hardware.pool),
        disk,
        beginning / _HOUR,
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """How much one PostgreSQL server has of something, and how many devices use that up."""

    name: str
    unit: str
    each: float
    """What 1,000 devices need."""
    most: float
    devices: float
    remedy: str
    divides: bool
    """Whether users are to be divided among several servers in the end."""


def limits(factors: Factors, day: Day, hardware: Hardware) -> Sequence[Limit]:
    """What a single PostgreSQL server has, that which is used up first at first."""
    many = 1_000_000
    one = need(many, factors, day, hardware)
    share, cores = hardware.database_share, hardware.database_cores * hardware.load
    known = (
        ("durable commits", "1/s", one.durable, factors.commits * share, "a disk that confirms sooner", True),
        ("commits with a notice, one after the other", "1/s", one.notices, factors.notices * share, "", True),
        ("processors", "", one.database_processors, cores, "more of them", True),
        ("log", "MB/s", one.log / 1e6, hardware.log, "a faster disk and network", True),
        ("connections", "", float(one.pool), hardware.connections, "a pooler", False),
    )
    found = [
        Limit(
            name,
            unit,
            needed / many * 1000,
            most,
            most / needed * many if needed else math.inf,
            remedy,
            divides,
        )
        for name, unit, needed, most, remedy, divides in known
    ]
    return sorted(found, key=lambda limit: limit.devices)
