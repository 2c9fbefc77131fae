"""A fuse shared with a gateway process: it burns at the k-th I/O boundary and ends the process."""

from __future__ import annotations

import mmap
import os
import signal
import struct
import threading
from pathlib import Path

ENVIRONMENT = "CONVERGENCE_FUSE"
_LAYOUT = struct.Struct("<qq32s32s")
"""Boundaries left until it burns (0: not armed), boundaries passed, the name of the one it burnt at, and the
name of those that count ("": all)."""
_LEFT = struct.Struct("<q")


class Fuse:
    """A small file mapped into both processes, so that it is armed without a word to the gateway."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        if create:
            path.write_bytes(bytes(_LAYOUT.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)
        self._lock = threading.Lock()

    def arm(self, boundaries: int, name: str = "") -> None:
        """Have the gateway killed at this boundary, counted from now, or at this one of those of a name."""
        _LAYOUT.pack_into(self._map, 0, boundaries, 0, b"", name.encode())

    def disarm(self) -> None:
        """Have it live on. It may be burning at this moment: look at the process later."""
        _LEFT.pack_into(self._map, 0, 0)

    @property
    def passed(self) -> int:
        """How many boundaries were passed since it was armed."""
        passed: int = _LAYOUT.unpack_from(self._map)[1]
        return passed

    @property
    def burnt_at(self) -> str:
        """Where the gateway was killed; "" when it was not."""
        name: bytes = _LAYOUT.unpack_from(self._map)[2]
        return name.rstrip(b"\0").decode()

    def at(self, boundary: str) -> None:
        """Pass a boundary; called in the gateway, by any of its threads."""
        with self._lock:
            left, passed, _, name = _LAYOUT.unpack_from(self._map)
            reached = boundary.encode()[:32]
            if name.rstrip(b"\0") not in {b"", reached}:
                return
            if left == 1:
                _LAYOUT.pack_into(self._map, 0, 0, passed + 1, reached, name)
                os.kill(os.getpid(), signal.SIGKILL)
            _LAYOUT.pack_into(self._map, 0, max(left - 1, 0), passed + 1, b"", name)
