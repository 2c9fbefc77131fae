"""The meeting message that a winmail.dat holds, as iCalendar (MS-OXOCAL, MS-OXCICAL).

Exchange sends it so to people it takes for users of Outlook, and then without a calendar of its own. Who it
is from and for is said by the mail around it: inside are names that mean something to Exchange alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.mail.addresses import Address, addresses
from gateway.mail.headers import Headers, clean
from gateway.mail.tnef import TnefMessage, Value
from gateway.mail.tnefseries import BadMeeting, PackedZone, Series

__all__ = ["meeting_in"]

_APPOINTMENT = bytes.fromhex("0220060000000000c000000000000046")
_MEETING = bytes.fromhex("90dad86e0b451b1098da00aa003f1305")
# Numbers in these sets (MS-OXPROPS).
_SEQUENCE, _BUSY, _LOCATION, _START, _END, _ALL_DAY = 0x8201, 0x8224, 0x8208, 0x820D, 0x820E, 0x8215
_RULE, _RECURRING, _ZONE, _ORIGINAL = 0x8216, 0x8223, 0x8233, 0x8228
_PROPOSES, _PROPOSED_START, _PROPOSED_END, _NO_COUNTER = 0x8257, 0x8250, 0x8251, 0x825A
_GLOBAL_ID, _CLEAN_ID, _ORGANIZER_SAID, _ATTENDEE_SAID = 0x0003, 0x0023, 0x001A, 0x0001
# Without a set.
_SENT, _NORMAL_SUBJECT, _WANTS_ANSWER = 0x0039, 0x0E1D, 0x0063

_KINDS = {
    "ipm.schedule.meeting.request": ("REQUEST", ""),
    "ipm.microsoft schedule.mtgreq": ("REQUEST", ""),
    "ipm.schedule.meeting.canceled": ("CANCEL", ""),
    "ipm.microsoft schedule.mtgcncl": ("CANCEL", ""),
    "ipm.schedule.meeting.resp.pos": ("REPLY", "ACCEPTED"),
    "ipm.microsoft schedule.mtgrespp": ("REPLY", "ACCEPTED"),
    "ipm.schedule.meeting.resp.tent": ("REPLY", "TENTATIVE"),
    "ipm.microsoft schedule.mtgrespa": ("REPLY", "TENTATIVE"),
    "ipm.schedule.meeting.resp.neg": ("REPLY", "DECLINED"),
    "ipm.microsoft schedule.mtgrespn": ("REPLY", "DECLINED"),
}
"""METHOD and PARTSTAT by the message class, also as old programs name it (MS-OXTNEF 2.1.3.3.2)."""
_BUSY_WORDS = {0: "FREE", 1: "TENTATIVE", 2: "BUSY", 3: "OOF", 4: "WORKINGELSEWHERE"}
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_TICKS = 10
"""Units of a time in a microsecond."""
_LAST = 2650467743990000000
"""A time in the year 10000, and so none."""
_MOST_PEOPLE = 500
_LONGEST_TEXT = 32768
_ID_OCTETS = 40
_OWN_UID = b"vCal-Uid\x01\0\0\0"
_SPECIAL = re.compile(r"([\\;,])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def meeting_in(message: TnefMessage, headers: Headers) -> str | None:
    """The VCALENDAR of a meeting message; None when it is none, or about nothing that can be told.

    `headers` are those of the mail that it came in: From, To and Cc.
    """
    method, answer = _KINDS.get(message.kind.strip().lower(), ("", ""))
    if not method:
        return None
    try:
        return "\r\n".join((*_Meeting(message, headers, method, answer).lines(), ""))
    except BadMeeting:
        return None


@dataclass(frozen=True, slots=True)
class _Meeting:
    message: TnefMessage
    headers: Headers
    method: str
    answer: str

    def lines(self) -> Iterator[str]:
        """The lines of the calendar. Raises `BadMeeting` where something is missing that it needs."""
        uid, start, end = self._uid(), self._time(_START), self._time(_END)
        asks = self.method in {"REQUEST", "CANCEL"}
        if asks and (start is None or end is None or end < start):
            raise BadMeeting("no times")
        proposed = self._proposed()
        zone = PackedZone.read(self._octets(_ZONE))
        series = Series.read(self._octets(_RULE)) if self._number(_RECURRING) and asks else None
        common = (f"UID:{_text(uid)}", *self._common())
        yield from ("BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{'COUNTER' if proposed else self.method}")
        if series is not None:
            yield from zone.lines()
        yield from ("BEGIN:VEVENT", *common)
        if series is not None:
            yield from series.lines(zone, all_day=self._all_day)
        elif proposed is not None:
            yield from (f"DTSTART:{_moment(proposed[0])}", f"DTEND:{_moment(proposed[1])}")
        elif start is not None and end is not None:
            yield from self._span(start, end, zone)
        original = self._original()
        if original is not None:
            yield f"RECURRENCE-ID:{_moment(original)}"
        yield "END:VEVENT"
        for changed in series.exceptions(all_day=self._all_day) if series is not None else ():
            yield from ("BEGIN:VEVENT", *common, *changed, "END:VEVENT")
        yield "END:VCALENDAR"

    def _proposed(self) -> tuple[datetime, datetime] | None:
        """The other time that is proposed with an answer."""
        start, end = self._time(_PROPOSED_START), self._time(_PROPOSED_END)
        if self.answer != "TENTATIVE" or not self._number(_PROPOSES) or start is None or end is None:
            return None
        return start, max(start, end)

    def _common(self) -> Iterator[str]:
        said = self._time(_ATTENDEE_SAID if self.answer else _ORGANIZER_SAID, _MEETING)
        sent = said or _moment_of(self.message.properties.get(_SENT))
        if sent is None:
            raise BadMeeting("no time at which it was said")
        yield f"DTSTAMP:{_moment(sent)}"
        yield f"SEQUENCE:{self._number(_SEQUENCE)}"
        subject = self.message.properties.get(_NORMAL_SUBJECT)
        yield f"SUMMARY:{_text(subject if isinstance(subject, str) and subject else self.message.subject)}"
        location = self.message.named.get((_APPOINTMENT, _LOCATION))
        if isinstance(location, str) and location.strip():
            yield f"LOCATION:{_text(location)}"
        if self.message.text.strip():
            yield f"DESCRIPTION:{_text(self.message.text[:_LONGEST_TEXT].strip())}"
        if self.method == "CANCEL":
            yield "STATUS:CANCELLED"
        busy = self.message.named.get((_APPOINTMENT, _BUSY))
        if isinstance(busy, int) and busy in _BUSY_WORDS:
            yield f"X-MICROSOFT-CDO-INTENDEDSTATUS:{_BUSY_WORDS[busy]}"
        if self._number(_NO_COUNTER):
            yield "X-MICROSOFT-DISALLOW-COUNTER:TRUE"
        yield from self._people()

    def _people(self) -> Iterator[str]:
        sender = list(addresses(self.headers, "from"))
        others = [one for name in ("to", "cc") for one in addresses(self.headers, name)][:_MOST_PEOPLE]
        hosts, guests = (others, sender) if self.answer else (sender, others)
        for host in hosts[:1]:
            yield f"ORGANIZER{_person(host)}"
        wanted = "FALSE" if self.message.properties.get(_WANTS_ANSWER) == 0 else "TRUE"
        status = f";PARTSTAT={self.answer}" if self.answer else f";PARTSTAT=NEEDS-ACTION;RSVP={wanted}"
        for guest in guests:
            yield f"ATTENDEE{status}{_person(guest)}"

    def _uid(self) -> str:
        """How iCalendar calls the meeting (MS-OXCICAL 2.1.3.1.1.20.26)."""
        whole = self.message.named.get((_MEETING, _GLOBAL_ID))
        clean = self.message.named.get((_MEETING, _CLEAN_ID), whole)
        if not isinstance(clean, bytes) or len(clean) < _ID_OCTETS:
            raise BadMeeting("no id")
        if clean[_ID_OCTETS:].startswith(_OWN_UID):
            return clean[_ID_OCTETS + len(_OWN_UID) :].split(b"\0")[0].decode("utf-8", "replace")
        return (clean[:16] + bytes(4) + clean[20:]).hex().upper()

    def _original(self) -> datetime | None:
        """When the occurrence was to be that this is about; None for all of it."""
        whole = self.message.named.get((_MEETING, _GLOBAL_ID))
        if not isinstance(whole, bytes) or not any(whole[16:20]):
            return None
        moment = self._time(_ORIGINAL)
        if moment is None:
            raise BadMeeting("an occurrence without its time")
        return moment

    @property
    def _all_day(self) -> bool:
        return bool(self._number(_ALL_DAY))

    def _span(self, start: datetime, end: datetime, zone: PackedZone) -> Iterator[str]:
        if self._all_day:
            first, last = zone.day_of(start), zone.day_of(end)
            yield f"DTSTART;VALUE=DATE:{first:%Y%m%d}"
            yield f"DTEND;VALUE=DATE:{max(last, first + timedelta(days=1)):%Y%m%d}"
        else:
            yield from (f"DTSTART:{_moment(start)}", f"DTEND:{_moment(end)}")

    def _number(self, name: int) -> int:
        value = self.message.named.get((_APPOINTMENT, name))
        return value & 0xFFFFFFFF if isinstance(value, int) else 0

    def _octets(self, name: int) -> bytes:
        value = self.message.named.get((_APPOINTMENT, name))
        return value if isinstance(value, bytes) else b""

    def _time(self, name: int, of: bytes = _APPOINTMENT) -> datetime | None:
        return _moment_of(self.message.named.get((of, name)))


def _moment_of(value: Value | None) -> datetime | None:
    if not isinstance(value, int) or not 0 < value < _LAST:
        return None
    return (_EPOCH + timedelta(microseconds=value // _TICKS)).replace(microsecond=0)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _person(one: Address) -> str:
    name = clean(one.name).replace('"', "'")
    return (f';CN="{name}"' if name else "") + f":mailto:{clean(one.address)}"


def _text(text: str) -> str:
    lines = _CONTROL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _SPECIAL.sub(r"\\\1", lines).replace("\n", "\\n")
