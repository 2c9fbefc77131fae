"""Every test of this folder runs over each kind of server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest

from gateway.ports import Mailboxes
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.courier import Courier
from tests.support.cyrus import Cyrus
from tests.support.dovecot_config import Options
from tests.support.imap_servers import (
    MASKED,
    MailProgram,
    MailServer,
    mail_program,
    on_courier,
    on_cyrus,
    on_dovecot,
    on_pymap,
)

DOVECOTS = {
    "full": Options(),
    "condstore": Options(),
    "idle": Options(),
    "bare": Options(profile="bare"),
    "prefix": Options(separator=".", prefix="INBOX.", storage="maildir"),
}
OTHERS = ("cyrus", "courier", "pymap")

FILED_BY_ID = pytest.mark.parametrize(
    "server", [*(f"{kind} by id" for kind in DOVECOTS), *OTHERS], indirect=True
)
"""For tests that delete a mailbox and make another of its name, see `Options`."""


@pytest.fixture(scope="session")
def cyrus() -> Iterable[Cyrus]:
    with Cyrus() as server:
        yield server


@pytest.fixture(scope="session")
def courier() -> Iterable[Courier]:
    with Courier() as server:
        yield server


@pytest.fixture(params=[*DOVECOTS, *OTHERS])
async def server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MailServer]:
    kind, user = request.param, request.getfixturevalue("user")
    if kind == "pymap":
        async with on_pymap() as server:
            yield server
        return
    if kind == "cyrus":
        yield on_cyrus(request.getfixturevalue("cyrus"), user)
        return
    if kind == "courier":
        yield on_courier(request.getfixturevalue("courier"), user)
        return
    kind, by_id, _ = kind.partition(" by id")
    options = replace(DOVECOTS[kind], filed_by="id" if by_id else "name")
    server = on_dovecot(request.getfixturevalue("dovecots")(options), user, MASKED.get(kind, frozenset()))
    monkeypatch.setattr(Session, "learn_capabilities", server.mask())
    yield server


@pytest.fixture
async def upstream(server: MailServer) -> AsyncIterator[ImapUpstream]:
    upstream = ImapUpstream(server.settings)
    yield upstream
    await upstream.aclose()


@pytest.fixture
def mail(upstream: ImapUpstream, server: MailServer) -> Mailboxes:
    return upstream.mailboxes(server.principal)


@pytest.fixture
async def other(server: MailServer) -> AsyncIterator[MailProgram]:
    async with mail_program(server) as program:
        yield program
