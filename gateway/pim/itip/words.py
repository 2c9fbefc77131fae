"""What a scheduling message says, in words: for programs that show no calendar, and for people who look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from gateway.pim.invitation import Invitation, Method
from gateway.pim.recurrence import ALL_DAYS, Pattern, Recurrence

__all__ = ["describe", "title"]

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_ORDINALS = ("", "first", "second", "third", "fourth", "last")
_KINDS = {ALL_DAYS: "day", 62: "weekday", 65: "weekend day"}
"""What several days are called, by their sum."""
_ANSWERS = {"ACCEPTED": "Accepted", "TENTATIVE": "Tentative", "DECLINED": "Declined"}
_UNTITLED = "(no title)"


def title(invitation: Invitation, *, answer: str = "", again: bool = False) -> str:
    """The subject of the mail; `answer` is the PARTSTAT of one who replies, `again` says it is an update."""
    summary = " ".join(invitation.summary.split()) or _UNTITLED
    match invitation.method:
        case Method.CANCEL:
            return f"Canceled: {summary}"
        case Method.COUNTER:
            return f"New time proposed: {summary}"
        case Method.REPLY:
            return f"{_ANSWERS.get(answer, 'Answer')}: {summary}"
        case Method.REQUEST:
            return f"Updated: {summary}" if again else summary


def describe(invitation: Invitation, comment: str = "") -> str:
    """The text of the mail: what somebody wrote, then what it is about, then its description."""
    facts = [f"What:  {' '.join(invitation.summary.split()) or _UNTITLED}"]
    times = invitation.proposed if invitation.method is Method.COUNTER else None
    if times:
        facts.append(f"New:   {_span(times[0], times[1], whole_days=invitation.all_day)}")
    start = invitation.start or invitation.recurrence_id
    if start:
        end = invitation.end or start
        facts.append(f"When:  {_span(start, end, whole_days=invitation.all_day)}")
    if invitation.recurrence:
        facts.append(f"       {_recurrence(invitation.recurrence, invitation.zone)}")
    if invitation.location.strip():
        facts.append(f"Where: {' '.join(invitation.location.split())}")
    if invitation.organizer and invitation.organizer.address:
        facts.append(f"Host:  {invitation.organizer.name or invitation.organizer.address}")
    shown = [comment.strip(), "\n".join(facts)]
    if invitation.method is Method.REQUEST:
        shown.append(invitation.description.strip())
    return "\n\n".join(filter(None, shown)) + "\n"


def _span(start: datetime, end: datetime, *, whole_days: bool) -> str:
    if whole_days:
        last = max(end - timedelta(days=1), start)
        return _date(start) if last.date() <= start.date() else f"{_date(start)} to {_date(last)}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{_date(end)}, {end:%H:%M}"
    return f"{_date(start)}, {start:%H:%M} to {until} ({_zone(start)})"


def _date(moment: datetime) -> str:
    weekday = _WEEKDAYS[(moment.weekday() + 1) % 7]
    return f"{weekday}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _zone(moment: datetime) -> str:
    zone = moment.tzinfo
    if zone is UTC or not isinstance(zone, ZoneInfo):
        offset = moment.utcoffset() or timedelta()
        minutes = int(offset.total_seconds()) // 60
        return (
            f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
            if minutes
            else "UTC"
        )
    return zone.key


def _recurrence(recurrence: Recurrence, zone: tzinfo) -> str:
    text = _rhythm(recurrence)
    if recurrence.until:
        return f"{text}, until {_date(recurrence.until.astimezone(zone))}"
    if recurrence.occurrences:
        return f"{text}, {recurrence.occurrences} times"
    return text


def _rhythm(recurrence: Recurrence) -> str:
    unit = {Pattern.DAILY: "day", Pattern.WEEKLY: "week"}.get(
        recurrence.pattern, "year" if recurrence.pattern in {Pattern.YEARLY, Pattern.YEARLY_NTH} else "month"
    )
    every = f"every {unit}" if recurrence.interval == 1 else f"every {recurrence.interval} {unit}s"
    month = f" of {_MONTHS[recurrence.month - 1]}" if recurrence.month else ""
    match recurrence.pattern:
        case Pattern.DAILY:
            return every
        case Pattern.WEEKLY:
            days = _days(recurrence.days)
            return f"{every} on {days}s" if days in _KINDS.values() else f"{every} on {days}"
        case Pattern.MONTHLY | Pattern.YEARLY:
            return f"{every} on day {recurrence.day_of_month}{month}"
        case Pattern.MONTHLY_NTH | Pattern.YEARLY_NTH:
            return f"{every} on the {_ORDINALS[recurrence.week or 5]} {_days(recurrence.days)}{month}"


def _days(days: int) -> str:
    if days in _KINDS:
        return _KINDS[days]
    return " and ".join(_WEEKDAYS[at] for at in (*range(1, 7), 0) if days & 1 << at)
