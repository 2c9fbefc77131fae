"""What a request spends in the store and upstream, measured where somebody wants to know it."""

from __future__ import annotations

import inspect
import time
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

__all__ = ["Part", "Spent", "measured", "measuring"]

T = TypeVar("T")


@dataclass(slots=True)
class Part:
    """Calls of a part, and the seconds until they returned."""

    calls: int = 0
    seconds: float = 0.0


Spent = dict[str, Part]
"""By the name of the part."""
_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


def measuring() -> Spent:
    """Measure from now on what the running task does, and the tasks that it begins."""
    spent: Spent = {}
    _spent.set(spent)
    return spent


def measured(part: T, name: str) -> T:
    """The same part, whose coroutines are measured under that name in tasks of which that is wanted."""
    return cast("T", _Measured(part, name))


class _Measured:
    """Stands for a part; what is no coroutine is passed through."""

    def __init__(self, part: object, name: str) -> None:
        self._part = part
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._part, attribute)
        if inspect.iscoroutinefunction(found):
            found = self._wrapped(found)
            setattr(self, attribute, found)
        return found

    def _wrapped(self, work: Any) -> Any:
        @wraps(work)
        async def call(*args: object, **kwargs: object) -> object:
            spent = _spent.get()
            if spent is None:
                return await work(*args, **kwargs)
            began = time.perf_counter()
            try:
                return await work(*args, **kwargs)
            finally:
                part = spent.setdefault(self._name, Part())
                part.calls += 1
                part.seconds += time.perf_counter() - began

        return call
