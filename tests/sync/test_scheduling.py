"""Changes of meetings as notices: whom they reach, how they are told apart, what they say."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest

from gateway.items import StoredItem
from gateway.mail.addresses import Address
from gateway.pim.events.document import Document
from gateway.pim.events.model import BadEvent, Body, EventPatch, OccurrencePatch
from gateway.pim.invitation import Method, Person
from gateway.pim.itip.outgoing import Post
from gateway.sync import scheduling
from gateway.sync.itemoperations import Made
from gateway.sync.scheduling import MOST_INVITED, forwarded, notice
from tests.pim.itip.meetings import CID, NOW, PEOPLE, at, seen, series, stored
from tests.support.events import patch_event, patch_occurrence, stored_event
from tests.support.invitations import ANN, BOB

AUTHOR = Address("Bob", BOB)
MEETING = stored_event(stored(series()))


def organized(before: StoredItem | None, after: StoredItem | None, author: Address, now: datetime) -> Made:
    was, is_now = (Document.stored_as(one) if one else None for one in (before, after))
    return scheduling.organized(was, is_now, author, now)


def changed(patch: EventPatch, before: StoredItem = MEETING) -> StoredItem:
    return stored_event(patch_event(before.text, patch, BOB, NOW))


def test_a_change_is_mailed_to_those_invited() -> None:
    made = organized(MEETING, changed(EventPatch(subject="Other")), AUTHOR, NOW)
    (one,) = made.notices
    assert set(one.recipients) == {ANN, "Cid@Example.org"}
    mail = message_from_bytes(one.message, policy=policy.default)
    assert mail["From"] == "Bob <bob@example.org>"
    assert mail["Subject"] == "Updated: Other"
    assert {address.addr_spec.lower() for address in mail["To"].addresses} == {ANN, CID}
    assert made.stored is not None
    assert "DTSTAMP:20260301T120000Z" in made.stored.text


def test_what_is_written_in_html_is_mailed_so() -> None:
    body = Body(
        "The *plan*", "<html><body><script>x()</script><p onclick='y()'>The <b>plan</b></body></html>"
    )
    made = organized(MEETING, changed(EventPatch(body=body)), AUTHOR, NOW)
    (one,) = made.notices
    mail = message_from_bytes(one.message, policy=policy.default)
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    assert (mail.get_content_type(), kinds) == (
        "multipart/alternative",
        ["text/plain", "text/html", "text/calendar"],
    )
    plain, rich, _ = (part.get_content() for part in mail.iter_parts())
    assert "<p>The <b>plan</b></p>" in rich
    assert "script" not in rich
    for text in (plain, rich):
        assert "Monday" in text
        assert text.count("plan") == 1
    made = organized(MEETING, None, AUTHOR, NOW)
    assert b"text/html" not in made.notices[0].message


def test_the_same_change_has_the_same_key_and_another_another() -> None:
    keys = [
        organized(MEETING, changed(EventPatch(subject=subject)), AUTHOR, NOW).notices[0].key
        for subject in ("a", "a", "b")
    ]
    assert keys[0] == keys[1] != keys[2]
    assert len(keys[0]) == 40


def test_what_is_told_nobody_is_stored_as_it_is() -> None:
    own = changed(EventPatch(reminder=timedelta(minutes=5)))
    made = organized(MEETING, own, AUTHOR, NOW)
    assert (made.stored, made.notices) == (own, ())


def test_who_has_no_address_is_left_out() -> None:
    people = (
        *PEOPLE[:2],
        "ATTENDEE:mailto:ann@@example.org",
        "ATTENDEE:mailto:cid@example.org",
        "ATTENDEE:x",
    )
    text = stored(series(people=people))
    (one,) = organized(None, stored_event(text), AUTHOR, NOW).notices
    assert one.recipients == (CID,)


def invited(count: int, *more: str) -> StoredItem:
    people = (f"ATTENDEE:mailto:p{number}@example.org" for number in range(count))
    return stored_event(stored(series(*more, people=(*PEOPLE[:2], *people))))


def test_so_many_are_invited_and_no_more() -> None:
    (one,) = organized(None, invited(MOST_INVITED), AUTHOR, NOW).notices
    assert len(one.recipients) == MOST_INVITED
    many = invited(MOST_INVITED + 1)
    with pytest.raises(BadEvent):
        organized(None, many, AUTHOR, NOW)
    with pytest.raises(BadEvent):
        organized(many, invited(MOST_INVITED + 1, "LOCATION:x"), AUTHOR, NOW)
    private = changed(EventPatch(reminder=timedelta(minutes=5)), many)
    assert organized(many, private, AUTHOR, NOW).notices == ()
    (gone,) = organized(many, None, AUTHOR, NOW).notices
    assert len(gone.recipients) == MOST_INVITED + 1


def test_what_says_all_of_a_meeting() -> None:
    made = organized(MEETING, changed(EventPatch(subject="Other")), AUTHOR, NOW)
    assert made.whole == made.current == {made.notices[0].key}
    moved = patch_occurrence(MEETING.text, at(9), OccurrencePatch(subject="Other"), BOB, NOW)
    made = organized(MEETING, stored_event(moved), AUTHOR, NOW)
    assert (made.whole, made.current) == (frozenset(), frozenset({made.notices[0].key}))
    made = organized(MEETING, None, AUTHOR, NOW)
    assert (len(made.notices), made.whole, made.current) == (1, frozenset(), frozenset())


def test_a_message_to_nobody_is_none() -> None:
    post = Post(Method.REQUEST, (Person("nobody"),), MEETING.text)
    assert notice(post, AUTHOR, NOW) is None
    assert forwarded(seen(MEETING.text), [AUTHOR], AUTHOR, NOW, about="x") is not None
    lonely = stored(series(people=()))
    assert forwarded(seen(lonely), [AUTHOR], AUTHOR, NOW, about="x") is None


def test_a_comment_in_html() -> None:
    post = Post(
        Method.REPLY, (Person(BOB),), stored(series()).replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REPLY")
    )
    one = notice(post, Address("", ANN), NOW, comment="no", html="<b>no</b>", answer="DECLINED")
    assert one is not None
    mail = message_from_bytes(one.message, policy=policy.default)
    assert mail["Subject"] == "Declined: Monday"
    plain, rich, calendar = mail.iter_parts()
    assert rich.get_content().startswith("<b>no</b><pre>What:")
    assert "What:  Monday" in plain.get_content()
    assert calendar.get_param("method") == "REPLY"
