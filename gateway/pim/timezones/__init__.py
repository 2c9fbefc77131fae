"""Time zones: IANA names, the 172-byte structure of phones and VTIMEZONE, turned into each other.

A zone is a `tzinfo`: a `ZoneInfo`, or a `RuleZone` where nobody knows a name for the rules that came.
"""

from gateway.pim.timezones.blob import BadBlob, pack, unpack
from gateway.pim.timezones.changes import rules_at
from gateway.pim.timezones.definitions import Definition, write_definition
from gateway.pim.timezones.history import write_zone
from gateway.pim.timezones.match import zone_for
from gateway.pim.timezones.names import described_zone, named_zone
from gateway.pim.timezones.rules import Onset, RuleZone, ZoneRules

__all__ = [
    "BadBlob",
    "Definition",
    "Onset",
    "RuleZone",
    "ZoneRules",
    "described_zone",
    "named_zone",
    "pack",
    "rules_at",
    "unpack",
    "write_definition",
    "write_zone",
    "zone_for",
]
