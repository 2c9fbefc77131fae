"""Sync of drafts in 16.0 and 16.1: made, edited, sent, told to other devices (MS-ASCMD 2.2.3.7.2)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.blackbox.drafting import (
    add,
    answer,
    attachments,
    begun,
    body,
    change,
    fetched,
    file,
    gone,
    made,
    names_of,
    one_stored,
    references_of,
    shown,
    stored,
    subject,
    text_of,
    to,
)
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, Served, body_preference, commands, delete, options, statuses
from tests.support.smtp_sink import SmtpSink
from wbxml import element
from wbxml.pages import AirSync, AirSyncBase, Email, Email2, Move


@pytest.fixture(scope="module", params=["full 16.0", "full 16.1", "bare 16.1"])
def setting(request: pytest.FixtureRequest) -> tuple[Dovecot, str]:
    """A mail server, and the version the phone speaks."""
    profile, version = request.param.split()
    found = request.getfixturevalue("dovecot" if profile == "full" else "dovecot_bare")
    assert isinstance(found, Dovecot)
    return found, version


@pytest.fixture(scope="module")
def server(setting: tuple[Dovecot, str]) -> Dovecot:
    return setting[0]


@pytest.fixture(scope="module")
def gateway(server: Dovecot, shared_sink: SmtpSink) -> Iterator[Gateway]:
    with Gateway(server, shared_sink) as running:
        yield running


@pytest.fixture
def phone(gateway: Gateway, setting: tuple[Dovecot, str], user: str) -> Phone:
    server, version = setting
    return Phone(gateway.host, gateway.port, user, server.password, version=version)


@pytest.fixture
def other(gateway: Gateway, server: Dovecot, user: str) -> Phone:
    return Phone(gateway.host, gateway.port, user, server.password, device="PHONE2")


def foreign(server: Dovecot, user: str) -> None:
    """A draft that another mail program left."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "ann@example.test"
    message["To"] = "bob@example.test"
    message["Subject"] = "foreign"
    message["Message-ID"] = "<foreign@example.test>"
    message["In-Reply-To"] = "<parent@example.test>"
    message["X-Strange"] = "kept"
    message.set_content("old text\n")
    message.add_alternative("<p>old text</p>", subtype="html")
    message.add_attachment(b"one" * 100, maintype="application", subtype="x-one", filename="one.bin")
    message.add_attachment("two", filename="two.txt")
    with server.imap(user) as imap:
        imap.create("Drafts")
        imap.append("Drafts", "(\\Draft \\Seen)", None, message.as_bytes())


def test_a_draft_is_stored_and_not_told_back(phone: Phone, other: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    begun(other)
    served = phone.sync(
        folder,
        commands(
            add(
                "d1",
                to('"Bob" <bob@example.test>'),
                element(Email.Cc, "carl@example.test"),
                element(Email2.Bcc, "eve@example.test"),
                element(Email.ReplyTo, "ann@home.test"),
                subject("Grüße"),
                element(Email.Importance, 2),
                body("Täxt\nzwei"),
                attachments(file("a1", bytes(range(256)), "n.bin")),
            )
        ),
    )
    status, name, references = answer(served)
    assert status == "1"
    assert (served.added, served.changed, served.deleted) == ({}, {}, [])
    data = served.responses[0].find(AirSync.ApplicationData)
    assert data is not None
    assert len(data.find(Email2.ConversationId).data()) == 16  # type: ignore[union-attr]
    assert len(data.find(Email2.ConversationIndex).data()) == 5  # type: ignore[union-attr]
    ((flags, message),) = stored(server, phone.user)
    assert "\\Draft" in flags
    assert "\\Seen" in flags
    assert str(message["To"]) == "Bob <bob@example.test>"
    assert str(message["Bcc"]) == "eve@example.test"
    assert str(message["Subject"]) == "Grüße"
    assert text_of(message) == "Täxt\nzwei"
    assert fetched(phone, references["a1"]) == ("1", bytes(range(256)))
    assert phone.sync(folder).added == {}
    (told,) = other.sync(folder).added.items()
    assert told[0] == name
    assert shown(told[1], Email2.IsDraft) == "1"
    assert shown(told[1], Email2.Bcc) == "eve@example.test"
    assert shown(told[1], Email.ReplyTo) == "ann@home.test"
    assert shown(told[1], Email.Importance) == "2"
    assert shown(told[1], Email.Read) == "1"
    assert references_of(told[1]) == {"n.bin": references["a1"]}
    (before,), (after,) = data.findall(Email2.ConversationId), told[1].findall(Email2.ConversationId)
    assert before.data() == after.data()


def test_an_edited_draft_keeps_its_name_everywhere(phone: Phone, other: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", to("bob@example.test"), subject("one"), body("first"))
    begun(other)
    assert list(other.sync(folder).added) in ([name], [])
    for number in range(3):
        served = phone.sync(folder, commands(change(name, body(f"text {number}"))))
        assert (served.responses, served.changed, served.added, served.deleted) == ([], {}, {}, [])
        message = one_stored(server, phone.user)
        assert (str(message["To"]), str(message["Subject"])) == ("bob@example.test", "one")
        assert text_of(message) == f"text {number}"
        told = other.sync(folder)
        assert (told.added, told.deleted, list(told.changed)) == ({}, [], [name])
        assert shown(told.changed[name], AirSyncBase.Data) == f"text {number}"
    served = other.sync(folder, commands(change(name, subject("two"), to(""))))
    assert (served.responses, served.changed) == ([], {})
    told = phone.sync(folder)
    assert (told.added, told.deleted, list(told.changed)) == ({}, [], [name])
    assert shown(told.changed[name], Email.Subject) == "two"
    assert shown(told.changed[name], Email.To) == ""
    phone.begin(folder)
    assert list(phone.sync(folder).added) == [name]  # after a new beginning too
    assert not phone.sync(folder, commands(delete(name))).responses
    assert other.sync(folder).deleted == [name]
    assert stored(server, phone.user) == []


def test_a_foreign_draft_survives_an_edit(phone: Phone, server: Dovecot) -> None:
    foreign(server, phone.user)
    phone.provision()
    folder = phone.folders()["Drafts"]
    phone.begin(folder, options(body_preference(2)))
    ((name, data),) = phone.sync(folder).added.items()
    before = references_of(data)
    served = phone.sync(
        folder, commands(change(name, body("<p>new</p>", 2), attachments(gone(before["one.bin"]))))
    )
    assert served.responses == []
    message = one_stored(server, phone.user)
    assert str(message["Message-ID"]) == "<foreign@example.test>"
    assert (str(message["In-Reply-To"]), str(message["X-Strange"])) == ("<parent@example.test>", "kept")
    assert text_of(message, "html") == "<p>new</p>"
    assert names_of(message) == ["two.txt"]
    assert fetched(phone, before["two.txt"]) == ("1", b"two\r\n")
    assert fetched(phone, before["one.bin"])[0] == "15"
    # The references the phone knows go on to be good: for an attachment that has moved, and a new one.
    served = phone.sync(folder, commands(change(name, attachments(file("n1", b"new", "new.bin")))))
    status, _, references = answer(served)
    assert status == "1"
    assert set(references) == {"n1"}
    assert not {references["n1"]} & set(before.values())
    served = phone.sync(folder, commands(change(name, attachments(gone(before["two.txt"])))))
    assert served.responses == []
    assert names_of(one_stored(server, phone.user)) == ["new.bin"]
    assert fetched(phone, references["n1"]) == ("1", b"new")
    served = phone.sync(folder, commands(change(name, attachments(gone(references["n1"])))))
    assert names_of(one_stored(server, phone.user)) == []


def test_flags_and_text_change_together(phone: Phone, other: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", subject("one"), element(Email.Read, 0))
    assert "\\Seen" not in stored(server, phone.user)[0][0]
    begun(other)
    flag = element(Email.Flag, element(Email.Status, 2), element(Email.FlagType, "x"))
    assert not phone.sync(
        folder, commands(change(name, subject("two"), element(Email.Read, 1), flag))
    ).responses
    ((flags, message),) = stored(server, phone.user)
    assert "\\Flagged" in flags
    assert "\\Seen" in flags
    assert str(message["Subject"]) == "two"
    assert not phone.sync(folder).changed
    told = other.sync(folder)
    assert shown(told.changed[name], Email.Read) == "1"


def test_a_draft_that_is_sent_leaves(phone: Phone, other: Phone, server: Dovecot, sink: SmtpSink) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", to("bob@example.test"), body("hello"), attachments(file("a", b"x")))
    begun(other)
    other.sync(folder)
    served = phone.sync(
        folder, commands(change(name, element(Email2.Bcc, "eve@example.test"), subject("now"), send=True))
    )
    assert (served.responses, served.deleted) == ([], [name])
    (received,) = sink.received
    assert set(received.rcpt_tos) == {"bob@example.test", "eve@example.test"}
    assert b"eve@" not in received.data
    assert b"X-ActiveSync-Edition" not in received.data
    assert b"Subject: now" in received.data
    assert stored(server, phone.user) == []
    copy = one_stored(server, phone.user, "Sent")
    assert (str(copy["Bcc"]), names_of(copy)) == ("eve@example.test", ["a.bin"])
    assert other.sync(folder).deleted == [name]


def test_send_without_data_and_at_once(phone: Phone, server: Dovecot, sink: SmtpSink) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", to("bob@example.test"), subject("first"), body("hello"))
    served = phone.sync(folder, commands(change(name, send=True)))
    assert (served.responses, served.deleted) == ([], [name])
    served = phone.sync(folder, commands(add("d2", to("bob@example.test"), subject("second"), send=True)))
    assert statuses(served) == [("Add", "d2", "1")]
    assert served.responses[0].find(AirSync.ServerId) is None
    assert served.added == {}
    assert [b"first" in sink.received[0].data, b"second" in sink.received[1].data] == [True, True]
    assert stored(server, phone.user) == []
    assert len(stored(server, phone.user, "Sent")) == 2


def test_a_mime_draft(phone: Phone, server: Dovecot, sink: SmtpSink) -> None:
    folder = begun(phone)
    mime = b"To: bob@example.test\r\nSubject: mime\r\n\r\nfirst\r\n"
    name = made(phone, folder, "d1", to("ignored@example.test"), body(mime, 4), attachments(file("a", b"x")))
    message = one_stored(server, phone.user)
    assert (str(message["To"]), text_of(message)) == ("bob@example.test", "first")
    assert names_of(message) == ["a.bin"]
    served = phone.sync(folder, commands(change(name, body(mime.replace(b"first", b"second"), 4), send=True)))
    assert (served.responses, served.deleted) == ([], [name])
    assert b"second" in sink.received[0].data
    served = phone.sync(folder, commands(add("d2", body(b"no header", 4)), add("d3", subject("good"))))
    assert statuses(served)[0] == ("Add", "d2", "6")
    assert answer(served, 1)[0] == "1"


def test_without_a_good_recipient_nothing_is_sent(phone: Phone, server: Dovecot, sink: SmtpSink) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", to("Bob"), subject("kept"))
    served = phone.sync(
        folder,
        commands(
            change(name, send=True), add("d2", subject("nobody"), send=True), add("d3", subject("more"))
        ),
    )
    assert statuses(served)[:2] == [("Add", "d2", "183"), ("Change", name, "183")] or statuses(served)[
        :2
    ] == [
        ("Change", name, "183"),
        ("Add", "d2", "183"),
    ]
    assert sink.received == []
    assert {str(message["Subject"]) for _, message in stored(server, phone.user)} == {"kept", "more"}


def test_a_text_of_which_the_phone_saw_the_beginning_keeps_its_end(phone: Phone, server: Dovecot) -> None:
    whole = "line ä\n" * 400
    folder = begun(phone)
    phone.sync(folder, options(body_preference(1, 500)))
    name = made(phone, folder, "d1", subject("s"), body(whole))
    phone.begin(folder, options(body_preference(1, 500)))
    ((_, data),) = phone.sync(folder).added.items()
    beginning = shown(data, AirSyncBase.Data)
    assert 400 < len(beginning.encode()) <= 500
    phone.sync(folder, commands(change(name, subject("t"), body(beginning))))
    message = one_stored(server, phone.user)
    assert (str(message["Subject"]), text_of(message) + "\n") == ("t", whole)
    phone.sync(folder, commands(change(name, body("New. " + beginning, truncated=True))))
    assert text_of(one_stored(server, phone.user)) + "\n" == "New. " + whole
    phone.sync(folder, commands(change(name, body("short"))))
    assert text_of(one_stored(server, phone.user)) == "short"


@pytest.mark.parametrize("client_wins", [True, False])
def test_two_phones_edit_and_no_text_is_lost(
    phone: Phone, other: Phone, server: Dovecot, client_wins: bool
) -> None:
    policy = options(element(AirSync.Conflict, 0 if client_wins else 1))
    folder = begun(phone)
    name = made(phone, folder, "d1", to("bob@example.test"), subject("base"), body("base"))
    begun(other)
    other.sync(folder, commands(change(name, body("theirs"))))
    served = phone.sync(folder, policy, commands(change(name, body("mine"))))
    winner, loser = ("mine", "theirs") if client_wins else ("theirs", "mine")
    assert statuses(served) == ([] if client_wins else [("Change", name, "7")])
    messages = {text_of(message): str(message["Message-ID"]) for _, message in stored(server, phone.user)}
    assert set(messages) == {"mine", "theirs"}
    assert len(set(messages.values())) == 2  # else one of them would be taken for a copy of the other
    told = phone.sync(folder)
    added, changed = {**served.added, **told.added}, {**served.changed, **told.changed}
    assert [shown(data, AirSyncBase.Data) for data in added.values()] == [loser]
    assert [shown(data, AirSyncBase.Data) for data in changed.values()] == ([] if client_wins else [winner])
    other.sync(folder)
    other.begin(folder)
    texts = {item: shown(data, AirSyncBase.Data) for item, data in other.sync(folder).added.items()}
    assert texts == {name: winner, next(iter(added)): loser}


def test_an_edit_of_a_draft_that_another_program_replaced_keeps_both(phone: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", to("bob@example.test"), subject("base"), body("base"))
    with server.imap(phone.user) as imap:
        imap.append("Drafts", "(\\Draft)", None, b"Subject: base\r\n\r\ntheirs")
        imap.select("Drafts")
        imap.store("1", "+FLAGS", "(\\Deleted)")
        imap.expunge()
    served = phone.sync(folder, commands(change(name, body("mine"))))
    assert statuses(served) == [("Change", name, "8")]
    assert {text_of(message) for _, message in stored(server, phone.user)} == {"mine", "theirs"}
    told = phone.sync(folder)
    texts = [shown(data, AirSyncBase.Data) for data in (served.added | told.added).values()]
    assert sorted(texts) == ["mine", "theirs"]
    assert phone.sync(folder, commands(change(name, subject("late")))).responses[0].child_text(
        AirSync.Status
    ) == ("8")
    assert len(stored(server, phone.user)) == 2
    phone.sync(folder, commands(change(name, attachments(file("a", b"x")))))
    assert sorted(names_of(message) for _, message in stored(server, phone.user)) == [[], [], ["a.bin"]]


def test_an_edited_draft_that_another_program_changes_is_told(
    phone: Phone, other: Phone, server: Dovecot
) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", subject("one"), body("one"))
    phone.sync(folder, commands(change(name, body("two"))))
    begun(other)
    with server.imap(phone.user) as imap:
        imap.select("Drafts")
        imap.store("1", "+FLAGS", "(\\Flagged)")
    told = phone.sync(folder)
    assert list(told.changed) == [name]
    assert list(other.sync(folder).changed) in ([name], [])
    with server.imap(phone.user) as imap:
        imap.select("Drafts")
        imap.store("1", "+FLAGS", "(\\Deleted)")
        imap.expunge()
    assert phone.sync(folder).deleted == [name]


def test_bad_drafts_stand_alone(phone: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d0", subject("zero"))
    good = file("a", b"x")
    bad = [
        add("b1", element(Email.Importance, 7)),
        add("b2", body("rtf", 3)),
        add("b3", attachments(file("a", b"x", method=6))),
        add("b4", attachments(good, good)),
        add("b5", attachments(gone(f"{name}:2"))),
        add("b6", element(Email2.IsDraft, 1)),
        change(name, attachments(gone("nonsense"))),
        change(name, to("x" * 32769)),
    ]
    served = phone.sync(folder, commands(*bad, add("g1", subject("good"))))
    assert [status for *_, status in statuses(served)] == ["6"] * len(bad) + ["1"]
    assert {str(message["Subject"]) for _, message in stored(server, phone.user)} == {"zero", "good"}


def test_client_ids_name_an_add_of_one_request(phone: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    same = add("d1", subject("one"))
    served = phone.sync(folder, commands(same, same, add("d1", subject("other"))))
    assert [status for *_, status in statuses(served)] == ["1", "1", "6"]
    assert answer(served, 0)[1] == answer(served, 1)[1]
    again = phone.sync(folder, commands(add("d1", subject("later"))))
    assert answer(again)[1] != answer(served)[1]
    assert [str(message["Subject"]) for _, message in stored(server, phone.user)] == ["one", "later"]


def test_a_lost_reply_changes_nothing_more(phone: Phone, server: Dovecot, sink: SmtpSink) -> None:
    folder = begun(phone)
    old = made(phone, folder, "d0", to("bob@example.test"), subject("old"), body("old"))
    sent = made(phone, folder, "s0", to("bob@example.test"), subject("sent"), body("sent"))
    request = commands(
        add("d1", subject("new"), attachments(file("a", b"x"))),
        change(old, body("edited"), attachments(file("b", b"y"))),
        change(sent, send=True),
        add("s1", to("bob@example.test"), subject("at once"), send=True),
    )
    key = phone.keys[folder]
    first = phone.sync(folder, request)
    phone.keys[folder] = key
    second = phone.sync(folder, request)
    assert str(first) == str(second)
    assert (first.key, first.deleted) == (second.key, [sent])
    assert list(map(repr, first.responses)) == list(map(repr, second.responses))
    assert len(sink.received) == 2
    assert len(stored(server, phone.user)) == 2
    assert len(stored(server, phone.user, "Sent")) == 2
    assert phone.sync(folder).added == {}


def test_a_draft_written_on_while_the_reply_was_lost_is_one_draft(
    phone: Phone, other: Phone, server: Dovecot
) -> None:
    folder = begun(phone)
    key = phone.keys[folder]
    first = phone.sync(folder, commands(add("d1", subject("one"), body("beginning"))))
    phone.keys[folder] = key
    second = phone.sync(folder, commands(add("d1", subject("one"), body("beginning and end"))))
    assert answer(first)[1] == answer(second)[1]
    assert text_of(one_stored(server, phone.user)) == "beginning and end"
    assert (second.added, second.changed) == ({}, {})
    told = phone.sync(folder)
    assert (told.added, told.changed, told.deleted) == ({}, {}, [])
    begun(other)
    other.begin(folder)
    assert list(other.sync(folder).added) == [answer(first)[1]]


def test_a_draft_sent_while_the_reply_was_lost_is_sent(phone: Phone, server: Dovecot, sink: SmtpSink) -> None:
    folder = begun(phone)
    key = phone.keys[folder]
    phone.sync(folder, commands(add("d1", to("bob@example.test"), subject("one"))))
    phone.keys[folder] = key
    for _ in range(2):
        served = phone.sync(folder, commands(add("d1", to("bob@example.test"), subject("one"), send=True)))
        assert statuses(served) == [("Add", "d1", "1")]
        phone.keys[folder] = key
    assert len(sink.received) == 1
    assert stored(server, phone.user) == []
    assert len(stored(server, phone.user, "Sent")) == 1


def test_edits_of_one_request_are_made_in_order(phone: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", subject("one"))
    edits = [change(name, subject(word)) for word in ("two", "three", "two")]
    assert phone.sync(folder, commands(*edits)).responses == []
    assert str(one_stored(server, phone.user)["Subject"]) == "two"


def test_a_late_copy_of_an_older_text_takes_nothing_away(phone: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    key = phone.keys[folder]
    newer = phone.sync(folder, commands(add("d1", body("<p>beginning and end</p>", 2))))
    phone.keys[folder] = key
    older = phone.sync(folder, commands(add("d1", body("<p>beginning</p>", 2))))
    assert answer(newer)[1] == answer(older)[1]
    texts = [text_of(message, "html") for _, message in stored(server, phone.user)]
    assert sorted(texts) == ["<p>beginning and end</p>", "<p>beginning</p>"]
    told = phone.sync(folder)
    assert list(told.changed) == [answer(newer)[1]]
    assert "and end" in shown(told.changed[answer(newer)[1]], AirSyncBase.Data)
    ((_, data),) = told.added.items()
    assert "and end" not in shown(data, AirSyncBase.Data)
    assert phone.sync(folder).changed == {}


@pytest.mark.parametrize("version", ["12.1", "14.1"])
def test_older_versions_read_drafts(gateway: Gateway, server: Dovecot, user: str, version: str) -> None:
    newer = Phone(gateway.host, gateway.port, user, server.password)
    older = Phone(gateway.host, gateway.port, user, server.password, version=version, device="OLD")
    folder = begun(newer)
    name = made(newer, folder, "d1", subject("one"), body("one"))
    older.provision()
    older.begin(folder)
    assert list(older.sync(folder).added) == [name]
    served = older.sync(
        folder, commands(add("d2", subject("two")), change(name, subject("three"), element(Email.Read, 0)))
    )
    assert statuses(served) == [("Add", "d2", "6")]
    ((flags, message),) = stored(server, user)
    assert "\\Seen" not in flags
    assert str(message["Subject"]) == "one"
    newer.sync(folder, commands(change(name, subject("four"))))
    assert list(older.sync(folder).changed) == [name]
    older.sync(folder, commands(delete(name)))
    assert stored(server, user) == []


def test_drafts_are_made_in_drafts_alone(phone: Phone, server: Dovecot) -> None:
    phone.provision()
    folder = phone.folders()["Inbox"]
    server.deliver(phone.user, b"Subject: mail\r\n\r\ntext\r\n")
    phone.begin(folder)
    ((name, _),) = phone.sync(folder).added.items()
    served = phone.sync(folder, commands(add("d1", subject("x")), change(name, subject("y"), body("z"))))
    assert statuses(served) == [("Add", "d1", "6")]
    assert str(one_stored(server, phone.user, "INBOX")["Subject"]) == "mail"


def test_two_phones_send_one_draft_once(phone: Phone, other: Phone, server: Dovecot, sink: SmtpSink) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", to("bob@example.test"), body("hello"))
    begun(other)
    told: list[Served] = []
    threads = [
        threading.Thread(
            target=lambda one=one: told.append(one.sync(folder, commands(change(name, send=True))))
        )
        for one in (phone, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sink.received) == 1
    assert sorted(statuses(served) for served in told) == [[], [("Change", name, "8")]]
    assert stored(server, phone.user) == []
    assert len(stored(server, phone.user, "Sent")) == 1


def test_a_moved_draft_is_what_it_became(phone: Phone, server: Dovecot) -> None:
    folder = begun(phone)
    name = made(phone, folder, "d1", subject("one"), body("one"))
    phone.sync(folder, commands(change(name, body("two"))))
    inbox = phone.folders()["Inbox"]
    move = element(
        Move.Move, element(Move.SrcMsgId, name), element(Move.SrcFldId, folder), element(Move.DstFldId, inbox)
    )
    phone.post("MoveItems", element(Move.MoveItems, move))
    assert stored(server, phone.user) == []
    assert text_of(one_stored(server, phone.user, "INBOX")) == "two"


def test_a_draft_that_grows_too_large(shared_gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    phone = Phone(shared_gateway.host, shared_gateway.port, user, dovecot.password)
    folder = begun(phone)
    name = made(phone, folder, "d1", subject("one"), attachments(file("a", b"x" * 600_000)))
    served = phone.sync(folder, commands(change(name, attachments(file("b", b"x" * 600_000)))))
    assert statuses(served) == [("Change", name, "122")]
    assert names_of(one_stored(dovecot, user)) == ["a.bin"]
