"""What an event is found by in a search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.eas.content.itembody import body_text
from gateway.pim.events.model import Event, Location, Person
from gateway.pim.matching import Texts
from gateway.query import Place

__all__ = ["texts_of"]


def texts_of(event: Event) -> Texts:
    """The texts of an event, or of a series with those of its exceptions; who invites is From."""
    events = [event, *(one.event for one in event.occurrences if one.event)]
    guests = (guest.person for one in events for guest in one.attendees)
    return {
        Place.SUBJECT: _once(one.subject for one in events),
        Place.BODY: _once(body_text(one.body) for one in events),
        Place.FROM: _people(one.organizer for one in events if one.organizer),
        Place.TO: _people(guests),
        Place.ATTACHMENT: _once(file.name for one in events for file in one.files),
        Place.ANYWHERE: _once(text for one in events for text in (*_places(one.location), *one.categories)),
    }


def _people(people: Iterable[Person]) -> list[str]:
    return _once(text for one in people for text in (one.name, one.address))


def _places(location: Location | None) -> Iterator[str]:
    if location is not None:
        yield from (location.name, location.annotation, location.street, location.city)
        yield from (location.state, location.postal_code, location.country)


def _once(texts: Iterable[str]) -> list[str]:
    """Each of them once: exceptions say most of what their series says."""
    return [text for text in dict.fromkeys(texts) if text]
