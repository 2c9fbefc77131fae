"""Whatever an organizer does to a series, by phone since 16.0, all who are invited have it as he has."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import NotFound
from gateway.pim.events.document import read_event
from gateway.pim.events.expansion import instances
from gateway.pim.events.model import (
    Attendee,
    EventPatch,
    Location,
    OccurrencePatch,
    Participation,
    Person,
    Recurrence,
)
from gateway.pim.itip.message import read_message
from gateway.pim.recurrence import Pattern
from tests.pim.itip.meetings import CID, NOW, at, take
from tests.pim.itip.texts import answered, reply, told
from tests.support.events import delete_occurrence, new_event, patch_event, patch_occurrence
from tests.support.invitations import ANN, BOB

DAN = "dan@example.org"
GUESTS = (ANN, CID, DAN)
HOUR = timedelta(hours=1)
FIRST, LAST = NOW - timedelta(days=3), NOW + timedelta(days=60)
Seen = list[tuple[datetime, datetime, str]]


def attendee(address: str) -> Attendee:
    return Attendee(Person(address, address[:3]))


@dataclass
class World:
    """Bob's event and the calendars of his guests. Mail arrives at once."""

    bobs: str = ""
    calendars: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW

    def change(self, after: str) -> None:
        outcome = told(self.bobs or None, after, BOB, self.now)
        assert outcome.text is not None
        self.bobs = outcome.text
        for post in outcome.posts:
            message = read_message(post.calendar, post.method)
            assert message
            for one in post.to:
                applied = take(message, self.calendars.get(one.address), owner=one.address)
                self.calendars[one.address] = applied.text or self.calendars.get(one.address, "")

    def answer(self, guest: str, instance: datetime | None, status: Participation) -> None:
        text = self.calendars.get(guest)
        if not text or read_event(text, guest).cancelled:
            return
        mail = reply(text, instance, status, Person(guest), self.now)
        self.calendars[guest] = answered(text, instance, status, f"{self.now}", guest, self.now)
        message = read_message(mail, "REPLY")
        assert message
        self.bobs = take(message, self.bobs, sender=guest, owner=BOB).text or self.bobs

    def wanted(self, guest: str) -> Seen:
        """What Bob has that a guest is invited to."""
        found = instances(read_event(self.bobs, BOB), FIRST, LAST)
        return sorted(
            (one.start.astimezone(UTC), one.end.astimezone(UTC), one.event.subject)
            for one in found
            if guest in {each.person.address for each in one.event.attendees}
        )

    def seen(self, guest: str) -> Seen:
        """What a guest has that was not called off."""
        text = self.calendars.get(guest)
        found = instances(read_event(text, guest), FIRST, LAST) if text else ()
        return sorted(
            (one.start.astimezone(UTC), one.end.astimezone(UTC), one.event.subject)
            for one in found
            if not one.event.cancelled
        )

    def step(self, what: str, which: int, guest: str, number: int) -> None:
        event = read_event(self.bobs, BOB)
        there = list(instances(event, FIRST, LAST))
        if not there:
            return
        chosen = there[which % len(there)]
        original, known = chosen.original, chosen.event.attendees
        of = known if what.endswith("one") else event.attendees
        others = tuple(one for one in of if one.person.address != guest)
        begin = (chosen.start if what.endswith("one") else event.start) + (number % 3 - 1) * HOUR
        values: dict[str, dict[str, object]] = {
            "move": {"start": begin, "end": begin + HOUR},
            "name": {"subject": f"Monday {number}"},
            "place": {"location": Location(f"Room {number}")},
            "invite": {"attendees": (*others, attendee(guest))},
            "dismiss": {"attendees": others},
            "rule": {"recurrence": Recurrence(Pattern.WEEKLY, days=2, occurrences=3 + number % 4)},
        }
        verb = what.split(maxsplit=1)[0]
        if verb == "answer":
            instance = original.astimezone(UTC) if what.endswith("one") else None
            self.answer(guest, instance, (Participation.ACCEPTED, Participation.TENTATIVE)[number % 2])
        elif verb == "delete":
            self.change(delete_occurrence(self.bobs, original, BOB, self.now))
        elif what.endswith("one"):
            patch = OccurrencePatch(**values[verb])  # type: ignore[arg-type]
            self.change(patch_occurrence(self.bobs, original, patch, BOB, self.now))
        else:
            whole = EventPatch(resets_exceptions=True, **values[verb])  # type: ignore[arg-type]
            self.change(patch_event(self.bobs, whole, BOB, self.now))


VERBS = ("move", "name", "place", "invite", "dismiss", "answer")
STEPS = st.tuples(
    st.sampled_from(
        [*(f"{verb} {what}" for verb in VERBS for what in ("all", "one")), "delete one", "rule all"]
    ),
    st.integers(0, 6),
    st.sampled_from(GUESTS),
    st.integers(0, 9),
    st.sampled_from([0, 1, 60]),
)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(STEPS, min_size=1, max_size=8))
@example([*(("dismiss one", 1, guest, 0, 1) for guest in (ANN, CID)), ("name all", 0, ANN, 1, 1)])
def test_all_who_are_invited_have_what_the_organizer_has(steps: list[tuple[str, int, str, int, int]]) -> None:
    world = World()
    patch = EventPatch(
        start=at(2),
        end=at(2, 10),
        subject="Monday",
        recurrence=Recurrence(Pattern.WEEKLY, days=2, occurrences=6),
        organizer=Person(BOB, "Bob"),
        attendees=(attendee(ANN), attendee(CID)),
    )
    world.change(new_event(patch, "monday@example.org", BOB, world.now))
    for what, which, guest, number, seconds in steps:
        world.now += timedelta(seconds=seconds)
        try:
            world.step(what, which, guest, number)
        except NotFound:  # a guest answers for an occurrence that he has not
            continue
        for one in GUESTS:
            assert world.seen(one) == world.wanted(one), one
