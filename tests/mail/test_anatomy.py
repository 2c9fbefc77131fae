"""The structure of a message at hand is what an IMAP server would tell, and its parts are where they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.anatomy import Anatomy, take_apart
from gateway.types import BodyPart
from tests.mail.corpus import SAMPLES, Sample
from tests.support.mailboxes import structure_of


def anatomy(raw: bytes) -> Anatomy:
    header, blank, _ = raw.partition(b"\r\n\r\n")
    return take_apart(raw, header, len(header + blank))


def outline(part: BodyPart) -> object:
    """What both must agree on."""
    inner = [] if part.type == "message" else [outline(child) for child in part.children]
    told = (part.section, part.content_type, part.encoding, part.disposition, part.content_id)
    return (*told, dict(part.params), dict(part.disposition_params), *inner)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_parts_are_where_they_are(sample: Sample) -> None:
    found = anatomy(sample.raw)
    for part in _leaves(found.root):
        span = found.spans[part.section]
        assert 0 <= span.start <= span.body <= span.end <= len(sample.raw)
        assert part.size == span.end - span.body


@given(st.binary(max_size=300))
def test_anything_has_a_structure(junk: bytes) -> None:
    raw = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + junk.replace(b"|", b"\r\n--b\r\n")
    found = anatomy(raw)
    assert found.root.section in found.spans


NESTED = (
    b'Content-Type: multipart/mixed; boundary="b b"\r\n\r\npreamble\r\n--b b\r\n'
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b \r\n"
    b"Content-Type: TEXT/HTML; charset=\"utf-8\"; x*0*=utf-8''%41\r\n"
    b"Content-Transfer-Encoding: BASE64\r\n\r\n"
    b"aaaa\r\n--bc\r\n--b--\r\nepilogue\r\n--b b\r\nContent-Type: image/png\r\nContent-ID: <a>\r\n"
    b'Content-Disposition: Inline; filename="a;b.png"\r\n\r\nx\r\n\r\n--b b--\r\n--b b\r\n\r\nbehind'
)


def test_nested_multiparts() -> None:
    found = anatomy(NESTED)
    pieces = {name: NESTED[span.body : span.end] for name, span in found.spans.items() if name}
    assert pieces["1.1"] == b"plain"
    assert pieces["1.2"] == b"aaaa\r\n--bc"
    assert pieces["2"] == b"x\r\n"
    assert outline(found.root) == outline(structure_of(NESTED)[0])


def test_a_last_delimiter_may_be_missing() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo"
    found = anatomy(raw)
    assert [raw[found.spans[name].body : found.spans[name].end] for name in "12"] == [b"one", b"two"]


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\nx",
        b"Content-Type: multipart/mixed\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\nx",
    ],
)
def test_what_has_no_parts_is_text(raw: bytes) -> None:
    found = anatomy(raw)
    assert (found.root.content_type, found.root.section) == ("text/plain", "1")


def test_nesting_is_bounded() -> None:
    body = b"x"
    for level in range(60):
        mark = b"b%d" % level
        body = b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n%b\r\n--%b--" % (
            mark,
            mark,
            body,
            mark,
        )
    depth, part = 0, anatomy(body).root
    while part.children:
        depth, part = depth + 1, part.children[0]
    assert depth == 20


def _leaves(part: BodyPart) -> list[BodyPart]:
    return [leaf for child in part.children for leaf in _leaves(child)] or [part]
