"""One serving gateway per database: a lock beside the file, which the kernel releases when its holder dies.

What a gateway knows of work under way it keeps in memory: two of them on one file would send mail twice.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.errors import GatewayError
from gateway.store.sqlite.location import create_file

__all__ = ["serving"]

WAIT_SECONDS = 5.0
_PAUSE = 0.1


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[None]:
    """Be the one that serves from the database at the path; waits a moment for another that is just ending.

    Raises `GatewayError`. The file of the lock stays: whoever removed it could lock another one of its name.
    """
    descriptor = await asyncio.to_thread(_open, path)
    try:
        await _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    real = path.resolve()
    beside = real.with_name(real.name + ".lock")
    create_file(beside)
    try:
        return os.open(beside, os.O_RDWR)
    except OSError as error:
        raise GatewayError(f"cannot open {beside}: {error.strerror}") from error


async def _take(descriptor: int, path: Path) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if loop.time() > deadline:
                raise GatewayError(
                    f"database {path}: another gateway is serving from it: stop that one first, or set "
                    "store.url to another file"
                ) from None
            await asyncio.sleep(_PAUSE)
        except OSError as error:
            raise GatewayError(
                f"database {path}: cannot be locked: {error.strerror}: use a local disk"
            ) from error
        else:
            return
