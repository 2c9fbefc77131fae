"""What an administrator is told of the ManageSieve server."""

from __future__ import annotations

from gateway.ports.examining import Finding, Verdict
from gateway.types import Credentials, Password
from gateway.upstream.sieve import SieveSettings
from gateway.upstream.sieve.examine import examine
from tests.support.dovecot_config import Options
from tests.support.sieve import FilteringServer, filtering_server


def settings(server: FilteringServer) -> SieveSettings:
    return SieveSettings("localhost", server.dovecot.sieve_port, ca_file=server.dovecot.ca_file)


async def look(server: FilteringServer, credentials: Credentials | None = None) -> list[Finding]:
    return [finding async for finding in examine(settings(server), credentials)]


async def test_a_server_that_has_everything(filtering: FilteringServer, user: str) -> None:
    found = await look(filtering, Password(user, filtering.dovecot.password))
    assert {one.verdict for one in found} == {Verdict.OK}
    assert "all extensions" in found[-1].text
    refused = (await look(filtering, Password(user, "wrong")))[-1]
    assert refused.verdict is Verdict.FAILURE
    assert "password" in refused.remedy


async def test_what_it_lacks_is_told_with_what_that_costs() -> None:
    with filtering_server(Options(no_sieve=("include", "vacation"))) as server:
        found = {one.verdict: one.text for one in await look(server)}
    assert found[Verdict.FAILURE].startswith("without vacation")
    assert found[Verdict.WARNING].startswith("without include")
