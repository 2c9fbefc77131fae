"""Submission to a real SMTP server, and to one that does what real ones do only on bad days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import uvloop

from gateway.errors import Kind, SubmissionError, UpstreamUnavailable
from gateway.mail.pieces import Joined
from gateway.ports import Submission
from gateway.types import Password, Principal, UserId
from gateway.upstream.smtp import SmtpSettings, SmtpSubmission
from gateway.upstream.smtp.session import Session
from gateway.upstream.tls import client_context
from tests.support.ports import LOOPBACK, free_ports
from tests.support.smtp_sink import Received, SmtpSink
from tests.support.tls import Certificate, make_certificate

pytestmark = pytest.mark.usefixtures("steady_clock")

SENDER = "anna@example.test"
DAVE, ERIN = "dave@example.test", "erin@example.test"
LARGE = b"X: y\r\n\r\n" + (b"x" * 998 + b"\r\n") * 20_000
MESSAGE = b"From: anna@example.test\r\nSubject: hello\r\n\r\nbody\r\n"
CUT = "cut"
HANG = "hang"


def principal(login: str = "anna", password: str = SmtpSink.password) -> Principal:
    return Principal(UserId(login), SENDER, Password(login, password))


def settings(port: int, **changes: object) -> SmtpSettings:
    plain = SmtpSettings(
        LOOPBACK, port, security="none", auth="none", timeout=5, answer_timeout=5, hello_name="gateway.test"
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def opened(port: int, **changes: object) -> AsyncIterator[SmtpSubmission]:
    submission = SmtpSubmission(settings(port, **changes))
    try:
        yield submission
    finally:
        await submission.aclose()


async def refused(
    port: int, *recipients: str, message: bytes = MESSAGE, **changes: object
) -> SubmissionError:
    """The error of a submission that must fail."""
    async with opened(port, **changes) as submission:
        with pytest.raises(SubmissionError) as caught:
            await submission.submit(principal(), SENDER, recipients or (DAVE,), message)
    return caught.value


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def running_sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def sink(running_sink: SmtpSink) -> SmtpSink:
    running_sink.clear()
    return running_sink


@dataclass(slots=True)
class Scripted:
    """An SMTP server that answers each verb as it is told ("." is the end of a message), and counts."""

    replies: dict[str, str]
    port: int = 0
    connections: int = 0
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if not await self._reply(writer, "greeting"):
            return
        while line := await reader.readline():
            command = line.decode("utf-8").strip()
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if not await self._reply(writer, verb):
                return
            if verb == "DATA" and self.replies["DATA"].startswith("354"):
                self.messages.append(await reader.readuntil(b"\r\n.\r\n"))
                if not await self._reply(writer, "."):
                    return

    async def _reply(self, writer: asyncio.StreamWriter, verb: str) -> bool:
        reply = self.replies[verb]
        if reply == HANG:
            await asyncio.sleep(30)
        if reply in {CUT, HANG}:
            return False
        writer.write(reply.encode() + b"\r\n")
        await writer.drain()
        return not reply.startswith("421")


@asynccontextmanager
async def scripted(replies: Mapping[str, str]) -> AsyncIterator[Scripted]:
    usual = {
        "greeting": "220 scripted ESMTP",
        "EHLO": "250-scripted\r\n250 8BITMIME",
        "MAIL": "250 2.1.0 ok",
        "RCPT": "250 2.1.5 ok",
        "DATA": "354 go on",
        ".": "250 2.0.0 taken",
        "RSET": "250 2.0.0 ok",
        "QUIT": "221 2.0.0 bye",
    }
    script = Scripted(usual | dict(replies))
    async with listening(script.converse) as script.port:
        yield script


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(converse: Conversation) -> AsyncIterator[int]:
    """A server that has this conversation with each client; gives its port, and leaves nothing open."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await converse(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(serve(reader, writer)))

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The conversation up to the first 100,000 octets of a message."""
    writer.write(b"220 x\r\n")
    for reply in (b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        await reader.readline()
        writer.write(reply)
    await reader.readexactly(100_000)


class TestTaken:
    """Messages that arrive."""

    async def test_envelope_and_octets_arrive(self, sink: SmtpSink) -> None:
        async with opened(sink.port) as opened_submission:
            submission: Submission = opened_submission
            await submission.submit(principal(), SENDER, [DAVE, ERIN], MESSAGE)
        assert sink.received == [Received(SENDER, (DAVE, ERIN), MESSAGE)]

    @pytest.mark.parametrize(
        ("message", "arrives"),
        [
            (b"X: y\r\n\r\n.\r\n..\r\n.x\r\n\r\n.", b"X: y\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n"),
            (b".X: y\r\n\r\n", b".X: y\r\n\r\n"),
            (b"X: y\n\n.\nQUIT\r.\r\n", b"X: y\r\n\r\n.\r\nQUIT\r\n.\r\n"),
            (b"X: y\r\n\r\nSch\xc3\xb6n \xff\r\n", b"X: y\r\n\r\nSch\xc3\xb6n \xff\r\n"),
        ],
    )
    async def test_dots_and_line_ends(self, sink: SmtpSink, message: bytes, arrives: bytes) -> None:
        async with opened(sink.port) as submission:
            await submission.submit(principal(), SENDER, [DAVE], message)
        assert [received.data for received in sink.received] == [arrives]

    async def test_a_large_message(self, sink: SmtpSink) -> None:
        message = b"X: y\r\n\r\n" + (b"." + b"A" * 74 + b"\r\n") * 100_000
        async with opened(sink.port) as submission:
            await submission.submit(principal(), SENDER, [DAVE], message)
        assert sink.received[0].data == message

    def test_a_large_message_under_the_event_loop_of_production(
        self, sink: SmtpSink, certificate: Certificate
    ) -> None:
        async def submit(port: int, **changes: object) -> None:
            async with opened(port, **changes) as submission:
                await submission.submit(principal(), SENDER, [DAVE], LARGE)

        async def cut() -> SubmissionError:
            async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await until_data(reader, writer)
                writer.transport.abort()

            async with listening(converse) as port:
                return await refused(port, message=LARGE)

        uvloop.run(submit(sink.port))
        assert sink.received[0].data == LARGE
        with SmtpSink(security="tls", certificate=certificate) as secure:
            uvloop.run(submit(secure.port, security="tls", verify=False))
            assert secure.received[0].data == LARGE
        assert not uvloop.run(cut()).sent_unknown

    @pytest.mark.parametrize(
        "cuts",
        [(b"\r\n.", b".\r\n"), (b"\r", b"\n", b"."), (b".", b"\r\n.\r", b"\n.."), (b"",), (b"a\r\n", b".b")],
    )
    async def test_dots_in_a_message_in_pieces(self, sink: SmtpSink, cuts: tuple[bytes, ...]) -> None:
        message = Joined((b"X: y\r\n", b"\r\n", *cuts, b"\r\nend"))
        async with opened(sink.port) as submission:
            await submission.submit(principal(), SENDER, [DAVE], message)
            await submission.submit(principal(), SENDER, [DAVE], Joined((b".X: y\r\n",)))
        assert sink.received[0].data == bytes(message) + b"\r\n"
        assert sink.received[1].data == b".X: y\r\n"

    async def test_an_international_address(self, sink: SmtpSink) -> None:
        async with opened(sink.port) as submission:
            await submission.submit(principal(), SENDER, ["jürgen@example.test"], MESSAGE)
        assert sink.received[0].rcpt_tos == ("jürgen@example.test",)

    async def test_parameters_are_given_where_the_server_knows_them(self) -> None:
        async with (
            scripted({"EHLO": "250-x\r\n250-SIZE 5000\r\n250 8BITMIME"}) as server,
            opened(server.port) as submission,
        ):
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE + b"\xe9\r\n")
        assert server.commands[0] == "EHLO gateway.test"
        assert [command for command in server.commands if command.startswith("MAIL")] == [
            f"MAIL FROM:<{SENDER}> SIZE={len(MESSAGE)}",
            f"MAIL FROM:<{SENDER}> SIZE={len(MESSAGE) + 3} BODY=8BITMIME",
        ]


class TestProtection:
    """TLS and logins."""

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    async def test_with_the_authority_known_and_a_login(
        self, certificate: Certificate, security: str
    ) -> None:
        with SmtpSink(security=security, auth=True, certificate=certificate) as sink:  # type: ignore[arg-type]
            changes = {"security": security, "auth": "user", "ca_file": certificate.certificate}
            async with opened(sink.port, **changes) as submission:
                await submission.check()
                await submission.submit(principal("anna"), SENDER, [DAVE], MESSAGE)
                await submission.submit(principal("bert"), SENDER, [DAVE], MESSAGE)
            assert [received.login for received in sink.received] == ["anna", "bert"]

    @pytest.mark.parametrize("security", ["tls", "starttls"])
    async def test_an_unknown_authority_is_refused_unless_told_otherwise(
        self, certificate: Certificate, security: str
    ) -> None:
        with SmtpSink(security=security, certificate=certificate) as sink:  # type: ignore[arg-type]
            error = await refused(sink.port, security=security)
            assert "certificate" in error.detail.lower()
            async with opened(sink.port, security=security, verify=False) as submission:
                await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            assert len(sink.received) == 1

    async def test_it_ends_without_waiting_for_the_farewell_of_tls(self, certificate: Certificate) -> None:
        with SmtpSink(security="tls", certificate=certificate) as sink:
            trusting = client_context(certificate.certificate, verify=True)
            secured = settings(sink.port, security="tls", host="localhost")
            session = await Session.connect(secured, trusting, "gateway.test", None)
            transport = session._client.transport
            assert transport is not None
            connection = transport.get_extra_info("socket")
            session.close()
            for _ in range(3):
                await asyncio.sleep(0)
            assert connection.fileno() == -1

    async def test_a_missing_certificate_file_is_named(self, tmp_path: Path) -> None:
        error = await refused(1, security="tls", ca_file=tmp_path / "missing.pem")
        assert "smtp.ca_file" in error.detail

    async def test_a_server_without_starttls_gets_neither_password_nor_mail(self) -> None:
        async with scripted({"EHLO": "250-x\r\n250 AUTH PLAIN LOGIN"}) as server:
            error = await refused(server.port, security="starttls", auth="user")
        assert {command.split(" ")[0] for command in server.commands} <= {"EHLO", "QUIT"}
        assert (error.kind, error.permanent) == (Kind.SERVER_ERROR_RETRY, False)
        assert "STARTTLS" in error.detail

    async def test_a_server_that_refuses_starttls_gets_neither(self) -> None:
        replies = {"EHLO": "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN", "STARTTLS": "454 4.7.0 not now"}
        async with scripted(replies) as server:
            error = await refused(server.port, security="starttls", auth="user")
        assert {command.split(" ")[0] for command in server.commands} <= {"EHLO", "STARTTLS", "QUIT"}
        assert error.kind is Kind.SERVER_ERROR_RETRY

    async def test_a_login_that_sends_for_everybody(self) -> None:
        service = {"auth": "service", "login": "relay", "password": SmtpSink.password}
        with SmtpSink(auth=True) as sink:
            async with opened(sink.port, **service) as submission:
                for user in (principal("anna", "unknown"), principal("bert", "")):
                    await submission.submit(user, SENDER, [DAVE], MESSAGE)
            assert [one.login for one in sink.received] == ["relay", "relay"]

    async def test_a_wrong_password(self, certificate: Certificate) -> None:
        with SmtpSink(auth=True, certificate=certificate) as sink:
            async with opened(sink.port, auth="user") as submission:
                with pytest.raises(SubmissionError, match=r"refused the login of anna: 535") as caught:
                    await submission.submit(principal(password="wrong-secret"), SENDER, [DAVE], MESSAGE)
                assert caught.value.kind is Kind.SUBMISSION_FAILED
                assert "wrong-secret" not in str(caught.value)
                await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
                # The connection of the right password does not serve a wrong one.
                with pytest.raises(SubmissionError):
                    await submission.submit(principal(password="wrong-secret"), SENDER, [DAVE], MESSAGE)
            assert len(sink.received) == 1

    async def test_login_where_plain_is_not_offered(self) -> None:
        replies = {"EHLO": "250-x\r\n250 AUTH CRAM-MD5 LOGIN", "AUTH": "334 UGFzc3dvcmQ6", "CC8=": "235 ok"}
        async with scripted(replies) as server, opened(server.port, auth="user") as submission:
            await submission.submit(principal(password="p/"), SENDER, [DAVE], MESSAGE)
        assert server.commands[1:3] == ["AUTH LOGIN YW5uYQ==", "cC8="]

    @pytest.mark.parametrize(
        ("replies", "kind"),
        [
            ({"EHLO": "250 x"}, Kind.SUBMISSION_FAILED),
            ({"EHLO": "250-x\r\n250 AUTH GSSAPI"}, Kind.SUBMISSION_FAILED),
            ({"EHLO": "250-x\r\n250 AUTH PLAIN", "AUTH": "454 4.7.0 later"}, Kind.SERVER_ERROR_RETRY),
            ({"EHLO": "250-x\r\n250 AUTH PLAIN", "AUTH": CUT}, Kind.SERVER_ERROR_RETRY),
        ],
    )
    async def test_logins_that_cannot_work(self, replies: dict[str, str], kind: Kind) -> None:
        async with scripted(replies) as server:
            error = await refused(server.port, auth="user")
        assert (error.kind, error.permanent, error.sent_unknown) == (kind, False, False)
        assert server.messages == []


async def who_was_refused(sink: SmtpSink, recipients: Sequence[str]) -> dict[str, bool]:
    async with opened(sink.port) as submission:
        with pytest.raises(SubmissionError) as caught:
            await submission.submit(principal(), SENDER, recipients, MESSAGE)
    return dict(caught.value.refused)


class TestRefused:
    """What the server says no to reaches nobody."""

    @pytest.mark.parametrize(
        ("verb", "reply", "kind", "permanent"),
        [
            ("MAIL", "550 5.7.1 not you", Kind.SUBMISSION_FAILED, True),
            ("MAIL", "451 4.3.0 later", Kind.SERVER_ERROR_RETRY, False),
            ("MAIL", "452 4.3.1 no space", Kind.SERVER_ERROR_RETRY, False),
            ("MAIL", "552 5.3.4 too big", Kind.TOO_LARGE, True),
            ("MAIL", "530 5.7.0 log in first", Kind.SUBMISSION_FAILED, True),
            ("RCPT", "550 5.1.1 nobody", Kind.RECIPIENT_UNRESOLVED, True),
            ("RCPT", "554 relaying denied", Kind.RECIPIENT_UNRESOLVED, True),
            ("RCPT", "450 4.2.0 greylisted", Kind.SERVER_ERROR_RETRY, False),
            ("RCPT", "452 4.5.3 too many", Kind.SEND_QUOTA_EXCEEDED, False),
            ("RCPT", "452 try fewer or later", Kind.SERVER_ERROR_RETRY, False),
            ("RCPT", "452 4.2.2 mailbox full", Kind.SERVER_ERROR_RETRY, False),
            ("RCPT", "552 5.2.2 mailbox full", Kind.SEND_QUOTA_EXCEEDED, True),
            ("RCPT", "552 5.2.3 too long", Kind.TOO_LARGE, True),
            ("RCPT", "252 perhaps", Kind.SERVER_ERROR_RETRY, False),
            ("DATA", "554 5.5.1 no", Kind.SUBMISSION_FAILED, True),
            ("DATA", "451 4.3.0 later", Kind.SERVER_ERROR_RETRY, False),
            (".", "554 5.7.1 spam", Kind.SUBMISSION_FAILED, True),
            (".", "552 too large", Kind.TOO_LARGE, True),
            (".", "452 4.3.1 disk", Kind.SERVER_ERROR_RETRY, False),
            (".", "452 insufficient storage", Kind.SERVER_ERROR_RETRY, False),
            (".", "452 4.3.4 too big", Kind.TOO_LARGE, False),
            (".", "421 4.3.2 going down", Kind.SERVER_ERROR_RETRY, False),
            ("RCPT", "421 4.3.2 going down", Kind.SERVER_ERROR_RETRY, False),
            ("MAIL", "421 4.3.2 going down", Kind.SERVER_ERROR_RETRY, False),
        ],
    )
    async def test_each_step(self, verb: str, reply: str, kind: Kind, permanent: bool) -> None:
        async with scripted({verb: reply}) as server:
            error = await refused(server.port)
        assert (error.kind, error.permanent, error.sent_unknown) == (kind, permanent, False)
        if verb != ".":
            assert server.messages == []

    async def test_one_bad_recipient_and_nobody_gets_it(self, sink: SmtpSink) -> None:
        sink.switches.reply_rcpt = "550 5.1.1 no such user"
        sink.switches.bad_recipients = frozenset({ERIN})
        async with opened(sink.port) as submission:
            for recipients in ([DAVE, ERIN], [ERIN, DAVE]):
                with pytest.raises(SubmissionError, match=r"RCPT refused: 550 5.1.1 no such user") as caught:
                    await submission.submit(principal(), SENDER, recipients, MESSAGE)
                assert caught.value.kind is Kind.RECIPIENT_UNRESOLVED
            assert sink.received == []
            # What was refused leaves nothing behind for the next message on the same connection.
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
        assert [received.rcpt_tos for received in sink.received] == [(DAVE,)]

    async def test_who_was_refused_is_told(self, sink: SmtpSink) -> None:
        asked = [f"{number}@example.test" for number in range(30)]
        busy, gone = {asked[1]: "450 4.2.1 later"}, {asked[4]: "550 5.1.1 nobody"}
        sink.switches.replies = busy | gone
        assert await who_was_refused(sink, asked) == {asked[1]: False, asked[4]: True}
        # Not asked on and on about people who are not there.
        sink.switches.replies = dict.fromkeys(asked, "550 5.1.1 nobody")
        assert await who_was_refused(sink, asked) == dict.fromkeys(asked[:10], True)
        # What is too much at once may come later, as a whole.
        for reply in ("452 4.5.3 too many", "452 too many"):
            sink.switches.replies = gone | dict.fromkeys(asked[20:], reply)
            told = {asked[4]: True} | dict.fromkeys(asked[20:], False)
            assert await who_was_refused(sink, asked) == told
        sink.switches.replies = {}
        sink.switches.reply_data = "450 4.7.1 later"
        assert await who_was_refused(sink, asked) == {}
        assert sink.received == []

    async def test_a_server_that_hangs_up_in_the_middle_of_refusing(self) -> None:
        async with scripted({"RCPT": "421 4.7.0 too many errors"}) as server, opened(server.port) as smtp:
            with pytest.raises(SubmissionError, match="too many errors") as caught:
                await smtp.submit(principal(), SENDER, [DAVE, ERIN], MESSAGE)
            assert caught.value.refused == {}

    async def test_a_message_larger_than_announced_is_not_even_begun(self) -> None:
        async with scripted({"EHLO": "250-x\r\n250 SIZE 1000"}) as server:
            error = await refused(server.port, message=MESSAGE + b"x" * 1000)
            assert (error.kind, error.permanent) == (Kind.TOO_LARGE, True)
            assert not any(command.startswith("MAIL") for command in server.commands)

    @pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE nonsense"])
    async def test_no_limit_announced(self, size: str) -> None:
        async with scripted({"EHLO": f"250-x\r\n250 {size}"}) as server, opened(server.port) as submission:
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)

    async def test_an_international_address_where_it_is_not_understood(self) -> None:
        async with scripted({}) as server:
            error = await refused(server.port, "jürgen@example.test")
        assert (error.kind, error.permanent) == (Kind.RECIPIENT_UNRESOLVED, True)

    @pytest.mark.parametrize(
        "address", ["a@b\r\nRCPT TO:<x@y>", "a@b> SIZE=1", "<a@b", "a\x00@b", "nobody", "\ud800@b"]
    )
    async def test_an_address_cannot_break_out_of_its_command(self, address: str) -> None:
        error = await refused(1, DAVE, address)
        assert (error.kind, error.permanent) == (Kind.RECIPIENT_UNRESOLVED, True)

    async def test_no_recipient(self) -> None:
        async with opened(1) as submission:
            with pytest.raises(SubmissionError) as caught:
                await submission.submit(principal(), SENDER, [], MESSAGE)
        assert caught.value.kind is Kind.NO_RECIPIENT


class TestBroken:
    """Connections that fail."""

    async def test_nobody_listens(self) -> None:
        (port,) = free_ports(1)
        error = await refused(port)
        assert (error.kind, error.permanent, error.sent_unknown) == (Kind.SERVER_ERROR_RETRY, False, False)
        async with opened(port) as submission:
            with pytest.raises(UpstreamUnavailable, match="no connection"):
                await submission.check()

    @pytest.mark.parametrize("what", [CUT, HANG, "garbage", "\xff\xfe", "2" * 9000])
    @pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
    async def test_before_the_message_nothing_was_sent(self, verb: str, what: str) -> None:
        async with scripted({verb: what, "HELO": "502 no"}) as server:
            async with asyncio.timeout(20):
                error = await refused(server.port, timeout=0.2, answer_timeout=60)
        assert (error.kind, error.permanent, error.sent_unknown) == (Kind.SERVER_ERROR_RETRY, False, False)
        assert server.messages == []

    @pytest.mark.parametrize("what", [CUT, HANG, "garbage"])
    async def test_after_the_message_it_is_not_known(self, what: str) -> None:
        async with scripted({".": what}) as server:
            error = await refused(server.port, answer_timeout=0.2)
        assert (error.kind, error.permanent, error.sent_unknown) == (Kind.SERVER_ERROR_RETRY, False, True)
        assert len(server.messages) == 1

    async def test_a_real_server_that_dies_after_the_message(self, sink: SmtpSink) -> None:
        sink.switches.die_after_data = True
        error = await refused(sink.port)
        assert error.sent_unknown
        assert len(sink.received) == 1

    async def test_a_connection_cut_within_the_message_sent_nothing(self) -> None:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await until_data(reader, writer)
            writer.transport.abort()

        async with listening(converse) as port:
            error = await refused(port, message=LARGE)
        assert (error.kind, error.sent_unknown) == (Kind.SERVER_ERROR_RETRY, False)

    async def test_a_server_that_stops_reading_within_the_message(self) -> None:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await until_data(reader, writer)
            await asyncio.sleep(30)

        async with listening(converse) as port:
            error = await refused(port, message=LARGE, timeout=0.3, slowest_rate=1e9)
        assert (error.kind, error.sent_unknown) == (Kind.SERVER_ERROR_RETRY, False)

    async def test_a_server_that_refuses_within_the_message(self) -> None:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await until_data(reader, writer)
            writer.write(b"552 5.3.4 enough\r\n")
            await asyncio.sleep(30)

        async with listening(converse) as port:
            error = await refused(port, message=LARGE)
        assert (error.kind, error.permanent, error.sent_unknown) == (Kind.TOO_LARGE, True, False)

    async def test_a_cancelled_submission_leaves_no_connection_to_be_used_again(self) -> None:
        async with scripted({".": HANG}) as server, opened(server.port) as submission:
            task = asyncio.create_task(submission.submit(principal(), SENDER, [DAVE], MESSAGE))
            while not server.messages:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            server.replies["."] = "250 ok"
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            assert server.connections == 2


class TestReuse:
    """Connections are kept for a moment, one user's for that user."""

    async def test_messages_of_a_user_share_a_connection(self) -> None:
        async with scripted({}) as server:
            async with opened(server.port) as submission:
                for _ in range(5):
                    await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
                assert server.connections == 1
                assert "QUIT" not in server.commands
            assert server.commands[-1] == "QUIT"

    async def test_an_idle_connection_is_ended(self) -> None:
        async with scripted({}) as server, opened(server.port, idle_seconds=0.05) as submission:
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            async with asyncio.timeout(20):
                while server.commands[-1] != "QUIT":
                    await asyncio.sleep(0.01)
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            assert server.connections == 2

    @pytest.mark.parametrize("end", [CUT, "421 4.4.2 too long idle"])
    async def test_a_connection_that_died_meanwhile_is_replaced(self, end: str) -> None:
        async with scripted({}) as server, opened(server.port) as submission:
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            server.replies["MAIL"] = end

            async def heal() -> None:
                while server.connections < 2:
                    await asyncio.sleep(0)
                server.replies["MAIL"] = "250 ok"

            await asyncio.gather(submission.submit(principal(), SENDER, [DAVE], MESSAGE), heal())
            assert len(server.messages) == 2

    async def test_no_more_than_so_many_are_kept(self) -> None:
        async with scripted({}) as server, opened(server.port, max_idle=2) as submission:
            await asyncio.gather(*(submission.submit(principal(), SENDER, [DAVE], MESSAGE) for _ in range(6)))
            async with asyncio.timeout(20):
                while server.commands.count("QUIT") != 4:
                    await asyncio.sleep(0.01)

    async def test_no_more_than_so_many_send_at_once(self) -> None:
        few = {"max_connections": 1, "timeout": 1, "answer_timeout": 60}
        async with scripted({".": HANG}) as server, opened(server.port, **few) as submission:
            first = asyncio.create_task(submission.submit(principal(), SENDER, [DAVE], MESSAGE))
            async with asyncio.timeout(20):
                while not server.messages:
                    await asyncio.sleep(0.01)
            with pytest.raises(SubmissionError, match="too many") as caught:
                await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            assert caught.value.kind is Kind.SERVER_ERROR_RETRY
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    async def test_after_closing_nothing_is_kept(self) -> None:
        async with scripted({}) as server:
            submission = SmtpSubmission(settings(server.port))
            await submission.aclose()
            await submission.submit(principal(), SENDER, [DAVE], MESSAGE)
            await submission.aclose()
            assert server.commands[-1] == "QUIT"
