"""Messages in pieces are the same as in one, wherever they are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.entities import Base64Lines
from gateway.mail.fields import crlf
from gateway.mail.pieces import PIECE, Joined, LineEnds, pieces


@given(st.lists(st.text(alphabet="a\r\n", max_size=5)))
def test_line_ends(cuts: list[str]) -> None:
    octets = [cut.encode() for cut in cuts]
    ends = LineEnds()
    made = b"".join([*map(ends.feed, octets), ends.finish()])
    assert made == crlf(b"".join(octets))


@given(st.lists(st.binary(max_size=200)))
def test_lines_of_base64(cuts: list[bytes]) -> None:
    lines = Base64Lines()
    made = b"".join([*map(lines.feed, cuts), lines.finish()])
    whole = Base64Lines()
    assert made == whole.feed(b"".join(cuts)) + whole.finish()
    assert all(len(line) == 76 for line in made.split(b"\r\n")[:-2])


def test_parts_are_joined() -> None:
    large = bytes(range(256)) * 3000
    inner = Joined((b"a", memoryview(large)[1:]))
    outer = Joined((inner, b"", large))
    assert len(outer) == 2 * len(large)
    assert bytes(outer) == b"a" + large[1:] + large
    assert max(map(len, outer)) == PIECE
    assert bytes(outer) == b"".join(pieces(outer))  # and once more
