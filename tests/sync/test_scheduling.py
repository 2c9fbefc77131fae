"""Changes of meetings as notices: whom they reach, how they are told apart, what they say."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy

from gateway.items import StoredItem
from gateway.mail.addresses import Address
from gateway.pim.events.document import patch_event, stored_event
from gateway.pim.events.model import Body, EventPatch
from gateway.pim.invitation import Method, Person
from gateway.pim.itip.outgoing import Post
from gateway.sync.scheduling import forwarded, notice, organized
from tests.pim.itip.meetings import CID, NOW, PEOPLE, seen, series, stored
from tests.support.invitations import ANN, BOB

AUTHOR = Address("Bob", BOB)
MEETING = stored_event(stored(series()))


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
