"""A process that dies at a step of its work: an exception that nothing in it catches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

__all__ = ["Fuse", "Killed"]

Work = Callable[..., Awaitable[Any]]


class Killed(BaseException):
    """The process ends here."""


class Fuse:
    """Burns down by one before and after each call of what it is put around; `last` is where it killed.

    So the one of length 5 kills before the third call, the one of length 6 after it.
    """

    def __init__(self, length: int) -> None:
        self.left = length
        self.last = ""

    def put(self, patch: pytest.MonkeyPatch, owner: object, *names: str) -> None:
        """Put it around methods of an object, until the patch is undone."""
        for name in names:
            patch.setattr(owner, name, self._around(getattr(owner, name)))

    def _around(self, work: Work) -> Work:
        async def step(*values: Any, **named: Any) -> Any:
            self._burn(work)
            done = await work(*values, **named)
            self._burn(work)
            return done

        return step

    def _burn(self, work: Work) -> None:
        self.left -= 1
        if not self.left:
            self.last = work.__name__
            raise Killed
