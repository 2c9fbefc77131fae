"""Sets of UIDs or message numbers on the wire (RFC 3501 sequence-set): `1:5,7`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pyroaring import BitMap

from gateway.types import Uids

__all__ = ["MAX_NUMBER", "format_set", "parse_ranges", "parse_set", "runs", "split_set"]

MAX_NUMBER = 2**32 - 1

_SET = re.compile(r"[0-9]{1,10}(?::[0-9]{1,10})?(?:,[0-9]{1,10}(?::[0-9]{1,10})?)*+")


def parse_ranges(text: str) -> tuple[range, ...]:
    """The runs of a set, each ascending (`5:3` means `3:5`), in the order written. Raises ValueError."""
    if not _SET.fullmatch(text):
        raise ValueError("not a set of numbers")
    ranges = []
    for item in text.split(","):
        first, colon, last = item.partition(":")
        one = int(first)
        other = int(last) if colon else one
        low, high = (one, other) if one <= other else (other, one)
        if not 1 <= low <= high <= MAX_NUMBER:
            raise ValueError("a number of a set is out of range")
        ranges.append(range(low, high + 1))
    return tuple(ranges)


def parse_set(text: str) -> Uids:
    """A set without `*` as numbers. Raises ValueError.

    The cost follows the length of the text, however large the runs.
    """
    numbers = BitMap()
    reached = 0
    # Merged first: overlapping runs of a hostile server would be added again and again.
    for run in sorted(parse_ranges(text), key=lambda run: run.start):
        if run.stop > reached:
            numbers.add_range(max(run.start, reached), run.stop)
            reached = run.stop
    return Uids(numbers)


def runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The maximal runs (first, last) of a set, ascending."""
    if isinstance(numbers, range) and numbers.step == 1:
        return iter([(numbers[0], numbers[-1])] if numbers else [])
    whole = numbers if isinstance(numbers, Uids) else Uids(numbers)
    # A number is a first when its predecessor is missing, a last when its successor is: no walk over all
    # members.
    return zip(whole - whole.shift(1), whole - whole.shift(-1), strict=True)


def format_set(numbers: Iterable[int]) -> str:
    """A set as text, ascending and compact.

    Raises ValueError when it is empty or holds 0, OverflowError for numbers beyond 32 bits.
    """
    text = ",".join(_items(numbers))
    if not text:
        raise ValueError("an empty set cannot be written")
    return text


def split_set(numbers: Iterable[int], limit: int) -> list[str]:
    """A set as several texts of at most `limit` octets, or one run, each; none for an empty set.

    Raises as `format_set`.
    """
    texts: list[str] = []
    pending: list[str] = []
    size = 0
    for item in _items(numbers):
        if pending and size + len(item) > limit:
            texts.append(",".join(pending))
            pending, size = [], 0
        pending.append(item)
        size += len(item) + 1
    if pending:
        texts.append(",".join(pending))
    return texts


def _items(numbers: Iterable[int]) -> Iterator[str]:
    for first, last in runs(numbers):
        if not first:
            raise ValueError("0 is not a message")
        yield str(first) if first == last else f"{first}:{last}"
