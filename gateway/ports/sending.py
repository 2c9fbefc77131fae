"""Handing mail over to be delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.ports.pieces import Pieces
from gateway.types import (
    Principal,
)


class Submission(Protocol):
    """Hands mail to the SMTP server."""

    async def submit(
        self, principal: Principal, sender: str, recipients: Sequence[str], message: bytes | Pieces
    ) -> None:
        """Submit one message; one in pieces has CRLF line ends already.

        Raises `SubmissionError`; on return the server has accepted it for every recipient.
        """
        ...
