"""Messages of an LDAP server, each read whole off a socket, in linear time and within bounds (RFC 4511 5.1).

ldap3 reads by itself 4 KiB at a time and copies all it has so far: a photo of 5 MB takes it two seconds, and
a message that never ends all the memory there is.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

__all__ = ["MessageReader"]

_MOST = 64 * 1024 * 1024
"""Octets of the answer to one request."""
_PIECE = 64 * 1024
"""Octets that room is made for at a time: a length is easily said."""
_LONGEST_LENGTH = 4


@dataclass(slots=True)
class MessageReader:
    """Reads what answers a request, up to `left` octets."""

    left: int = _MOST

    def begin(self) -> None:
        """What comes from now on answers another request."""
        self.left = _MOST

    def read(self, opened: socket.socket) -> bytes:
        """The next message, b"" where the server hung up before its end. Raises OSError."""
        head = self._octets(opened, 2)
        if len(head) < 2:
            return b""
        length = head[1]
        if length >= 0x80:
            count = length - 0x80
            if not 0 < count <= _LONGEST_LENGTH:
                raise OSError("a message of no length")
            written = self._octets(opened, count)
            if len(written) < count:
                return b""
            head += written
            length = int.from_bytes(written, "big")
        rest = self._octets(opened, length)
        return bytes(head + rest) if len(rest) == length else b""

    def _octets(self, opened: socket.socket, count: int) -> bytearray:
        """So many octets; fewer where no more come."""
        self.left -= count
        if self.left < 0:
            raise OSError(f"an answer of more than {_MOST} octets")
        found = bytearray()
        while len(found) < count:
            piece = opened.recv(min(count - len(found), _PIECE))
            if not piece:
                break
            found += piece
        return found
