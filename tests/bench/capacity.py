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
_MIB = 1 << 20
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Day:
    """What a device does on a working day. Assumptions: an administrator counts his own."""

    received: float = field(
        default=90, metadata={"help": "mails a day that come into a folder the device watches"}
    )
    sent: float = field(default=10, metadata={"help": "mails a day sent from the device"})
    marked: float = field(default=60, metadata={"help": "Syncs a day that mark, move or delete a mail"})
    opened: float = field(default=30, metadata={"help": "Syncs a day that find nothing new"})
    events: float = field(default=3, metadata={"help": "events a day that the device changes"})
    heartbeat: float = field(default=900, metadata={"help": "seconds a Ping lasts when nothing happens"})
    waiting: float = field(default=0.9, metadata={"help": "share of the devices that wait at any moment"})
    busiest: float = field(
        default=0.12, metadata={"help": "share of the day's work that falls into the busiest hour"}
    )
    devices: float = field(default=1.25, metadata={"help": "devices of a user"})
    first: float = field(default=500, metadata={"help": "messages of the first Syncs of a new device"})
    folders: float = field(default=8, metadata={"help": "folders a device knows"})
    messages: float = field(default=1000, metadata={"help": "messages a device knows in them"})
    stored: float = field(default=500, metadata={"help": "events of a user in the database"})


@dataclass(frozen=True, slots=True)
class Hardware:
    """What machines there are, and how much of them is to be used."""

    cores: float = field(
        default=8, metadata={"help": "processors of a node, of which one is left to the system"}
    )
    memory: float = field(
        default=16, metadata={"help": "GiB of a node, of which a quarter is left to the system"}
    )
    load: float = field(default=0.6, metadata={"help": "how busy processors may be in the busiest hour"})
    database_cores: float = field(default=16, metadata={"help": "processors of the PostgreSQL server"})
    database_share: float = field(
        default=0.5, metadata={"help": "share of the measured commits a second to be used"}
    )
    log: float = field(default=50, metadata={"help": "MB a second of log that its disk and its standby take"})
    connections: float = field(default=500, metadata={"help": "connections to PostgreSQL without a pooler"})
    pool: float = field(default=11, metadata={"help": "connections of a process: store.connections and one"})
    users: float = field(default=5000, metadata={"help": "waiting users of a process: imap.max_connections"})
    bloat: float = field(default=2, metadata={"help": "how much larger tables are than when packed"})

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
    """Memory of a waiting phone, with all that its user costs."""
    process_mib: float
    """Memory of a process that has served its first phones."""
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
        held = figures["held-pg1"]["details"]
        return cls(
            {
                name.removeprefix("cost-"): _cost(found)
                for name, found in figures.items()
                if name.startswith("cost-")
            },
            figures["held-pg1-whole"]["value"],
            held["MiB before"],
            held["files"] / held["phones"],
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

    What one device of a user does is news for his others. A device that waits comes to the end of its
    heartbeat as often as if it were never told of anything, which is more than happens.
    """
    others = day.devices - 1
    news = (day.received + others * (day.marked + day.events)) * day.busiest
    return {
        "nothing": day.opened * day.busiest,
        "mail": (day.received + others * day.marked) * day.busiest,
        "mark": day.marked * day.busiest,
        "ping": day.waiting * _HOUR / day.heartbeat,
        "told": day.waiting * news,
        "send": day.sent * day.busiest,
        "event": day.events * day.busiest,
        "event-told": others * day.events * day.busiest,
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
    """Open, at each node."""
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
    """Hours until all devices have synced for the first time, with these nodes."""


def need(devices: int, factors: Factors, day: Day, hardware: Hardware) -> Need:
    """What so many devices need."""
    users, waiting = devices / day.devices, devices * day.waiting
    second = {name: devices * often / _HOUR for name, often in rates(day).items()}

    def total(what: str) -> float:
        return sum(often * float(getattr(factors.costs[name], what)) for name, often in second.items())

    processors = total("gateway") / 1000 + waiting * factors.idle
    watched = min(users, waiting)
    processes = max(math.ceil(processors / hardware.load), math.ceil(watched / hardware.users))
    memory = processes * factors.process_mib * _MIB + waiting * factors.waiting_kib * 1024
    nodes = max(math.ceil(processes / hardware.usable_cores), math.ceil(memory / hardware.usable_memory))
    octets = factors.octets
    disk = hardware.bloat * (
        users * (octets["user"] + day.stored * octets["event"])
        + max(0, devices - users) * octets["device"]
        + devices
        * (day.folders * octets["folder"] + day.messages * octets["message"] + day.sent * octets["sent"])
    )
    beginning = factors.costs["connect"].gateway + day.first * factors.costs["message"].gateway
    usable = nodes * hardware.usable_cores * hardware.load
    return Need(
        devices,
        users,
        waiting,
        sum(second.values()),
        processors,
        processes,
        memory,
        nodes,
        waiting * factors.files / nodes,
        (watched, waiting),
        total("statements"),
        total("writes"),
        total("durable"),
        total("notices"),
        total("log"),
        total("wire"),
        total("postgres") / 1000,
        math.ceil(processes * hardware.pool),
        disk,
        devices * beginning / 1000 / usable / _HOUR,
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


def limits(factors: Factors, day: Day, hardware: Hardware) -> Sequence[Limit]:
    """What a single PostgreSQL server has, that which is used up first at first."""
    many = 1_000_000
    one = need(many, factors, day, hardware)
    pairs = (
        ("durable commits", "1/s", one.durable, factors.commits * hardware.database_share),
        (
            "commits with a notice, one after the other",
            "1/s",
            one.notices,
            factors.notices * hardware.database_share,
        ),
        ("processors", "", one.database_processors, hardware.database_cores * hardware.load),
        ("log", "MB/s", one.log / 1e6, hardware.log),
        ("connections without a pooler", "", float(one.pool), hardware.connections),
    )
    found = [
        Limit(name, unit, needed / many * 1000, most, most / needed * many if needed else math.inf)
        for name, unit, needed, most in pairs
    ]
    return sorted(found, key=lambda limit: limit.devices)
