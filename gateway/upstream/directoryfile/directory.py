"""The directory file as a `Directory`: read when the gateway starts and whenever it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.errors import ConfigError
from gateway.groups import group_name
from gateway.pim.people import PeopleList, expanded
from gateway.ports.directory import LARGEST_PICTURE, Entry, Found, Members, Viewer
from gateway.upstream.directoryfile.reading import Record, read_records

__all__ = ["FileDirectory"]

_LOOK = 5.0
"""Seconds from one look for changes to the next."""
_LARGEST_CERTIFICATE = 100_000

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Content:
    """The file as it was read last."""

    people: PeopleList
    records: Mapping[str, Record]
    """By each address, in lower case."""
    groups: Mapping[str, Sequence[Entry]]
    """The members of each group as the file names them, by each of its addresses."""

    @classmethod
    def of(cls, records: Iterable[Record]) -> _Content:
        records = list(records)
        by_address = {address: record for record in records for address in record.entry.addresses}
        groups: dict[str, Sequence[Entry]] = {}
        for record in records:
            if record.entry.group:
                known = ((member, by_address.get(member)) for member in record.members)
                members = tuple(found.entry if found else Entry(member) for member, found in known)
                groups |= dict.fromkeys(record.entry.addresses, members)
        return cls(PeopleList(record.entry for record in records), by_address, groups)

    @property
    def group_names(self) -> frozenset[str]:
        """What all groups are called."""
        return _names(self.records[address].entry for address in self.groups)

    def groups_of(self, addresses: Iterable[str], alias: str) -> frozenset[str]:
        """What the groups are called that somebody is in, in groups of groups too."""
        known = {address: record for address, record in self.records.items() if not record.entry.group}
        own = set(addresses)
        own |= {
            each
            for address, record in known.items()
            if address in own or (alias and record.entry.alias.lower() == alias)
            for each in record.entry.addresses
        }
        seen: set[str] = set()
        waiting = own
        while waiting := {
            address
            for address, members in self.groups.items()
            if address not in seen and any(not waiting.isdisjoint(one.addresses) for one in members)
        }:
            seen |= waiting
        return _names(self.records[address].entry for address in seen)


class FileDirectory:
    """Implements `Directory`, `Details` and `Belonging`.

    A change that cannot be read is logged, and what was read before stays in force.
    """

    def __init__(self, file: Path) -> None:
        """Read the file. Raises `ConfigError`."""
        self._file = file
        self._stamp = _stamp(file)
        self._content = _Content.of(read_records(file))
        self._looked = 0.0
        self._log = structlog.get_logger("gateway.directory")

    @property
    def group_names(self) -> frozenset[str]:
        """What the groups are called, as `Belonging` tells it."""
        return self._content.group_names

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        return (await self._current()).people.search(text, viewer.domain, first, count)

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        return (await self._current()).people.named(text, viewer.domain, count)

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        return (await self._current()).people.at(addresses, viewer.domain)

    async def pictures(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, bytes]:  # noqa: ARG002
        records = self._records(await self._current(), addresses)
        files = {address: record.photo for address, record in records.items() if record.photo}
        found = await asyncio.to_thread(
            lambda: {address: self._bytes(file, LARGEST_PICTURE) for address, file in files.items()}
        )
        return {address: picture for address, picture in found.items() if picture}

    async def certificates(
        self,
        viewer: Viewer,  # noqa: ARG002
        addresses: Collection[str],
    ) -> Mapping[str, Sequence[bytes]]:
        records = self._records(await self._current(), addresses)
        return await asyncio.to_thread(
            lambda: {
                address: [self._bytes(file, _LARGEST_CERTIFICATE) for file in record.certificates]
                for address, record in records.items()
                if record.certificates
            }
        )

    async def members(self, viewer: Viewer, address: str, most: int) -> Members | None:  # noqa: ARG002
        return expanded((await self._current()).groups.get, address, most)

    async def groups_of(
        self,
        viewer: Viewer,  # noqa: ARG002
        addresses: Collection[str],
        alias: str,
    ) -> frozenset[str]:
        content = await self._current()
        return content.groups_of(addresses, alias.lower())

    async def _current(self) -> _Content:
        """The file, read again if it has changed."""
        now = asyncio.get_running_loop().time()
        if now - self._looked >= _LOOK:
            self._looked = now
            stamp = await asyncio.to_thread(_stamp, self._file)
            if stamp != self._stamp:
                await self._read(stamp)
        return self._content

    async def _read(self, stamp: _Stamp) -> None:
        self._stamp = stamp
        try:
            self._content = await asyncio.to_thread(lambda: _Content.of(read_records(self._file)))
        except ConfigError as error:
            self._log.error(
                "the directory file cannot be read; what it said before counts", reason=str(error)
            )
        else:
            self._log.info("the directory file was read again", people=len(self._content.people.entries))

    @staticmethod
    def _records(content: _Content, addresses: Collection[str]) -> dict[str, Record]:
        return {address: content.records[address] for address in addresses if address in content.records}

    def _bytes(self, file: Path, most: int) -> bytes:
        """What is in a file, one octet more than `most` at most; nothing when it cannot be read any more."""
        try:
            with file.open("rb") as opened:
                return opened.read(most + 1)
        except OSError as error:
            self._log.warning(
                "a file named in the directory file cannot be read", file=str(file), reason=str(error)
            )
            return b""


def _names(groups: Iterable[Entry]) -> frozenset[str]:
    named = ((entry.name, entry.alias, *entry.addresses) for entry in groups)
    return frozenset(group_name(one) for some in named for one in some if one)


def _stamp(file: Path) -> _Stamp:
    """What changes with a file; zeros when it is not there."""
    try:
        known = file.stat()
    except OSError:
        return 0, 0, 0
    return known.st_mtime_ns, known.st_size, known.st_ino
