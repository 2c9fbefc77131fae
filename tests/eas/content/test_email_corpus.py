"""Mail on the wire: every message of the corpus in every form, broken ones, and any at all."""

from __future__ import annotations

import dataclasses
import time
import tracemalloc
import zlib
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.eas.content.email import Rendered, render
from gateway.eas.content.preferences import HTML, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.types import (
    BodyPart,
    MessageData,
    SectionRequest,
)
from tests.eas.content.mailshown import (
    AS_HTML,
    AS_MIME,
    AS_PLAIN,
    COLLECTION,
    EVERYTHING,
    FULL,
    body_data,
    check_form,
    differences,
    rendered,
    value,
)
from tests.mail.corpus import SAMPLES, Sample
from tests.support.mailboxes import MemoryMailboxes
from wbxml import Element
from wbxml.encoder import encode_pieces
from wbxml.pages import AirSync, Email

_SLOWEST = 1.0
"""Seconds of CPU for a message in one form."""
_LARGE = 90_000


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name[:60])
class TestCorpus:
    """Each message of the corpus."""

    async def test_it_is_shown_as_expected(self, sample: Sample) -> None:
        rich = await rendered(sample.raw, BodyOptions((BodyPreference(HTML),)))
        plain = await rendered(sample.raw, AS_PLAIN)
        assert differences(sample, rich, plain) == []

    async def test_every_form_is_well_formed(self, sample: Sample) -> None:
        mailboxes = MemoryMailboxes([sample.raw])
        await mailboxes.fetch("m", 7, [1], None)  # parsed, which is not to be measured
        slowest = 0.0
        for options, version in forms(sample):
            before = time.process_time()
            done = await render(mailboxes.port, "m", 7, [1], options, version, collection=COLLECTION)
            slowest = max(slowest, time.process_time() - before)
            assert done[1].poison is None
            check_form(done[1].elements, options, version)
        assert slowest < _SLOWEST


def forms(sample: Sample) -> Iterable[tuple[BodyOptions, Version]]:
    """Every kind of body, each in one of the versions: which one goes round from sample to sample."""
    turn = zlib.crc32(sample.name.encode())
    versions = list(Version)
    for number, options in enumerate(EVERYTHING):
        yield options, versions[(turn + number) % len(versions)]


def test_the_corpus_has_enough_of_everything() -> None:
    assert len(SAMPLES) >= 500
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if len(one.raw) > _LARGE], ids=lambda one: one.name
)
async def test_large_messages_take_bounded_memory(sample: Sample) -> None:
    mailboxes = MemoryMailboxes([sample.raw])
    await mailboxes.fetch("m", 7, [1], None)
    for options in EVERYTHING:
        tracemalloc.start()
        await render(mailboxes.port, "m", 7, [1], options, Version.V16_1, collection=COLLECTION)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12 * len(sample.raw) + (1 << 20), options


async def test_a_large_message_is_not_copied_for_a_reply() -> None:
    raw = b"Content-Type: text/plain\r\n\r\n" + b"x" * 76 * 100_000
    mailboxes = MemoryMailboxes([raw])
    await mailboxes.fetch("m", 7, [1], None)
    tracemalloc.start()
    done = await render(mailboxes.port, "m", 7, [1], AS_MIME, Version.V16_1, collection=COLLECTION)
    written = encode_pieces(Element(AirSync.ApplicationData, None, done[1].elements))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert raw in written
    assert peak < 1 << 20


class Poisoned(MemoryMailboxes):
    """The second message has something that the renderer cannot cope with."""

    broken: Mapping[str, object] = {}

    async def fetch(self, *arguments: object) -> dict[int, MessageData]:
        found = dict(await super().fetch(*arguments))  # type: ignore[arg-type]
        found[2] = dataclasses.replace(found[2], **self.broken)  # type: ignore[arg-type]
        return found


@pytest.mark.parametrize(
    ("broken", "subject"),
    [
        ({"structure": None}, "Re: AW: Plan"),
        ({"structure": BodyPart("1", "text", "plain", {"charset": 5}, size=5)}, "Re: AW: Plan"),  # type: ignore[dict-item]
        ({"structure": BodyPart("x:y", "image", "png", size=5)}, "Re: AW: Plan"),
        ({"header": None}, "(message could not be shown)"),
    ],
    ids=["structure", "body", "attachment", "header"],
)
async def test_a_poison_message_becomes_a_stub_and_holds_up_nobody(
    broken: dict[str, object], subject: str
) -> None:
    mailboxes = Poisoned([FULL] * 3)
    mailboxes.broken = broken
    done = await render(mailboxes.port, "m", 7, [1, 2, 3], AS_HTML, Version.V16_1, collection=COLLECTION)
    assert [one.poison is None for one in done.values()] == [True, False, True]
    stub: Rendered = done[2]
    assert "Plan" not in (stub.poison or "")
    assert value(stub.elements, Email.Subject) == subject
    assert "could not be converted" in body_data(stub.elements)
    check_form(stub.elements, BodyOptions(), Version.V16_1)


async def test_a_message_without_a_body_whose_header_breaks_too_says_both() -> None:
    class Unread(Poisoned):
        async def fetch_sections(self, *_: object) -> dict[SectionRequest, bytes]:
            return {}

    mailboxes = Unread([FULL] * 2)
    mailboxes.broken = {"header": "no octets"}
    done = await render(mailboxes.port, "m", 7, [1, 2], AS_HTML, Version.V16_1, collection=COLLECTION)
    alone, both = done[1].poison, done[2].poison
    assert done[2].unread
    assert alone
    assert both
    assert both.startswith(f"{alone}; ")
    assert "Error in " in both.removeprefix(alone)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.sampled_from(
        ["text/plain", "text/html; charset=utf-7", "multipart/mixed; boundary=b", "message/rfc822"]
    ),
    st.sampled_from(["7bit", "base64", "quoted-printable", "x-uuencode"]),
    st.binary(max_size=300),
    st.sampled_from(EVERYTHING),
)
async def test_arbitrary_messages_are_rendered(
    fields: bytes, content_type: str, encoding: str, content: bytes, options: BodyOptions
) -> None:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n".encode()
    raw = head + b"Subject: " + fields + b"\r\nTo: " + fields + b"\r\n\r\n" + content
    got = await rendered(raw, options)
    check_form(got, options, Version.V16_1)
