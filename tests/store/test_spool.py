"""Room for large messages: what was written is read, as often as wanted, and no file is left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from gateway.errors import Kind, Refused
from gateway.store.spool import IN_MEMORY, FileSpool


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("count", [0, 1, 3, 12])
async def test_it_gives_back_what_it_took(folder: Path, count: int) -> None:
    spool = FileSpool()
    written = [os.urandom(IN_MEMORY // 3) for _ in range(count)]
    for piece in written:
        await spool.write(piece)
    assert len(spool) == sum(map(len, written))
    assert b"".join(spool) == b"".join(spool) == b"".join(written)
    one, other = iter(spool), iter(spool)
    assert list(zip(one, other, strict=True)) == [(piece, piece) for piece in spool]
    assert os.listdir(folder) == []  # even while it is open  # noqa: PTH208
    spool.close()


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY, IN_MEMORY + 7])
async def test_it_forgets_the_end(size: int) -> None:
    spool = FileSpool()
    written = os.urandom(2 * IN_MEMORY)
    await spool.write(written)
    spool.cut(size)
    assert b"".join(spool) == written[:size]
    await spool.write(b"and on")
    assert b"".join(spool) == written[:size] + b"and on"
    assert len(spool) == size + 6
    spool.close()


async def test_a_full_disk_is_a_passing_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    spool = FileSpool()
    monkeypatch.setattr(tempfile, "tempdir", "/dev/full")
    with pytest.raises(Refused, match="no room") as error:
        await spool.write(bytes(2 * IN_MEMORY))
    assert error.value.kind is Kind.SERVER_ERROR_RETRY
    spool.close()
