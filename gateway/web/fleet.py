"""What several processes counted that serve as one, shown by whichever of them is asked.

Each writes its values to a file now and then; who is asked adds the others' to its own. The value of a gauge
is that of all together, and times at which counting began are the newest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Fleet", "summed"]

_EVERY = 2.0
"""Seconds from one writing to the next."""


class Fleet:
    """The processes that share a folder, of which this one is called `slot`."""

    def __init__(self, folder: Path, slot: int) -> None:
        self._folder = folder
        self._own = folder / f"{slot}.prom"
        self.leads = slot == 0
        """Whether this one shows what is not of a process, but of the store they have in common."""

    async def publish(self, read: Callable[[], bytes]) -> None:
        """Write what was counted to the folder, again and again."""
        while True:
            part = self._own.with_suffix(".part")
            part.write_bytes(read())
            part.replace(self._own)
            await asyncio.sleep(_EVERY)

    def total(self, own: bytes) -> bytes:
        """What was counted here and by the others."""
        texts = [own]
        for file in self._folder.glob("*.prom"):
            if file != self._own:
                with suppress(FileNotFoundError):
                    texts.append(file.read_bytes())
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
