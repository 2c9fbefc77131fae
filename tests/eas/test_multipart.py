"""Parts of a reply: what is in them, in order, and nothing of what was given up."""

from __future__ import annotations

import struct

from gateway.eas import multipart
from gateway.eas.multipart import Parts
from gateway.store.spool import FileSpool


def unpacked(body: bytes) -> list[bytes]:
    (count,) = struct.unpack_from("<I", body)
    places = [struct.unpack_from("<II", body, 4 + 8 * index) for index in range(count)]
    assert places[0][0] == 4 + 8 * count
    assert sum(length for _, length in places) + places[0][0] == len(body)
    return [body[offset : offset + length] for offset, length in places]


async def test_bodies_and_files_in_order() -> None:
    parts = Parts(FileSpool)
    assert parts.add(b"a body") == 1
    await parts.settle()
    await parts.write(b"a fi")
    await parts.write(b"le")
    assert parts.end() == 2
    assert (parts.add(b"x"), parts.add(b"")) == (3, 4)
    await parts.settle()
    assert unpacked(bytes(parts.pack(b"document"))) == [b"document", b"a body", b"a file", b"x", b""]
    assert parts.left == multipart.LARGEST - len(b"a bodya filex")
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
