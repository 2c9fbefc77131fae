"""What ResolveRecipients says when it cannot find out in time, or at all, who is free."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.eas.addresslist import AddressList, Reach
from gateway.eas.commands.base import Context
from gateway.eas.commands.resolverecipients import ResolveRecipients, handler
from gateway.eas.versions import Version
from gateway.errors import GatewayError, UpstreamError
from gateway.items import ItemFolder
from gateway.ports.directory import Entry, Found, Members, Viewer
from gateway.store.sqlite import Database, SqlitePeople
from gateway.types import Password, Principal, UserId
from wbxml import Element, element
from wbxml.pages import ResolveRecipients as Page

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
ANN = Entry("ann@a.example", "Ann")
FAR = Entry("carl@b.example", "Carl")
GROUP = Entry("all@a.example", "Everybody", group=True)


class Broken:
    """Items that cannot be read."""

    async def item_folders(self, user: UserId) -> list[ItemFolder]:
        raise GatewayError(f"no folders of {user}")


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    """A request of Ben's, who may see everybody, and when those of his domain are free."""
    async with await Database.open(tmp_path / "gateway.db") as database:
        people = SqlitePeople(database)
        for entry in (ANN, FAR):
            await people.note_person(UserId(entry.address), entry, "rules", NOON)
        noted: list[tuple[str, str]] = []
        made = SimpleNamespace(
            request=SimpleNamespace(version=Version.V16_1),
            principal=Principal(UserId("ben"), "ben@a.example", Password("ben", "secret")),
            services=SimpleNamespace(
                directory=AddressList([people], people, listed=Reach.ALL), items=Broken(), zone=UTC
            ),
            note=lambda status, reason: noted.append((status, reason)),
            noted=noted,
        )
        yield cast("Context", made)


async def availability(context: Context, *names: str) -> list[tuple[str | None, str | None]]:
    """Status and digits of each."""
    span = element(Page.Availability, element(Page.StartTime, "2026-11-03T12:00:00.000Z"))
    request = element(Page.ResolveRecipients, *(element(Page.To, name) for name in names))
    request.append(element(Page.Options, span))
    reply = await ResolveRecipients().handle(context, request, b"")
    assert isinstance(reply, Element)
    found = [one for one in reply.iter() if one.tag is Page.Availability]
    return [(one.child_text(Page.Status), one.child_text(Page.MergedFreeBusy)) for one in found]


async def test_what_cannot_be_read_now(context: Context) -> None:
    assert await availability(context, ANN.address) == [("162", None)]
    assert vars(context)["noted"] == [("162", "no folders of ann@a.example")]


async def test_when_the_time_is_over(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "_PATIENCE", 0.0)
    assert await availability(context, ANN.address, ANN.address) == [("162", None)] * 2


async def test_of_whom_one_may_not_know(context: Context) -> None:
    assert await availability(context, FAR.address) == [("163", None)]


class Groups:
    """A directory with one group, of whose members it says what it is told to."""

    def __init__(self, answer: Members | GatewayError | None) -> None:
        self._answer = answer

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        return Found()

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        return Found((GROUP,), 1)

    async def entries(self, viewer: Viewer, addresses: Collection[str]) -> Sequence[Entry]:
        return ()

    async def pictures(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, bytes]:
        return {}

    async def certificates(self, viewer: Viewer, addresses: Collection[str]) -> Mapping[str, Sequence[bytes]]:
        return {}

    async def members(self, viewer: Viewer, address: str, most: int) -> Members | None:
        if isinstance(self._answer, GatewayError):
            raise self._answer
        return self._answer


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (UpstreamError("away"), "162"),
        (None, "163"),
        (Members(), "163"),
        (Members((FAR,)), "163"),
        (Members((FAR,), complete=False), "161"),
        (Members((ANN,)), "162"),
    ],
)
async def test_groups_of_which_nothing_is_known(
    context: Context, answer: Members | GatewayError | None, status: str
) -> None:
    directory = replace(context.services.directory, directories=[Groups(answer)])
    vars(context.services)["directory"] = directory
    assert await availability(context, GROUP.address) == [(status, None)]
