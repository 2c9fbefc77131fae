"""Outgoing mail: envelope, header repairs, Bcc, and the body left alone."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import Kind, Refused
from gateway.mail.compose import Outgoing, prepare

NOW = datetime(2026, 11, 3, 12, 0, 0, 500000, tzinfo=UTC)
ANNA = "anna@example.com"
ALIAS = "a.miller@example.com"
DAVE = b"To: dave@example.org\r\n"


def made(
    mime: bytes,
    *,
    sender: str = ANNA,
    name: str = "Anna Miller",
    now: datetime = NOW,
    unique: str = "",
) -> Outgoing:
    return prepare(
        mime,
        sender=sender,
        sender_name=name,
        may_send_as=lambda address: address in {sender, ALIAS},
        now=now,
        unique=unique,
    )


def header(message: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def split(message: bytes) -> tuple[bytes, bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    return head + b"\r\n", body


class TestAsItCame:
    """What is complete is not touched."""

    MIME = (
        b"From: Anna <ANNA@example.com>\r\nTo: dave@example.org\r\n"
        b"Subject:  =?utf-8?q?caf=C3=A9?=\r\n folded\r\nX-Raw: caf\xe9\r\n"
        b"Date: Tue, 3 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@phone>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nSch\xc3\xb6ne Gr\xc3\xbc\xc3\x9fe\r\n.\r\n\r\n"
    )

    def test_not_an_octet_changes(self) -> None:
        outgoing = made(self.MIME)
        assert bytes(outgoing.message) == self.MIME
        assert bytes(outgoing.sent_copy) == self.MIME
        assert outgoing.envelope_from == "ANNA@example.com"
        assert outgoing.recipients == ("dave@example.org",)
        assert outgoing.message_id == outgoing.given_message_id == "<1@phone>"
        assert outgoing.digest == hashlib.sha256(self.MIME).hexdigest()

    @pytest.mark.parametrize("line_end", [b"\n", b"\r"])
    def test_only_line_ends_are_made_right(self, line_end: bytes) -> None:
        mime = self.MIME.replace(b"\r\n", line_end)
        outgoing = made(mime)
        assert bytes(outgoing.message) == self.MIME
        assert outgoing.digest == hashlib.sha256(mime).hexdigest()

    def test_mixed_line_ends(self) -> None:
        outgoing = made(DAVE + b"X: y\nZ: z\r\n\r\na\rb\nc\r\nd\n\re")
        assert split(bytes(outgoing.message))[1] == b"a\r\nb\r\nc\r\nd\r\n\r\ne"


class TestAdded:
    """Fields that are missing."""

    def test_the_bare_minimum_is_completed(self) -> None:
        outgoing = made(DAVE + b"\r\nhello\r\n")
        head, body = split(bytes(outgoing.message))
        assert head.split(b"\r\n") == [
            b"To: dave@example.org",
            b'From: "Anna Miller" <anna@example.com>',
            b"Date: Tue, 03 Nov 2026 12:00:00 +0000",
            b"Message-ID: " + outgoing.message_id.encode(),
            b"MIME-Version: 1.0",
            b"",
        ]
        assert body == b"hello\r\n"
        assert re.fullmatch(r"<[0-9a-f]{40}@example\.com>", outgoing.message_id)
        assert outgoing.given_message_id == ""
        assert outgoing.envelope_from == ANNA

    def test_a_repeated_request_gets_the_same_message_id_and_another_one_another(self) -> None:
        mime = DAVE + b"\r\nhello\r\n"
        later = NOW.replace(hour=13)
        ids = [
            made(mime, unique="c1").message_id,
            made(mime, unique="c2").message_id,
            made(mime + b"!", unique="c1").message_id,
            made(mime, unique="c1", sender=ALIAS).message_id,
            made(mime).message_id,
            made(mime, now=later).message_id,
        ]
        assert len(set(ids)) == len(ids)
        assert made(mime, unique="c1", now=later).message_id == ids[0]

    def test_empty_and_repeated_fields_are_put_right(self) -> None:
        mime = (
            b"Message-ID:\r\nFrom: \r\nDate: \r\n \r\nFrom: anna@example.com\r\nFrom: b@example.com\r\n"
            + DAVE
        )
        parsed = header(bytes(made(mime + b"\r\n").message))
        for name in ("From", "Date", "Message-ID", "MIME-Version"):
            assert len(parsed.get_all(name, [])) == 1
        assert parsed["From"] == "anna@example.com"

    def test_a_message_without_a_body(self) -> None:
        for mime in (DAVE, DAVE.rstrip(), DAVE + b"\r\n"):
            assert split(bytes(made(mime).message))[1] == b""


class TestAuthor:
    """From and Sender."""

    @pytest.mark.parametrize(
        ("given_from", "expected"),
        [
            (b"boss@example.com", '"Anna Miller" <anna@example.com>'),
            (b"The Boss <boss@example.com>", '"The Boss" <anna@example.com>'),
            (b'"O\\"Neil" <x@y>', '"O\\"Neil" <anna@example.com>'),
            (b"=?utf-8?q?J=C3=BCrgen?= <x@y>", "=?utf-8?q?J=C3=BCrgen?= <anna@example.com>"),
            (b"Anna <anna@example.com>, Boss <boss@example.com>", '"Anna" <anna@example.com>'),
            (b"Anna", '"Anna Miller" <anna@example.com>'),
            (b"<>", '"Anna Miller" <anna@example.com>'),
            (b"A.Miller@Example.com", "A.Miller@Example.com"),
            (b"Me <a.miller@example.com>", "Me <a.miller@example.com>"),
            (b"boss@example.com <a.miller@example.com>", '"boss@example.com" <a.miller@example.com>'),
            (b"<a.miller@example.com> <boss@example.com>", "a.miller@example.com"),
        ],
    )
    def test_from_is_an_address_the_user_may_use(self, given_from: bytes, expected: str) -> None:
        outgoing = made(b"From: " + given_from + b"\r\n" + DAVE + b"\r\nx")
        (line,) = [line for line in bytes(outgoing.message).split(b"\r\n") if line.startswith(b"From:")]
        assert line.decode() == f"From: {expected}"
        assert outgoing.envelope_from in expected

    def test_the_place_of_from_is_kept(self) -> None:
        outgoing = made(b"Subject: s\r\nFROM: boss@x.example\r\n" + DAVE + b"\r\n")
        expected = b'Subject: s\r\nFrom: "Anna Miller" <anna@example.com>\r\nTo: '
        assert bytes(outgoing.message).startswith(expected)

    @pytest.mark.parametrize(
        ("given_sender", "kept"),
        [(b"boss@example.com", False), (b"A <A.Miller@example.com>", True), (b"", False)],
    )
    def test_a_sender_must_be_allowed_too(self, given_sender: bytes, kept: bool) -> None:
        outgoing = made(b"From: anna@example.com\r\nSender: " + given_sender + b"\r\n" + DAVE + b"\r\n")
        assert (b"Sender:" in bytes(outgoing.message)) is kept

    @pytest.mark.parametrize(
        "name",
        [
            "Anna\r\nBcc: eve@evil.example",
            "Anna\nX: y\r\n\r\nbody",
            "Ännä\r\nBcc: eve@evil.example",
            'Anna" <eve@evil.example>, "x',
            "\x00\x0b\u2028Anna\ud800",
            "漢字" * 500,
            "word " * 500,
        ],
    )
    def test_a_name_injects_nothing(self, name: str) -> None:
        outgoing = made(DAVE + b"\r\nbody", name=name)
        parsed = header(bytes(outgoing.message))
        assert set(parsed.keys()) == {"To", "From", "Date", "Message-ID", "MIME-Version"}
        assert [address.addr_spec for address in parsed["From"].addresses] == [ANNA]
        assert max(len(line) for line in bytes(outgoing.message).split(b"\r\n")) < 100

    def test_an_own_address_that_is_none_is_said(self) -> None:
        with pytest.raises(Refused, match=r"identity\.email") as caught:
            made(DAVE + b"\r\n", sender="anna")
        assert caught.value.kind is Kind.SUBMISSION_FAILED


class TestRecipients:
    """The envelope."""

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            (b"To: a@x.example, B <b@x.example>", ["a@x.example", "b@x.example"]),
            (
                b"To: a@x.example\r\nCc: b@x.example\r\nBcc: c@x.example",
                ["a@x.example", "b@x.example", "c@x.example"],
            ),
            (b"To: a@x.example; B <b@x.example>;", ["a@x.example", "b@x.example"]),
            (
                b"To: Team: a@x.example, b@x.example;, c@x.example",
                ["a@x.example", "b@x.example", "c@x.example"],
            ),
            (b"To: undisclosed-recipients:;\r\nBcc: c@x.example", ["c@x.example"]),
            (b'To: "Last, First" <a@x.example>', ["a@x.example"]),
            (b"To: =?utf-8?q?=3Ceve=40evil=3E=2C?= <a@x.example>", ["a@x.example"]),
            (b"To:\r\n a@x.example,\r\n\tb@x.example", ["a@x.example", "b@x.example"]),
            (b"To: a@x.example\r\nTo: b@x.example", ["a@x.example", "b@x.example"]),
            (b"To: a@x.example, A@x.example, a@X.EXAMPLE", ["a@x.example", "A@x.example"]),
            (b"TO : a@x.example (home)", ["a@x.example"]),
            ("To: a@bücher.example".encode(), ["a@xn--bcher-kva.example"]),
            ("To: a@straße.example".encode(), ["a@xn--strae-oqa.example"]),
            ("To: jürgen@x.example".encode(), ["jürgen@x.example"]),
            (b'To: "a b"@x.example', ['"a b"@x.example']),
            (
                b"To: root@localhost, a@[192.0.2.1], a@x.example.",
                ["root@localhost", "a@[192.0.2.1]", "a@x.example"],
            ),
            (b"To: a@x.example\r\nResent-To: b@x.example\r\nReply-To: c@x.example", ["a@x.example"]),
        ],
    )
    def test_who_gets_it(self, fields: bytes, expected: list[str]) -> None:
        assert list(made(fields + b"\r\n\r\nx").recipients) == expected

    @pytest.mark.parametrize("fields", [b"Subject: x", b"To:", b"To: ,;", b"Cc: list:;", b"Resent-To: a@b"])
    def test_nobody(self, fields: bytes) -> None:
        with pytest.raises(Refused) as caught:
            made(fields + b"\r\n\r\nx")
        assert caught.value.kind is Kind.NO_RECIPIENT

    @pytest.mark.parametrize(
        "bad",
        [
            b"dave",
            b"Dave <>",
            b"dave@",
            b"@x.example",
            b"dave@x..example",
            b"dave@-x.example",
            b'<da"ve@x.example>',
            b"d" * 400 + b"@x.example",
            "dave@\u2028.example".encode(),
            "dave@\u0301.example".encode(),
        ],
    )
    def test_an_address_nobody_can_deliver_to_stops_the_whole_message(self, bad: bytes) -> None:
        with pytest.raises(Refused) as caught:
            made(b"To: good@x.example, " + bad + b"\r\n\r\nx")
        assert caught.value.kind is Kind.RECIPIENT_UNRESOLVED
        assert "x.example" not in caught.value.detail

    @given(st.binary(max_size=60))
    @example(b"<dave@x.example> SIZE=1 <a>b@c")
    @example(b"da ve@x.example> <y")
    def test_what_is_taken_for_an_address_fits_into_an_smtp_command(self, value: bytes) -> None:
        with suppress(Refused):
            for address in made(b"To: " + value + b"\r\n\r\nx").recipients:
                local, _, domain = address.rpartition("@")
                assert local
                assert re.fullmatch(r"[A-Za-z0-9._-]+|\[[A-Za-z0-9.:]+\]", domain)
                assert not re.search(r"[<>\x00-\x1f\x7f]", address)
                assert " " not in address or local.startswith('"')


class TestBcc:
    """Nobody but the sender sees it."""

    MIME = (
        b"From: anna@example.com\r\nBcc: Secret\r\n <s1@x.example>,\r\n\t s2@x.example\r\n"
        + DAVE
        + b"BCC : s3@x.example\r\n"
        b"bcc:s4@x.example\r\nResent-Bcc: s5@x.example\r\nSubject: x\r\n\r\nBcc: body@x.example\r\n"
    )

    def test_it_goes_to_them_without_naming_them(self) -> None:
        outgoing = made(self.MIME)
        assert set(outgoing.recipients) == {
            "dave@example.org", "s1@x.example", "s2@x.example", "s3@x.example", "s4@x.example",
        }  # fmt: skip
        head, body = split(bytes(outgoing.message))
        assert b"bcc" not in head.lower()
        assert b"Secret" not in head
        assert not re.search(rb"s\d@", head)
        assert body == b"Bcc: body@x.example\r\n"

    def test_the_copy_for_sent_names_them(self) -> None:
        outgoing = made(self.MIME)
        head, body = split(bytes(outgoing.sent_copy))
        assert all(f"s{number}@x.example".encode() in head for number in range(1, 6))
        assert body == b"Bcc: body@x.example\r\n"
        without = b"".join(
            line
            for line in head.splitlines(keepends=True)
            if not re.match(rb"(?i)[ \t]|bcc|resent-bcc", line)
        )
        assert without == split(bytes(outgoing.message))[0]

    def test_blank_continuations_do_not_end_the_header(self) -> None:
        outgoing = made(DAVE + b"X: y\r\n \r\nBcc: s@x.example\r\n\r\nbody")
        assert outgoing.recipients == ("dave@example.org", "s@x.example")
        assert b"s@x" not in bytes(outgoing.message)


class TestBroken:
    """What is no message."""

    @pytest.mark.parametrize(
        "mime",
        [
            b"",
            b"\r\n",
            b"\r\n\r\nTo: a@b\r\n",
            b"hello",
            b" To: a@b\r\n\r\n",
            b"To: a@b\r\nno field here\r\nBcc: c@d\r\n\r\n",
            b"To: a@b\r\nB\xc3\xa4d: x\r\n\r\n",
            b"From anna Tue Nov  3\r\n",
            b"\x00" * 100,
            b"X" * 3_000_000,
            b"X: y\r\n" * 300_000,
        ],
    )
    def test_it_is_refused(self, mime: bytes) -> None:
        with pytest.raises(Refused) as caught:
            made(mime)
        assert caught.value.kind is Kind.INVALID_MIME

    def test_the_line_of_a_mailbox_file_is_dropped(self) -> None:
        assert bytes(made(b"From anna Tue Nov  3\r\n" + DAVE + b"\r\n").message).startswith(b"To:")

    @given(st.binary(max_size=300))
    @example(b"To: a@b\r\nFrom: =?x?b?=?=\r\n\r\n")
    def test_any_octets_give_a_message_or_a_refusal(self, mime: bytes) -> None:
        try:
            outgoing = made(mime)
        except Refused:
            return
        assert outgoing.recipients

    @given(st.binary(max_size=100))
    def test_any_field_value_gives_a_message_or_a_refusal(self, value: bytes) -> None:
        for name in (b"To", b"From", b"Sender", b"Message-ID"):
            try:
                outgoing = made(DAVE + name + b": " + value + b"\r\n\r\nbody")
            except Refused:
                continue
            assert bytes(outgoing.message).endswith(b"body")


def test_lines_too_long_for_smtp_are_folded_and_others_are_not() -> None:
    addresses = ", ".join(f"user{number}@example.org" for number in range(500)).encode()
    outgoing = made(b"To: " + addresses + b"\r\nSubject: " + b"s" * 997 + b"\r\n\r\n")
    assert len(outgoing.recipients) == 500
    lines = bytes(outgoing.message).split(b"\r\n")
    assert max(len(line) for line in lines if not line.startswith(b"Subject")) <= 998
    assert b"To: " + addresses in bytes(outgoing.message).replace(b"\r\n ", b" ")


@pytest.mark.parametrize(
    "message_id", [b"<1@phone>", b"  <1@phone> (comment)", b"\r\n <1@phone>", b"junk <1@phone>"]
)
def test_the_message_id_is_found(message_id: bytes) -> None:
    assert made(DAVE + b"Message-ID:" + message_id + b"\r\n\r\n").message_id == "<1@phone>"


def test_a_message_id_without_brackets_is_told_as_it_is() -> None:
    outgoing = made(DAVE + b"Message-Id: 1@phone\r\n\r\n")
    assert outgoing.message_id == "1@phone"
    assert b"Message-Id: 1@phone\r\n" in bytes(outgoing.message)


LOCAL = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-z0-9]{1,9}){0,2}", fullmatch=True)
DOMAIN = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?(\.[a-z]{2,6}){1,2}", fullmatch=True)
NAME = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30)
ENTRY = st.tuples(NAME, st.builds("{}@{}".format, LOCAL, DOMAIN))
# No other entry has an underscore in its domain.
HIDDEN = st.tuples(NAME.map("Hidden {}".format), st.builds("{}@_hidden.{}".format, LOCAL, DOMAIN))


def written(entries: list[tuple[str, str]], separator: str) -> str:
    def one(name: str, address: str) -> str:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{address}>' if name else address

    return separator.join(one(*entry) for entry in entries)


@given(
    to=st.lists(ENTRY, max_size=5),
    cc=st.lists(ENTRY, max_size=5),
    bcc=st.lists(HIDDEN, min_size=1, max_size=5),
    separator=st.sampled_from([", ", ",", "; ", ",\r\n ", " ,\n\t"]),
    body=st.binary(max_size=200),
)
def test_the_envelope_is_whom_the_phone_named_and_bcc_is_nowhere(
    to: list[tuple[str, str]],
    cc: list[tuple[str, str]],
    bcc: list[tuple[str, str]],
    separator: str,
    body: bytes,
) -> None:
    fields = [("To", to), ("Bcc", bcc), ("Cc", cc)]
    head = "".join(f"{name}: {written(entries, separator)}\r\n" for name, entries in fields if entries)
    outgoing = made(head.encode() + b"Message-ID: <1@p>\r\nFrom: anna@example.com\r\n\r\n" + body)
    assert set(outgoing.recipients) == {address for _, address in [*to, *bcc, *cc]}
    assert len(set(outgoing.recipients)) == len(outgoing.recipients)
    wire, wire_body = split(bytes(outgoing.message))
    assert b"Bcc" not in wire
    assert b"@_hidden." not in wire
    assert b"Hidden" not in wire
    assert wire_body.replace(b"\r\n", b"\n") == body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def test_thirty_megabytes_take_a_moment() -> None:
    for line_end in (b"\r\n", b"\n"):
        body = (b"A" * 76 + line_end) * 400_000
        start = time.process_time()
        outgoing = made(DAVE + b"Bcc: s@x.example\r\n\r\n" + body)
        assert time.process_time() - start < 2
        assert len(outgoing.message) > 30_000_000
        assert bytes(outgoing.message).endswith(b"A" * 76 + b"\r\n")
        assert len(outgoing.sent_copy) == len(outgoing.message) + len(b"Bcc: s@x.example\r\n")


@pytest.mark.parametrize(
    "hostile",
    [
        b"To: " + b" " * 500_000 + b"a@b",
        b"To: " + b'"' * 500_000,
        b"To: " + b"(" * 500_000,
        b"To: " + b"<" * 500_000,
        b"To: " + b"a " * 400_000,
        b"X: " + b"a\t" * 400_000 + b"\r\nTo: a@b",
        b"To: " + b"a@b," * 200_000,
        b"X: y\r\n" * 150_000 + b"To: a@b",
        b"X: y\r\n" + b" \r\n" * 300_000 + b"To: a@b",
        b"From: " + b"=?utf-8?q?a?= " * 60_000 + b"<a@b>\r\nTo: a@b",
    ],
    ids=range(10),
)
def test_hostile_headers_take_linear_time(hostile: bytes) -> None:
    start = time.process_time()
    with suppress(Refused):
        made(hostile + b"\r\n\r\n")
    assert time.process_time() - start < 5
