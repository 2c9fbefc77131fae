"""Room for what is too large for memory: a file without a name, gone with the process at the latest."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator

from gateway.errors import GatewayError, Kind, Refused

__all__ = ["FileSpool"]

IN_MEMORY = 1024 * 1024
"""Octets up to which there is no file."""
_PIECE = 256 * 1024


class FileSpool:
    """Implements `ports.Spool` in the system's folder for temporary files (TMPDIR)."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by `close`
        self._size = 0

    def __len__(self) -> int:
        return self._size

    async def write(self, data: bytes) -> None:
        """Append. Raises `Refused` when there is no room."""
        try:
            if self._size + len(data) <= IN_MEMORY:
                self._file.write(data)
            else:
                await asyncio.to_thread(self._file.write, data)
        except OSError as error:
            raise Refused(
                Kind.SERVER_ERROR_RETRY, f"no room for a large message: {error.strerror}"
            ) from error
        self._size += len(data)

    def cut(self, size: int) -> None:
        """Forget all but the first `size` octets."""
        self._file.seek(size)
        self._file.truncate()
        self._size = size

    def __iter__(self) -> Iterator[bytes]:
        """The pieces. They were written a moment ago, so reading them keeps nobody waiting."""
        position = 0
        while position < self._size:
            self._file.seek(position)
            piece = self._file.read(min(_PIECE, self._size - position))
            if not piece:
                raise GatewayError("the spool file was cut off")
            position += len(piece)
            yield piece

    def close(self) -> None:
        """Give the room back."""
        self._file.close()
