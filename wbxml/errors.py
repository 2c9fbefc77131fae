"""The errors of the codec.

WbxmlError (a ValueError)
├── DecodeError    the bytes are not a document this codec accepts
└── EncodeError    the tree cannot be written, or an XML view cannot be read
"""

from __future__ import annotations

__all__ = ["DecodeError", "EncodeError", "WbxmlError"]


class WbxmlError(ValueError):
    """Base of everything the codec raises on bad input."""


class DecodeError(WbxmlError):
    """The bytes are malformed, cut short, or exceed a limit.

    `offset` is the position in the document, in bytes, where the fault was noticed; `reason` says what it is.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} at byte {self.offset}"


class EncodeError(WbxmlError):
    """The tree holds something that a document cannot carry; the message names the tag."""
