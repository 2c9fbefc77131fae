"""What happens next is chosen by a random generator in the long runs, and by hypothesis in the tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """A source of choices."""

    def number(self, low: int, high: int) -> int:
        """A number between the two, inclusive."""
        ...

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        ...


class Random:
    """Choices by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def pick(self, options: Sequence[T]) -> T:
        return self._random.choice(options)


class Drawn:
    """Choices by hypothesis."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def number(self, low: int, high: int) -> int:
        return self._data.draw(st.integers(low, high))

    def pick(self, options: Sequence[T]) -> T:
        return self._data.draw(st.sampled_from(options))
