"""Whose turn it is to do what one process of several is to do."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

__all__ = ["Turns"]


class Turns(Protocol):
    """Work that is done now and then, by one of the processes that share a store."""

    def turn(self, job: str, every: timedelta) -> AbstractAsyncContextManager[bool]:
        """Whether to do the job now. It is not done again, by anybody, for so long after its end.

        Where it fails or its process dies, another one may have the turn soon. Raises `GatewayError`.
        """
        ...
