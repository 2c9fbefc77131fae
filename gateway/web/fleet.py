"""What several processes counted that serve as one, shown by whichever of them is asked.

Each writes its values to a file now and then; who is asked adds the others' to its own. The value of a gauge
is that of all together, and times at which counting began are the newest. What a process counted that ended
still counts, and the one that follows it goes on from there: a sum that fell would be taken for one that
began anew. Its gauges do not count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import structlog
from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Fleet", "summed"]

_EVERY = 2.0
"""Seconds from one writing to the next."""
_LATE = 10.0
"""Seconds after which a process that wrote nothing is not there."""


class Fleet:
    """The `size` processes that share a folder, of which this one is called `slot`."""

    def __init__(self, folder: Path, slot: int, size: int) -> None:
        self.size = size
        self._folder = folder
        self._own = folder / f"{slot}.prom"
        self._former = [_counts(self._own.read_bytes())] if self._own.exists() else []
        """What earlier processes counted that were called so."""
        self.leads = slot == 0
        """Whether this one shows what is not of a process, but of the store they have in common."""

    async def publish(self, read: Callable[[], bytes]) -> None:
        """Write what was counted to the folder, again and again."""
        part = self._own.with_suffix(".part")
        while True:
            try:
                part.write_bytes(summed([read(), *self._former]))
                part.replace(self._own)
            except (
                OSError
            ) as error:  # the disk is full, as a rule: what was written before gets old meanwhile
                structlog.get_logger("gateway.app").warning("cannot share counts", reason=str(error))
            await asyncio.sleep(_EVERY)

    def total(self, own: bytes) -> bytes:
        """What was counted here and by the others."""
        texts, now = [own, *self._former], time.time()
        for file in self._folder.glob("*.prom"):
            if file != self._own:
                with suppress(FileNotFoundError):
                    text = file.read_bytes()
                    texts.append(text if now - file.stat().st_mtime < _LATE else _counts(text))
        return summed(texts)


def summed(texts: Iterable[bytes]) -> bytes:
    """The values of several pages of metrics, added up."""
    families: dict[str, Metric] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for text in texts:
        for family in text_string_to_metric_families(text.decode()):
            families.setdefault(family.name, family)
            known = values.setdefault(family.name, {})
            for sample in family.samples:
                key = sample.name, tuple(sample.labels.items())
                before = known.get(key, 0.0)
                newest = sample.name.endswith("_created")
                known[key] = max(before, sample.value) if newest else before + sample.value
    return generate_latest(_Page(families, values))


def _counts(text: bytes) -> bytes:
    """A page of metrics without the gauges."""
    families = [one for one in text_string_to_metric_families(text.decode()) if one.type != "gauge"]
    return generate_latest(_Found(families))


class _Found:
    """Metrics that were read, as a registry shows them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class _Page:
    """Values as a registry shows them."""

    def __init__(
        self,
        families: Mapping[str, Metric],
        values: Mapping[str, Mapping[tuple[str, tuple[tuple[str, str], ...]], float]],
    ) -> None:
        self._families = families
        self._values = values

    def collect(self) -> Iterator[Metric]:
        for name, family in self._families.items():
            shown = Metric(name, family.documentation, family.type)
            for (sample, labels), value in self._values[name].items():
                shown.add_sample(sample, dict(labels), value)
            yield shown
