"""Raw header fields and line ends."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.mail import fields
from gateway.mail.fields import crlf


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1024])
@given(message=st.text(alphabet="a\r\n", max_size=40).map(str.encode))
@example(message=b"\r\n\r\n")
@example(message=b"a\r\r\n\n\r")
def test_every_line_end_becomes_crlf_wherever_the_pieces_end(piece: int, message: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "_PIECE", piece)
        expected = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        assert crlf(message) == expected
        assert crlf(expected) is expected


def test_a_large_message_lets_other_threads_run() -> None:
    message = b"a\n" * 15_000_000
    work = threading.Thread(target=crlf, args=(message,))
    turns = 0
    work.start()
    while work.is_alive():
        time.sleep(0.001)
        turns += 1
    assert turns > 15  # a hundred at rest; fewer than ten when all is replaced in one go
