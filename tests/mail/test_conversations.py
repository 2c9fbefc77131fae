"""Conversations from header fields."""

from __future__ import annotations

import base64
import time

import pytest

from gateway.mail.conversations import conversation, message_ids, topic
from gateway.mail.headers import Headers

GUID = bytes(range(16))
THREAD_INDEX = b"\x01\x02\x03\x04\x05\x06" + GUID + b"reply" + b"again"


def of(fields: str, otherwise: bytes = b"x") -> tuple[bytes, bytes]:
    found = conversation(Headers(fields.encode()), otherwise)
    return found.id, found.index


def test_the_first_reference_names_the_conversation() -> None:
    root, _ = of("Message-ID: <1@x>\r\n")
    assert of("Message-ID: <3@x>\r\nReferences: <1@x> <2@x>\r\n")[0] == root
    assert of("Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n")[0] == root
    assert of("Message-ID: <2@x>\r\nIn-Reply-To: Your mail of today <1@x>\r\n")[0] == root
    assert of("Message-ID: <2@x>\r\n")[0] != root
    assert len(root) == 16


def test_outlook_and_others_share_a_conversation_by_references() -> None:
    outlook = base64.b64encode(THREAD_INDEX).decode()
    assert of(f"References: <1@x>\r\nThread-Index: {outlook}\r\n")[0] == of("Message-ID: <1@x>\r\n")[0]


def test_a_thread_index_serves_where_there_are_no_identifiers() -> None:
    outlook = base64.b64encode(THREAD_INDEX + b"cut").decode()
    assert of(f"Thread-Index: {outlook}\r\n") == (GUID, b"\x02\x03\x04\x05\x06replyagain")


@pytest.mark.parametrize("value", ["", "AAAA", "not base64!", "ä"])
def test_a_broken_thread_index_makes_a_loner(value: str) -> None:
    assert of(f"Thread-Index: {value}\r\n", b"me") == of("", b"me")
    assert of("", b"me") != of("", b"you")


def test_a_message_that_names_itself_is_counted_once() -> None:
    assert of("Message-ID: <2@x>\r\nReferences: <1@x> <2@x>\r\n") == of(
        "Message-ID: <2@x>\r\nReferences: <1@x>\r\n"
    )


def test_long_threads_have_a_bounded_index() -> None:
    references = " ".join(f"<{number}@x>" for number in range(1000))
    assert len(of(f"Message-ID: <new@x>\r\nReferences: {references}\r\n")[1]) == 200


def test_an_index_has_the_form_of_times() -> None:
    chain = [f"<{number}@x>" for number in range(45)]
    seen: dict[str, bytes] = {}
    for at, own in enumerate(chain):
        references = f"References: {' '.join(chain[:at])}\r\n" if at else ""
        index = seen[own] = of(f"Message-ID: {own}\r\n{references}")[1]
        if at and len(index) > len(seen[chain[at - 1]]):
            assert index[:-5] == seen[chain[at - 1]]
        # Bits 55 to 16 of a FILETIME, whose topmost are 0x01.
        began = int.from_bytes(b"\x01" + index[:5] + b"\0\0", "big") / 10_000_000
        assert 2009 < 1601 + began / 86_400 / 365.2425 < 2026
        levels = [int.from_bytes(index[here : here + 5], "big") for here in range(5, len(index), 5)]
        assert all(level < 1 << 39 for level in levels)  # delta code 0
        times = [level >> 8 for level in levels]
        assert times == sorted(times)
    assert len({index[:5] for index in seen.values()}) == 1
    answers = {of(f"Message-ID: <{number}@y>\r\nReferences: <1@x>\r\n")[1] for number in range(1000)}
    assert len(answers) == 1000
    assert len({of(f"Message-ID: <{number}@y>\r\n")[1] for number in range(10_000)}) == 10_000


def test_message_ids() -> None:
    assert message_ids(b"<a@b><c@d>\r\n <e f> g@h") == [b"a@b", b"c@d"]
    assert message_ids(None) == []


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Plan", "Plan"),
        ("Re: Plan", "Plan"),
        ("RE: AW: Fwd: Plan", "Plan"),
        ("Re[2]: Plan", "Plan"),
        ("回复：计划", "计划"),
        ("Re:Re:", ""),
        ("Report: Re: x", "Report: Re: x"),
    ],
)
def test_topic(subject: str, shown: str) -> None:
    assert topic(subject) == shown


def test_a_subject_of_nothing_but_marks_takes_linear_time() -> None:
    started = time.process_time()
    assert topic("Re: AW[2]: " * 300_000 + "lunch") == "lunch"
    assert time.process_time() - started < 2
