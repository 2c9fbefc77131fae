"""The port `Filters` over a real server with less than it needs, and over servers that misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    Kind,
    Refused,
    UpstreamConfused,
    UpstreamRefused,
    UpstreamUnavailable,
)
from gateway.ports.filters import Audience, AutoReply, AwayState, OutOfOffice
from gateway.types import Password, Principal, UserId
from gateway.upstream.sieve import SieveFilters, SieveSettings
from gateway.upstream.sieve.script import NAME
from tests.support.dovecot_config import Options
from tests.support.sieve import FilteringServer, filtering_server
from tests.support.tls import Certificate, make_certificate

ANNA = Principal(UserId("anna"), "anna@example.test", Password("anna", "pw"))
OWN = ("anna@example.test",)


async def away(held: OutOfOffice) -> OutOfOffice:
    return OutOfOffice(AwayState.ON, replies=dict.fromkeys(Audience, AutoReply(True, "Away")))


async def back(held: OutOfOffice) -> OutOfOffice:
    return replace(held, state=AwayState.OFF)


def real(server: FilteringServer, **changes: object) -> SieveFilters:
    made = SieveSettings("localhost", server.dovecot.sieve_port, ca_file=server.dovecot.ca_file)
    return SieveFilters(replace(made, **changes))  # type: ignore[arg-type]


def somebody(user: str, password: str = "pw") -> Principal:
    return Principal(UserId(user), f"{user}@example.test", Password(user, password))


# --- a real server -----------------------------------------------------------------------------------------


async def test_wrong_password(filtering: FilteringServer, user: str) -> None:
    with pytest.raises(AuthenticationFailed):
        await real(filtering).out_of_office(somebody(user, "wrong"))


async def test_a_certificate_that_nobody_trusts(filtering: FilteringServer, user: str) -> None:
    with pytest.raises(UpstreamUnavailable, match="no TLS"):
        await real(filtering, ca_file=None).out_of_office(somebody(user))
    assert await real(filtering, ca_file=None, verify=False).out_of_office(somebody(user)) == OutOfOffice()
    assert await real(filtering, security="none").out_of_office(somebody(user)) == OutOfOffice()


async def test_two_changes_at_once(filtering: FilteringServer, user: str) -> None:
    """Each sees what the other did, whichever is first."""
    filters = real(filtering)
    principal = somebody(user)

    def saying(audience: Audience) -> Callable[[OutOfOffice], Awaitable[OutOfOffice]]:
        async def change(held: OutOfOffice) -> OutOfOffice:
            replies = {**held.replies, audience: AutoReply(True, f"For {audience}")}
            return replace(held, state=AwayState.ON, replies=replies)

        return change

    await asyncio.gather(
        *(filters.change_out_of_office(principal, OWN, saying(audience)) for audience in Audience)
    )
    held = await filters.out_of_office(principal)
    assert {audience: reply.text for audience, reply in held.replies.items()} == {
        audience: f"For {audience}" for audience in Audience
    }


async def test_a_change_that_fails_changes_nothing(filtering: FilteringServer, user: str) -> None:
    async def refuse(held: OutOfOffice) -> OutOfOffice:
        raise Refused(Kind.INVALID_CONTENT)

    filters, scripts = real(filtering), filtering.scripts(user)
    with pytest.raises(Refused):
        await filters.change_out_of_office(somebody(user), OWN, refuse)
    await filters.change_out_of_office(somebody(user), OWN, back)
    assert scripts.names == set(), "who sets nothing has no script"
    scripts.put(NAME, "keep;\r\n")
    scripts.activate(NAME)
    with pytest.raises(Refused) as caught:
        await filters.change_out_of_office(somebody(user), OWN, away)
    assert caught.value.kind is Kind.CONFLICT
    assert await filters.out_of_office(somebody(user)) == OutOfOffice()
    assert scripts.get(NAME) == "keep;\r\n"


async def test_a_server_without_extensions() -> None:
    async def timed(held: OutOfOffice) -> OutOfOffice:
        now = datetime.now(UTC)
        return replace(await away(held), state=AwayState.TIMED, start=now, end=now + timedelta(days=1))

    with filtering_server(Options(no_sieve=("include", "date"))) as server:
        filters, scripts = real(server), server.scripts("anna")
        await filters.change_out_of_office(ANNA, OWN, away)
        with pytest.raises(Refused, match="no date"):
            await filters.change_out_of_office(ANNA, OWN, timed)
        await filters.change_out_of_office(ANNA, OWN, back)
        scripts.put("mine", "keep;\r\n")
        scripts.activate("mine")
        with pytest.raises(Refused, match="no include"):
            await filters.change_out_of_office(ANNA, OWN, away)
        assert scripts.active == "mine"


# --- servers that misbehave --------------------------------------------------------------------------------


class Silence(Exception):
    """Raised in an answer to say nothing, now or later."""


Answer = bytes | type[Exception]

POLITE: Mapping[str, Answer] = {
    "GREETING": (
        b'"IMPLEMENTATION" "scripted"\r\n"SASL" "PLAIN"\r\n"SIEVE" "vacation envelope include"\r\n'
        b'"STARTTLS"\r\nOK\r\n'
    ),
    "STARTTLS": b"OK\r\n",
    "AUTHENTICATE": b"OK\r\n",
    "LISTSCRIPTS": b"OK\r\n",
    "GETSCRIPT": b'{5}\r\nkeep;\r\nOK\r\n',
    "PUTSCRIPT": b"OK\r\n",
    "SETACTIVE": b"OK\r\n",
}  # fmt: skip


@dataclass
class Scripted:
    """Answers by the first word of a command, and notes the commands."""

    answers: Mapping[str, Answer]
    port: int = 0
    commands: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None

    def filters(self, **changes: object) -> SieveFilters:
        made = SieveSettings("localhost", self.port, "none", timeout=10)
        return SieveFilters(replace(made, **changes))  # type: ignore[arg-type]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(writer, "GREETING")
            while line := await reader.readline():
                word = line.split()[0].decode()
                if line.endswith(b"+}\r\n"):
                    await reader.readexactly(int(line.rpartition(b"{")[2][:-4]) + 2)
                self.commands.append(word)
                await self._answer(writer, word)
                if word == "STARTTLS" and self.tls:
                    await writer.start_tls(self.tls)
                    await self._answer(writer, "GREETING")
        except (Silence, ConnectionError, ssl.SSLError):
            await asyncio.sleep(60)
        finally:
            writer.transport.abort()  # the farewell of TLS would outlast the test

    async def _answer(self, writer: asyncio.StreamWriter, word: str) -> None:
        answer = self.answers.get(word, POLITE.get(word, b"OK\r\n"))
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            if answer:
                return
            raise ConnectionAbortedError
        raise answer


@asynccontextmanager
async def scripted(answers: Mapping[str, Answer], tls: Certificate | None = None) -> AsyncIterator[Scripted]:
    made = Scripted(answers, tls=tls.server_context() if tls else None)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(made.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("word", "answer", "error"),
    [
        ("GREETING", b'BYE "full"\r\n', UpstreamUnavailable),
        ("GREETING", b"\x00\xff{\r\n", UpstreamConfused),
        ("GREETING", b'"SASL" "SCRAM-SHA-1"\r\nOK\r\n', UpstreamRefused),
        ("GREETING", b'"SASL" "PLAIN"\r\nOK\r\nOK\r\n', UpstreamConfused),
        ("AUTHENTICATE", b'NO "who?"\r\n', AuthenticationFailed),
        ("AUTHENTICATE", b'NO (TRYLATER) "busy"\r\n', UpstreamRefused),
        ("AUTHENTICATE", b'NO (ENCRYPT-NEEDED) "no"\r\n', UpstreamRefused),
        ("LISTSCRIPTS", b'BYE (TRYLATER) "bye"\r\n', UpstreamUnavailable),
        ("LISTSCRIPTS", b'NO "no"\r\n', UpstreamRefused),
        ("LISTSCRIPTS", b'"x" ACTIVE\r\nOK\r\nOK\r\n', UpstreamConfused),
        ("GETSCRIPT", b"OK\r\n", UpstreamConfused),
        ("GETSCRIPT", b'{99999999999}\r\nOK\r\n', UpstreamConfused),
        ("PUTSCRIPT", b'NO (QUOTA/MAXSCRIPTS) "too many"\r\n', UpstreamRefused),
        ("PUTSCRIPT", b'NO (QUOTA/MAXSIZE) "too long"\r\n', Refused),
        ("SETACTIVE", b'NO "no"\r\n', UpstreamRefused),
    ],
)  # fmt: skip
async def test_hostile_answers(word: str, answer: bytes, error: type[GatewayError]) -> None:
    listing = {"LISTSCRIPTS": b'"mine" ACTIVE\r\nOK\r\n'}
    async with scripted({**listing, word: answer}) as server:
        with pytest.raises(error):
            await server.filters().change_out_of_office(ANNA, OWN, away)


@pytest.mark.parametrize("word", ["GREETING", "AUTHENTICATE", "LISTSCRIPTS", "PUTSCRIPT", "SETACTIVE"])
async def test_silence_ends_within_the_time_out(word: str) -> None:
    async with scripted({word: Silence}) as server:
        with pytest.raises(UpstreamUnavailable, match="in time"):
            await server.filters(timeout=1).change_out_of_office(ANNA, OWN, away)
        assert server.commands[-1:] == ([] if word == "GREETING" else [word])


async def test_who_hangs_holds_up_his_own_requests_alone() -> None:
    async with scripted({"LISTSCRIPTS": Silence}) as hanging:
        filters = hanging.filters(timeout=0.3, max_connections=2)
        others = [somebody(f"user{number}") for number in range(4)]
        failed = await asyncio.gather(*map(filters.out_of_office, others), return_exceptions=True)
        assert [type(one) for one in failed] == [UpstreamUnavailable] * 4


async def test_nothing_is_said_without_tls(tmp_path: Path) -> None:
    plain = b'"SASL" "PLAIN"\r\nOK\r\n'
    async with scripted({"GREETING": plain}) as server:
        with pytest.raises(UpstreamRefused, match="no STARTTLS"):
            await server.filters(security="starttls").out_of_office(ANNA)
        assert server.commands == []
    async with scripted(
        {"STARTTLS": b'OK\r\n"SASL" "PLAIN"\r\nOK\r\n'}, make_certificate(tmp_path)
    ) as server:
        with pytest.raises(UpstreamConfused):
            await server.filters(security="starttls", verify=False).out_of_office(ANNA)
        assert "AUTHENTICATE" not in server.commands
    certificate = make_certificate(tmp_path)
    async with scripted({}, certificate) as server:
        filters = server.filters(security="starttls", ca_file=certificate.certificate)
        assert await filters.out_of_office(ANNA) == OutOfOffice()
        assert server.commands[:3] == ["STARTTLS", "AUTHENTICATE", "LISTSCRIPTS"]


async def test_somebody_goes_on_activating_others() -> None:
    """What became active between looking and activating is not passed over."""
    async with scripted({}) as server:
        listings = [f'"script{number}" ACTIVE\r\nOK\r\n'.encode() for number in range(6)]
        answer = server._answer

        async def changing(writer: asyncio.StreamWriter, word: str) -> None:
            if word != "LISTSCRIPTS":
                await answer(writer, word)
                return
            writer.write(listings.pop(0))
            await writer.drain()

        server._answer = changing  # type: ignore[method-assign]
        with pytest.raises(UpstreamUnavailable, match="goes on"):
            await server.filters().change_out_of_office(ANNA, OWN, away)
        assert "SETACTIVE" not in server.commands
