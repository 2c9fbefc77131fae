"""Every test of this folder runs over each kind of directory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.eas.mergeddirectories import MergedDirectories
from gateway.ports import Directory
from gateway.ports.directory import Entry, Viewer
from gateway.store.people import StoredPeople
from gateway.store.postgres import PostgresTransactions, parse_url
from gateway.store.sqlite import Database, SqlitePeople
from gateway.types import Password, UserId
from gateway.upstream.directoryfile import FileDirectory
from gateway.upstream.ldap import LdapDirectory, LdapSettings, Url
from tests.support.slapd import MANAGER, PASSWORD, Slapd
from tests.support.stores import empty

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
ANYBODY = Viewer(UserId("ben"), Password("ben", "secret"))
"""Somebody who is shown all there is."""


def limited(domain: str) -> Viewer:
    """Somebody who is shown those of a mail domain."""
    return Viewer(ANYBODY.user, ANYBODY.credentials, domain)


class Filled(ABC):
    """A directory under test."""

    directory: Directory
    has_inner_words = True
    """Whether people are found by what is between the hyphens of their names, too."""

    @abstractmethod
    async def put(self, entries: Iterable[Entry]) -> None:
        """Put people into it."""

    async def aclose(self) -> None:  # noqa: B027 (most have nothing to do)
        """Be done with it."""


class Users(Filled):
    """The users of the gateway, in one kind of store."""

    def __init__(self, people: StoredPeople) -> None:
        self.directory = self.people = people

    async def put(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            await self.people.note_person(UserId(entry.address.lower()), entry, "rules", NOON)


class UsersInPostgres(Users):
    """The same in PostgreSQL."""

    def __init__(self, database: PostgresTransactions) -> None:
        super().__init__(StoredPeople(database))
        self._database = database

    async def aclose(self) -> None:
        await self._database.aclose()


class InFile(Filled):
    """People in a CSV file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "people.csv"

    async def put(self, entries: Iterable[Entry]) -> None:
        lines = [f"{entry.address};{entry.name}" for entry in entries]
        self._file.write_text("\n".join(["address;name", *lines]))
        self.directory = FileDirectory(self._file)


class InLdap(Filled):
    """People in a branch of their own of an OpenLDAP server."""

    has_inner_words = False

    def __init__(self, slapd: Slapd) -> None:
        self._slapd = slapd
        self._branch = slapd.branch()
        self.directory = self.ldap = LdapDirectory(
            LdapSettings(
                urls=(Url(slapd.host, slapd.port),),
                base=self._branch,
                starttls=False,
                bind_dn=MANAGER,
                password=PASSWORD,
            )
        )

    async def put(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._slapd.add(
                f"uid={entry.address},{self._branch}",
                objectClass="inetOrgPerson",
                cn=entry.name or entry.address,
                sn=entry.name.rpartition(" ")[2] or entry.address,
                mail=entry.address,
            )

    async def aclose(self) -> None:
        await self.ldap.aclose()


class Several(Filled):
    """Everybody is in one of two directories, and some in both."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._parts = (Users(SqlitePeople(database)), InFile(folder))

    async def put(self, entries: Iterable[Entry]) -> None:
        everybody = list(entries)
        await self._parts[0].put(everybody[:3])
        await self._parts[1].put(everybody[2:])
        self.directory = MergedDirectories([part.directory for part in self._parts])


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture(params=["users", "postgres", "file", "ldap", "several"])
async def filled(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Filled]:
    """Each adapter, empty."""
    made: Filled
    match request.param:
        case "users":
            made = Users(SqlitePeople(database))
        case "postgres":
            url = request.getfixturevalue("postgres_url")
            await empty(url)
            made = UsersInPostgres(await PostgresTransactions.open(parse_url(url)))
        case "file":
            made = InFile(tmp_path)
        case "ldap":
            made = InLdap(request.getfixturevalue("slapd"))
        case _:
            made = Several(database, tmp_path)
    yield made
    await made.aclose()
