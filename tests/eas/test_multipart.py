"""Parts of a reply: what is in them, in order, and nothing of what was given up."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator

import pytest

from gateway.eas import multipart
from gateway.eas.multipart import Parts
from gateway.errors import Kind, NotFound, Refused
from gateway.store.spool import FileSpool


def unpacked(body: bytes) -> list[bytes]:
    (count,) = struct.unpack_from("<I", body)
    places = [struct.unpack_from("<II", body, 4 + 8 * index) for index in range(count)]
    assert places[0][0] == 4 + 8 * count
    assert sum(length for _, length in places) + places[0][0] == len(body)
    return [body[offset : offset + length] for offset, length in places]


async def message(limit: int | None) -> AsyncIterator[bytes]:
    yield b"a mes"
    yield b"sage"[: None if limit is None else limit - 5]


async def broken_off(_: int | None) -> AsyncIterator[bytes]:
    yield b"half a mess"
    raise NotFound("gone")


async def test_bodies_and_files_in_order() -> None:
    parts = Parts(FileSpool)
    assert parts.add(b"a body") == 1
    await parts.settle(message)
    await parts.write(b"a fi")
    await parts.write(b"le")
    assert parts.end() == 2
    assert (parts.add(b"x"), parts.whole(None), parts.add(b""), parts.whole(6)) == (3, 4, 5, 6)
    await parts.settle(message)
    assert unpacked(bytes(parts.pack(b"document"))) == [
        b"document",
        b"a body",
        b"a file",
        b"x",
        b"a message",
        b"",
        b"a mess",
    ]
    assert parts.left == multipart.LARGEST - len(b"a bodya filexa messagea mess")
    parts.close()


async def test_a_message_that_could_not_be_read_to_its_end_leaves_nothing() -> None:
    parts = Parts(FileSpool)
    parts.add(b"first")
    await parts.settle(message)
    assert (parts.add(b"second"), parts.whole(None)) == (2, 3)
    with pytest.raises(NotFound):
        await parts.settle(broken_off)
    assert parts.add(b"again") == 2
    await parts.settle(message)
    assert unpacked(bytes(parts.pack(b"d"))) == [b"d", b"first", b"again"]
    parts.close()


async def test_what_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "LARGEST", 8)
    parts = Parts(FileSpool)
    parts.whole(None)
    with pytest.raises(Refused) as refused:
        await parts.settle(message)
    assert refused.value.kind is Kind.TOO_LARGE
    assert parts.left == 8
    parts.close()


async def test_a_file_that_could_not_be_read_to_its_end_leaves_nothing() -> None:
    parts = Parts(FileSpool)
    await parts.write(b"whole")
    parts.end()
    await parts.write(b"half a fi")
    parts.undo()
    await parts.write(b"next")
    assert parts.end() == 2
    assert unpacked(bytes(parts.pack(b"d"))) == [b"d", b"whole", b"next"]
    parts.close()
