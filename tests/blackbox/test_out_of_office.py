"""Oof in Settings, with a mail server that answers by Sieve (MS-ASCMD 2.2.3.122)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPException

import pytest

from tests.support.gateway import Gateway, Section
from tests.support.phone import Phone, add, commands, statuses
from tests.support.sieve import FilteringServer, text_of
from tests.support.smtp_sink import SmtpSink
from tests.support.stalling import StallingWay
from tests.support.waiting import eventually
from wbxml import Element, Tag, element
from wbxml.pages import Contacts, Settings

NAME = "activesync-gateway"
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
INTERNAL, KNOWN, UNKNOWN = (
    Settings.AppliesToInternal,
    Settings.AppliesToExternalKnown,
    Settings.AppliesToExternalUnknown,
)


@pytest.fixture(scope="module")
def away_gateway(filtering: FilteringServer) -> Iterator[Gateway]:
    dovecot = filtering.dovecot
    sections: dict[str, Section] = {
        "sieve": {"host": "127.0.0.1", "port": dovecot.sieve_port, "ca_file": str(dovecot.ca_file)},
        "identity": {"allow_from": ["{local}.alias@{domain}"]},
    }
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink, sections=sections) as running:
        yield running


def phone_of(gateway: Gateway, user: str, version: str = "16.1", device: str = "PHONE1") -> Phone:
    phone = Phone(gateway.host, gateway.port, user, "pw", version=version, device=device)
    phone.provision()
    return phone


@pytest.fixture(params=("12.1", "14.1", "16.1"))
def each(request: pytest.FixtureRequest, away_gateway: Gateway, user: str) -> Phone:
    return phone_of(away_gateway, user, request.param)


@pytest.fixture
def anna(away_gateway: Gateway, user: str) -> Phone:
    return phone_of(away_gateway, user)


def ask(phone: Phone, asked: Element) -> Element:
    """The Oof of the reply."""
    root = phone.post("Settings", element(Settings.Settings, asked)).root
    assert root.child_text(Settings.Status) == "1"
    assert [child.tag for child in root] == [Settings.Status, Settings.Oof]
    return root.children[1]


def reply(audience: Tag, text: str | None = None, *, on: bool = True, kind: str = "Text") -> Element:
    message = element(Settings.OofMessage, element(audience), element(Settings.Enabled, int(on)))
    if text is not None:
        message.append(element(Settings.ReplyMessage, text))
        message.append(element(Settings.BodyType, kind))
    return message


def change(phone: Phone, *told: Element) -> str | None:
    """The Status of a Set."""
    oof = ask(phone, element(Settings.Oof, element(Settings.Set, *told)))
    assert len(oof) == 1
    return oof.child_text(Settings.Status)


def state(number: int) -> Element:
    return element(Settings.OofState, number)


def times(start: datetime, end: datetime) -> tuple[Element, Element]:
    form = "%Y-%m-%dT%H:%M:%S.000Z"
    return (
        element(Settings.StartTime, start.strftime(form)),
        element(Settings.EndTime, end.strftime(form)),
    )


def shown(phone: Phone, kind: str = "Text") -> list[object]:
    """What a Get tells: state, times, and enabled, text and form for each audience."""
    oof = ask(phone, element(Settings.Oof, element(Settings.Get, element(Settings.BodyType, kind))))
    assert [child.tag for child in oof] == [Settings.Status, Settings.Get]
    assert oof.child_text(Settings.Status) == "1"
    told: list[object] = []
    for child in oof.children[1]:
        if child.tag is not Settings.OofMessage:
            told.append(child.text())
            continue
        audience, enabled, text, form = child
        assert form.text() == kind
        told.append((audience.tag, enabled.text(), text.text()))
    return told


def nothing(number: str = "0") -> list[object]:
    return [number, *((audience, "0", "") for audience in (INTERNAL, KNOWN, UNKNOWN))]


def away(phone: Phone) -> str | None:
    """Have everybody answered, people inside otherwise than those outside."""
    return change(phone, state(1), reply(INTERNAL, "Inside"), reply(KNOWN, "Out"), reply(UNKNOWN, "Out"))


# --- what is answered to whom ------------------------------------------------------------------------------


def test_people_are_answered_until_it_is_off(each: Phone, filtering: FilteringServer) -> None:
    assert shown(each) == nothing()
    assert filtering.answer(each.user, "early@example.test") is None
    assert away(each) == "1"
    assert shown(each) == ["1", (INTERNAL, "1", "Inside"), (KNOWN, "1", "Out"), (UNKNOWN, "1", "Out")]
    assert filtering.answer(each.user, "ben@example.test") == "Inside"
    assert filtering.answer(each.user, "ben@example.test") is None, "once"
    assert filtering.answer(each.user, "carl@elsewhere.test") == "Out"
    assert filtering.answer(each.user, "spam@elsewhere.test", "X-Spam-Flag: YES") is None
    assert filtering.answer(each.user, "list@elsewhere.test", "List-Id: <list.test>") is None
    assert change(each, state(0)) == "1"
    assert filtering.answer(each.user, "late@example.test") is None
    assert shown(each)[0] == "0"
    assert shown(each)[1:] == [(INTERNAL, "1", "Inside"), (KNOWN, "1", "Out"), (UNKNOWN, "1", "Out")]
    assert filtering.scripts(each.user).active == ""


def test_nobody_outside_is_answered_if_not_wanted(anna: Phone, filtering: FilteringServer) -> None:
    assert change(anna, state(1), reply(INTERNAL, "Inside"), reply(UNKNOWN, "Out", on=False)) == "1"
    assert filtering.answer(anna.user, "ben@example.test") == "Inside"
    assert filtering.answer(anna.user, "carl@elsewhere.test") is None
    assert change(anna, reply(INTERNAL, on=False), reply(UNKNOWN)) == "1"
    assert filtering.answer(anna.user, "dora@example.test") is None
    assert filtering.answer(anna.user, "emil@elsewhere.test") == "Out"


@pytest.mark.parametrize(
    ("start", "end", "answered"), [(-DAY, DAY, True), (-2 * DAY, -DAY, False), (DAY, 2 * DAY, False)]
)
def test_only_during_the_times(
    anna: Phone, filtering: FilteringServer, start: timedelta, end: timedelta, answered: bool
) -> None:
    span = times(NOW + start, NOW + end)
    assert change(anna, state(2), *span, reply(INTERNAL, "Inside")) == "1"
    assert shown(anna)[:3] == ["2", *(one.text() for one in span)]
    assert (filtering.answer(anna.user, "ben@example.test") == "Inside") is answered
    assert change(anna, state(1)) == "1"
    assert shown(anna)[:2] == ["1", (INTERNAL, "1", "Inside")]
    assert filtering.answer(anna.user, "carl@example.test") == "Inside"


def test_texts_arrive_as_they_are(anna: Phone, filtering: FilteringServer) -> None:
    hostile = 'Grüße ☃ "quoted" \\ ${user}\r\n.\r\n--x\r\n"; stop; #\r\ntext:\r\n' + "long " * 400
    assert change(anna, state(1), reply(INTERNAL, hostile), reply(UNKNOWN, hostile)) == "1"
    assert filtering.answer(anna.user, "ben@example.test") == hostile.strip()
    assert shown(anna)[1] == (INTERNAL, "1", hostile)
    page = "<html><body><p>Away, <b>back</b> on Monday</p></body></html>"
    assert change(anna, reply(INTERNAL, page, kind="HTML")) == "1"
    (answer,) = filtering.mail(anna.user, "carl@example.test")
    assert answer.get_content_type() == "multipart/alternative"
    assert text_of(answer) == "Away, back on Monday"
    assert page in str(answer)
    assert shown(anna, "HTML")[1] == (INTERNAL, "1", page)
    assert shown(anna)[1] == (INTERNAL, "1", "Away, back on Monday")
    assert "Grüße" in str(shown(anna, "HTML")[3])


def test_people_he_knows_are_answered_otherwise(anna: Phone, filtering: FilteringServer) -> None:
    """Those outside whose addresses are in his contacts when he sets it."""
    folder = anna.folders()["Contacts"]
    anna.begin(folder)
    known = element(Contacts.Email1Address, '"Carl C." <Carl@Elsewhere.test>')
    two = element(Contacts.Email2Address, "c2@elsewhere.test")
    served = anna.sync(folder, commands(add("1", element(Contacts.LastName, "C."), known, two)))
    assert [one for _, _, one in statuses(served)] == ["1"]
    told = (reply(INTERNAL, "Inside"), reply(KNOWN, "Dear friend"), reply(UNKNOWN, "Out"))
    assert change(anna, state(1), *told) == "1"
    assert filtering.answer(anna.user, "carl@elsewhere.test") == "Dear friend"
    assert filtering.answer(anna.user, "c2@elsewhere.test") == "Dear friend"
    assert filtering.answer(anna.user, "dora@elsewhere.test") == "Out"
    assert filtering.answer(anna.user, "ben@example.test") == "Inside"
    assert change(anna, reply(KNOWN, "My friend"), reply(UNKNOWN, on=False)) == "1"
    assert filtering.answer(anna.user, "carl@elsewhere.test") == "My friend"
    assert filtering.answer(anna.user, "emil@elsewhere.test") is None
    assert shown(anna)[2:] == [(KNOWN, "1", "My friend"), (UNKNOWN, "0", "Out")]


def test_mail_to_an_alias_is_answered(anna: Phone, filtering: FilteringServer) -> None:
    assert away(anna) == "1"
    message = f"From: <f@example.test>\r\nTo: {anna.user}.alias@example.test\r\nSubject: x\r\n\r\n?\r\n"
    before = len(filtering.sink.received)
    filtering.dovecot.hand_in(anna.user, "f@example.test", message.encode())
    assert len(filtering.sink.received) == before + 1


# --- the user's own filters --------------------------------------------------------------------------------

FILE_AWAY = (
    'require ["fileinto", "mailbox"];\r\n'
    'if header :contains "subject" "question" { fileinto :create "Questions"; stop; }\r\n'
)


def filed(filtering: FilteringServer, user: str) -> int:
    with filtering.dovecot.imap(user) as client:
        status, (count,) = client.select("Questions", readonly=True)
        return int(count) if status == "OK" and count else 0


def test_own_filters_go_on(anna: Phone, filtering: FilteringServer) -> None:
    scripts = filtering.scripts(anna.user)
    scripts.put("my filters", FILE_AWAY)
    scripts.activate("my filters")
    assert away(anna) == "1"
    assert scripts.active == NAME
    assert filtering.answer(anna.user, "ben@example.test") == "Inside"
    assert filed(filtering, anna.user) == 1
    scripts.put("my filters", FILE_AWAY.replace("question", "nothing"))
    assert filtering.answer(anna.user, "carl@example.test") == "Inside"
    assert filed(filtering, anna.user) == 1, "what the user changes in them counts"
    assert change(anna, reply(INTERNAL, "Other")) == "1"
    assert change(anna, state(0)) == "1"
    assert scripts.active == "my filters"
    assert scripts.get("my filters") == FILE_AWAY.replace("question", "nothing")


def test_another_script_activated_elsewhere(anna: Phone, filtering: FilteringServer) -> None:
    scripts = filtering.scripts(anna.user)
    assert away(anna) == "1"
    scripts.put("mine", FILE_AWAY)
    scripts.activate("mine")
    assert shown(anna)[0] == "0", "nobody is answered"
    assert change(anna, state(0)) == "1"
    assert scripts.active == "mine"
    assert change(anna, state(1)) == "1"
    assert scripts.active == NAME
    assert filtering.answer(anna.user, "ben@example.test") == "Inside"
    assert filed(filtering, anna.user) == 1
    scripts.delete("mine")
    assert filtering.answer(anna.user, "carl@example.test") == "Inside", "a script that is gone stops nothing"
    assert change(anna, state(0)) == "1"
    assert scripts.active == ""


def test_an_own_vacation_is_not_doubled(anna: Phone, filtering: FilteringServer) -> None:
    scripts = filtering.scripts(anna.user)
    scripts.put("mine", 'require "vacation";\r\nvacation "My own";\r\n')
    scripts.activate("mine")
    assert away(anna) == "6"
    assert scripts.active == "mine"
    assert filtering.answer(anna.user, "ben@example.test") == "My own"
    scripts.put("mine", 'require "vacation";\r\nif false # true\r\n{ vacation "My own"; }\r\n')
    assert away(anna) == "1"
    assert filtering.answer(anna.user, "carl@example.test") == "Inside"


def test_a_script_changed_by_hand_is_left_alone(anna: Phone, filtering: FilteringServer) -> None:
    scripts = filtering.scripts(anna.user)
    assert away(anna) == "1"
    mended = scripts.get(NAME).replace(":days 7", ":days 1")
    scripts.put(NAME, mended)
    assert change(anna, state(0)) == "6"
    assert scripts.get(NAME) == mended
    scripts.put(NAME, scripts.get(NAME).replace(":days 1", ":days 7").replace("\r\n", "\n"))
    assert shown(anna)[0] == "1", "line ends do not count"


# --- retries, other devices, crashes -----------------------------------------------------------------------


def test_several_devices_see_the_same(anna: Phone, away_gateway: Gateway, filtering: FilteringServer) -> None:
    other = phone_of(away_gateway, anna.user, "14.1", "PHONE2")
    assert away(anna) == "1"
    assert shown(other) == shown(anna)
    assert change(other, reply(INTERNAL, "From the other")) == "1"
    assert change(other, reply(INTERNAL, "From the other")) == "1", "a retry"
    assert shown(anna)[1] == (INTERNAL, "1", "From the other")
    assert filtering.answer(anna.user, "ben@example.test") == "From the other"


@pytest.mark.parametrize(
    ("word", "after_on", "after_off"), [(b"PUTSCRIPT", "0", "0"), (b"SETACTIVE", "0", "1")]
)
def test_killed_in_the_middle(
    anna: Phone, filtering: FilteringServer, word: bytes, after_on: str, after_off: str
) -> None:
    """Each step is whole or not done: what holds is what is shown, and the retry does the rest."""
    dovecot, scripts = filtering.dovecot, filtering.scripts(anna.user)
    scripts.put("mine", FILE_AWAY)
    scripts.activate("mine")
    with StallingWay(dovecot.host, dovecot.sieve_port, word) as way, SmtpSink(auth=True) as sink:
        sections: dict[str, Section] = {
            "sieve": {"host": way.host, "port": way.port, "security": "none", "timeout": 60}
        }
        with Gateway(dovecot, sink, sections=sections) as gateway:
            phone = phone_of(gateway, anna.user, device="PHONE2")
            told = (reply(INTERNAL, "Inside"), reply(KNOWN, "Out"), reply(UNKNOWN, "Out"))
            _kill_during(gateway, way, phone, state(1), *told)
            assert shown(anna)[0] == after_on
            assert (filtering.answer(anna.user, "ben@example.test") is not None) == (after_on == "1")
            assert filed(filtering, anna.user) == 1
            assert away(anna) == "1"
            assert filtering.answer(anna.user, "carl@example.test") == "Inside"
            gateway.start()
            _kill_during(gateway, way, phone, state(0))
            assert shown(anna)[0] == after_off
            assert (filtering.answer(anna.user, "dora@example.test") is not None) == (after_off == "1")
            assert change(anna, state(0)) == "1"
            assert scripts.active == "mine"
            assert filed(filtering, anna.user) == 3


def _kill_during(gateway: Gateway, way: StallingWay, phone: Phone, *told: Element) -> None:
    """Kill a gateway once its words to the server are stuck, while it changes something for a phone."""
    before = way.stalled

    def ask_in_vain() -> None:
        with suppress(OSError, HTTPException):
            change(phone, *told)

    asking = threading.Thread(target=ask_in_vain)
    asking.start()
    while way.stalled == before and asking.is_alive():
        asking.join(0.01)
    gateway.kill()
    asking.join()
    assert way.stalled == before + 1


# --- what is refused ---------------------------------------------------------------------------------------

START, END = times(NOW, NOW + DAY)


REFUSED: list[tuple[tuple[Element, ...], str]] = [
    ((state(2), START), "2"),
    ((state(2), END), "2"),
    ((state(2),), "5"),
    ((state(3),), "5"),
    ((element(Settings.OofState, "on"),), "5"),
    ((state(2), *times(NOW, NOW)), "6"),
    ((state(2), *times(NOW + DAY, NOW)), "6"),
    ((state(2), element(Settings.StartTime, "soon"), END), "5"),
    ((state(1), reply(INTERNAL, "a"), reply(INTERNAL, "b")), "2"),
    ((state(1), element(Settings.OofMessage, element(Settings.Enabled, 1))), "2"),
    ((state(1), element(Settings.OofMessage, element(INTERNAL), element(KNOWN))), "2"),
    ((element(Settings.OofMessage, element(INTERNAL), element(Settings.Enabled, 2)),), "2"),
    ((element(Settings.OofMessage, element(INTERNAL), element(Settings.ReplyMessage, "a")),), "2"),
    ((reply(INTERNAL, "a", kind="RTF"),), "2"),
    ((reply(INTERNAL, "x" * 128_001),), "5"),
]


def test_changes_that_are_refused(anna: Phone) -> None:
    for told, status in REFUSED:
        assert change(anna, *told) == status, told
    assert shown(anna) == nothing()


def test_texts_longer_than_the_server_takes(anna: Phone) -> None:
    assert change(anna, state(1), reply(INTERNAL, "Inside")) == "1"
    before = shown(anna)
    longest = "\U0001f3d6" * 128_000
    assert (
        change(anna, state(1), *(reply(audience, longest) for audience in (INTERNAL, KNOWN, UNKNOWN))) == "5"
    )
    assert shown(anna) == before


def test_times_need_their_state(anna: Phone) -> None:
    for begins, ends in ((NOW, NOW + DAY), (NOW, NOW), (NOW + DAY, NOW)):
        assert change(anna, state(1), *times(begins, ends), reply(INTERNAL, "Inside")) == "1"
        assert shown(anna)[:2] == ["1", (INTERNAL, "1", "Inside")]
    assert change(anna) == "1"


def test_malformed_requests(anna: Phone) -> None:
    plain = element(Settings.BodyType, "Text")
    for wrong in (
        [],
        [element(Settings.Get)],
        [element(Settings.Get, element(Settings.BodyType, "RTF"))],
        [element(Settings.Get, plain), element(Settings.Set)],
    ):
        assert [child.text() for child in ask(anna, element(Settings.Oof, *wrong))] == ["2"]


def test_a_server_that_is_away_is_4_and_mail_goes_on(filtering: FilteringServer, user: str) -> None:
    dovecot = filtering.dovecot
    sections: dict[str, Section] = {"sieve": {"host": "127.0.0.1", "port": 1, "security": "none"}}
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink, sections=sections) as gateway:
        phone = phone_of(gateway, user)
        assert change(phone, state(0)) == "4"
        asked = element(Settings.Oof, element(Settings.Get, element(Settings.BodyType, "Text")))
        information = element(Settings.UserInformation, element(Settings.Get))
        root = phone.post("Settings", element(Settings.Settings, asked, information)).root
        assert [child.child_text(Settings.Status) for child in root.children[1:]] == ["4", "1"]
        assert "Inbox" in phone.folders() or "INBOX" in phone.folders()
        # The line follows the answer.
        eventually(lambda: "Oof: no connection to 127.0.0.1:1" in gateway.log())


def test_texts_that_were_set_before_there_was_sieve(filtering: FilteringServer, user: str) -> None:
    dovecot = filtering.dovecot
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink) as gateway:
        phone = phone_of(gateway, user)
        assert away(phone) == "3"
        held = [(INTERNAL, "1", "Inside"), (KNOWN, "1", "Out"), (UNKNOWN, "1", "Out")]
        assert shown(phone) == ["0", *held]
        sieve = f'\n[sieve]\nhost = "127.0.0.1"\nport = {dovecot.sieve_port}\nca_file = "{dovecot.ca_file}"\n'
        gateway.config.write_text(gateway.config.read_text() + sieve)
        gateway.restart()
        assert shown(phone) == ["0", *held]
        assert filtering.answer(user, "ben@example.test") is None
        assert change(phone, state(1), reply(KNOWN, "Back soon")) == "1"
        assert filtering.answer(user, "ben@example.test") == "Inside"
        assert shown(phone) == ["1", held[0], (KNOWN, "1", "Back soon"), held[2]]
