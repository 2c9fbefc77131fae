"""Several directories as one: those who are in more than one of them are one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.pim.people import merged
from gateway.ports import Directory
from gateway.ports.directory import Details, Entry, Found, Members, Viewer

__all__ = ["MOST", "MergedDirectories", "all_answers"]

MOST = 1000
"""Entries of each directory that a search goes through."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class MergedDirectories:
    """Implements `Directory` and `Details`; of what several know of somebody, the first counts.

    When one of them cannot be asked, none is believed: that it knows nobody would be wrong.
    """

    sources: Sequence[Directory]

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        if len(self.sources) == 1:
            return await self.sources[0].search(viewer, text, first, count)
        found = await all_answers(source.search(viewer, text, 0, MOST) for source in self.sources)
        return await self._part(viewer, found, first, count)

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        if len(self.sources) == 1:
            return await self.sources[0].named(viewer, text, count)
        found = await all_answers(source.named(viewer, text, MOST) for source in self.sources)
        return await self._part(viewer, found, 0, count)

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        found = await all_answers(source.entries(viewer, addresses) for source in self._details)
        return merged(found)

    async def pictures(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, bytes]:
        found = await all_answers(source.pictures(viewer, addresses) for source in self._details)
        return {address: picture for one in reversed(found) for address, picture in one.items()}

    async def certificates(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, Sequence[bytes]]:
        found = await all_answers(source.certificates(viewer, addresses) for source in self._details)
        together: dict[str, dict[bytes, None]] = {}
        for one in found:
            for address, certificates in one.items():
                together.setdefault(address, {}).update(dict.fromkeys(certificates))
        return {address: tuple(certificates) for address, certificates in together.items()}

    async def members(self, viewer: Viewer, address: str, most: int) -> Members | None:
        found = await all_answers(source.members(viewer, address, most) for source in self._details)
        groups = [one for one in found if one is not None]
        if not groups:
            return None
        entries: list[Entry] = merged(group.entries for group in groups)
        return Members(tuple(entries[:most]), len(entries) <= most and all(one.complete for one in groups))

    async def _part(self, viewer: Viewer, found: Sequence[Found], first: int, count: int) -> Found:
        """A part of what all have found, with what each knows of the same people."""
        everybody = merged(one.entries for one in found)
        part = everybody[first : first + count]
        wanted = {address for entry in part for address in entry.addresses}
        more = await all_answers(_entries(source, viewer, wanted) for source in self.sources)
        found_of_them = (
            [entry for entry in one.entries if not wanted.isdisjoint(entry.addresses)] for one in found
        )
        whole = merged([*known, *same] for known, same in zip(more, found_of_them, strict=True))
        known = {address: entry for entry in whole for address in entry.addresses}
        unseen = sum(one.total - len(one.entries) for one in found)  # in which of them, nobody knows
        total = len(everybody) + unseen
        return Found(tuple(dict.fromkeys(known[entry.address.lower()] for entry in part)), total)

    @property
    def _details(self) -> list[Details]:
        return [source for source in self.sources if isinstance(source, Details)]


async def _entries(source: Directory, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
    return await source.entries(viewer, addresses) if addresses and isinstance(source, Details) else ()


async def all_answers(questions: Iterable[Coroutine[Any, Any, _Answer]]) -> list[_Answer]:
    """The answers in order; with the first failure the other questions end."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(question) for question in questions]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
