"""Tokens and master users at a real server: taken, refused at once, and renewed without more connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.errors import AuthenticationFailed, UpstreamUnavailable
from gateway.types import BearerToken, Credentials, MasterUser, Principal, UserId
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.imap.source import ImapMailboxes
from gateway.upstream.imap.upstream import ImapUpstream
from gateway.upstream.sieve import SieveFilters, SieveSettings
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import MASTER, MASTER_PASSWORD, Options
from tests.support.openid import OpenIdProvider


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: OpenIdProvider) -> Iterator[Dovecot]:
    with Dovecot(Options(sieve=True, master=True, issuer=provider.issuer)) as running:
        provider.leave_keys(running.place.keys)
        yield running


@pytest.fixture
async def imap(server: Dovecot) -> AsyncIterator[ImapUpstream]:
    upstream = ImapUpstream(ImapSettings(server.host, server.port, "none", timeout=20))
    yield upstream
    await upstream.aclose()


@pytest.fixture
def sieve(server: Dovecot) -> SieveFilters:
    return SieveFilters(SieveSettings("localhost", server.sieve_port, ca_file=server.ca_file, timeout=20))


def both(provider: OpenIdProvider, user: str) -> list[Credentials]:
    return [BearerToken(user, provider.token(user)), MasterUser(user, MASTER, MASTER_PASSWORD)]


async def test_they_open_the_mailbox_and_the_scripts_of_their_user(
    imap: ImapUpstream, sieve: SieveFilters, provider: OpenIdProvider, user: str
) -> None:
    for credentials in (*both(provider, user), MasterUser(user, MASTER, MASTER_PASSWORD, "*")):
        await imap.authenticate(credentials)
        (await sieve.connect(credentials)).close()


async def test_what_is_refused_is_so_at_once(
    imap: ImapUpstream, sieve: SieveFilters, provider: OpenIdProvider, user: str
) -> None:
    for wrong in (
        BearerToken(user, provider.token("somebody-else")),
        BearerToken(user, provider.token(user, exp=1)),
        BearerToken(user, "rubbish"),
        MasterUser(user, MASTER, "wrong"),
        MasterUser(user, "nobody", MASTER_PASSWORD),
    ):
        with pytest.raises(AuthenticationFailed) as error:
            await imap.authenticate(wrong)
        assert "secret" not in error.value.detail
        with pytest.raises(AuthenticationFailed):
            await sieve.connect(wrong)


async def watches(mailboxes: ImapMailboxes) -> bool:
    """Whether a watch stands; one that begins while the server is away does not."""
    try:
        (await mailboxes.subscribe(["INBOX"], lambda _: None))()
    except UpstreamUnavailable:
        return False
    return True


async def test_a_renewed_token_goes_on_with_the_connections_there_are(
    imap: ImapUpstream, server: Dovecot, provider: OpenIdProvider, user: str
) -> None:
    def principal(token: str) -> Principal:
        return Principal(UserId(user), f"{user}@example.test", BearerToken(user, token))

    for _ in range(3):
        await imap.mailboxes(principal(provider.token(user))).list()
    assert imap.open_connections == 1
    watched = imap.mailboxes(principal(provider.token(user)))
    unsubscribe = await watched.subscribe(["INBOX"], lambda _: None)
    assert imap.open_connections == 2

    # The first token is of no use any more: who connects anew does it with the one that came since.
    (watcher,) = imap._watchers.values()
    watcher.credentials = BearerToken(user, "expired")
    renewed = principal(provider.token(user))
    imap.mailboxes(renewed)
    assert watcher.credentials == renewed.credentials
    await asyncio.to_thread(server.restart)
    async with asyncio.timeout(50):
        while not await watches(watched):
            await asyncio.sleep(0.05)
    unsubscribe()
