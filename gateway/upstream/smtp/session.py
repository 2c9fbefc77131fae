"""One connection to the SMTP server: the only place that uses aiosmtplib.

The library's own way to send a message loses the difference between a connection that died before the end
of the message and one that died after it, and sends to some recipients when others are refused; so the
commands of a submission are given one by one here.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPStatus
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from gateway.errors import AuthenticationFailed, Kind, SubmissionError
from gateway.mail.pieces import pieces
from gateway.ports import Pieces
from gateway.types import BearerToken, Credentials
from gateway.upstream import sasl
from gateway.upstream.smtp.replies import Step, refusal, temporary, too_many
from gateway.upstream.smtp.settings import SmtpSettings

__all__ = ["Envelope", "Session"]

_POLL = 0.005
_QUIT_SECONDS = 2.0
_TAKEN = (250, 251)
_CLOSING = 421
_LONGEST_COMMAND = 510
"""Octets of a command without its line end (RFC 5321 4.5.3.1.4, RFC 4954 4)."""
_MOST_REFUSED = 10
"""Recipients that are refused, after which the server is not asked about more of them."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends what to whom: checked addresses, and a message with CRLF line ends that ends with one.

    `ascii` tells whether the message is.
    """

    sender: str
    recipients: tuple[str, ...]
    message: bytes | Pieces
    ascii: bool = True


class Session:
    """A connection, ready for a message. Made by `connect`; of no use any more once not `usable`."""

    def __init__(self, client: SMTP, settings: SmtpSettings) -> None:
        self._client = client
        self._settings = settings

    @classmethod
    async def connect(
        cls,
        settings: SmtpSettings,
        tls: ssl.SSLContext | None,
        hello_name: str,
        credentials: Credentials | None,
    ) -> Session:
        """Connect, secure and log in. Raises `SubmissionError`."""
        client = SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=hello_name,
            timeout=settings.timeout,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=tls,
        )
        session = cls(client, settings)
        try:
            await client.connect()
            await client.ehlo()
            if credentials is not None:
                await session._login(credentials)
        except (SMTPException, OSError) as error:
            session.close()
            raise temporary(f"no connection to {settings.host}:{settings.port}: {error}") from error
        except BaseException:
            session.close()
            raise
        return session

    @property
    def usable(self) -> bool:
        """Whether the connection still stands, as far as is known here."""
        return self._client.is_connected

    @property
    def offers(self) -> Mapping[str, str]:
        """The extensions that the server offers, in lower case, with their parameters (RFC 5321 4.1.1.1)."""
        return self._client.esmtp_extensions

    def close(self) -> None:
        """Drop the connection at once."""
        self._drop(self._client.transport)

    async def quit(self) -> None:
        """Take leave of the server."""
        transport = self._client.transport
        with suppress(SMTPException, OSError):
            await self._client.quit(timeout=_QUIT_SECONDS)
        self._drop(transport)
        await asyncio.sleep(0)

    def _drop(self, transport: asyncio.BaseTransport | None) -> None:
        self._client.close()
        if transport is not None:
            # The farewell of TLS would keep the connection for as long as the server likes.
            cast(asyncio.WriteTransport, transport).abort()

    async def mail(self, envelope: Envelope) -> bool:
        """Begin a message; False when the connection turned out to be dead or at its end.

        Raises `SubmissionError` when the server does not take it.
        """
        options = self._options(envelope)
        try:
            reply = await self._client.execute_command(
                b"MAIL", b"FROM:<" + envelope.sender.encode() + b">", *options
            )
        except (SMTPException, OSError):
            self.close()
            return False
        if reply.code == 421:
            self.close()
            return False
        await self._expect(reply, "MAIL", 250)
        return True

    async def send(self, envelope: Envelope) -> None:
        """Name all recipients and hand over the message; the server has taken it on return.

        Raises `SubmissionError`; when one recipient is refused, nobody gets the message.
        """
        await self._name(envelope.recipients)
        await self._expect(await self._command(b"DATA"), "DATA", 354)
        reply = await self._transfer(envelope.message)
        await self._expect(reply, "DATA", 250)

    async def _name(self, recipients: Sequence[str]) -> None:
        """Name the recipients. Raises `SubmissionError`, with those that are refused.

        The others are asked about, too, but not for long: servers hang up on who asks for many that are none.
        """
        first: SMTPResponse | None = None
        refused: dict[str, bool] = {}
        for at, recipient in enumerate(recipients):
            try:
                reply = await self._command(b"RCPT", b"TO:<" + recipient.encode() + b">")
            except SubmissionError:
                if first is None:
                    raise
                break
            if reply.code in _TAKEN:
                continue
            first = first or reply
            if reply.code == _CLOSING:  # whoever was to be named
                break
            refused[recipient] = 500 <= reply.code < 600
            if too_many(reply.code, reply.message):
                refused |= dict.fromkeys(recipients[at + 1 :], False)
                break
            if len(refused) == _MOST_REFUSED:
                break
        if first is not None:
            await self._reset()
            raise refusal("RCPT", first.code, first.message, refused)

    def _options(self, envelope: Envelope) -> list[bytes]:
        """Parameters of MAIL. Raises `SubmissionError` for what the server says it cannot do."""
        offered = self._client.esmtp_extensions
        options: list[bytes] = []
        if "size" in offered:
            size, limit = len(envelope.message), offered["size"].strip()
            if limit.isdecimal() and 0 < int(limit) < size:
                raise SubmissionError(
                    f"the message has {size} octets, the server takes {limit}",
                    kind=Kind.TOO_LARGE,
                    permanent=True,
                )
            options.append(b"SIZE=%d" % size)
        if "8bitmime" in offered and not envelope.ascii:
            options.append(b"BODY=8BITMIME")
        if not all(address.isascii() for address in (envelope.sender, *envelope.recipients)):
            if "smtputf8" not in offered:
                raise SubmissionError(
                    "an address is not ASCII, and the server takes no others",
                    kind=Kind.RECIPIENT_UNRESOLVED,
                    permanent=True,
                )
            options.append(b"SMTPUTF8")
        return options

    async def _login(self, credentials: Credentials) -> None:
        settings, methods = self._settings, self._client.server_auth_methods
        try:
            offered = {method.upper() for method in methods}
            initial = sasl.choose(credentials, offered, settings.host, settings.port)
            if initial is not None:
                await self._authenticate(initial)
            elif "login" in methods and not isinstance(credentials, BearerToken):
                await self._client.auth_login(*sasl.plain_login(credentials))
            else:
                bearer = isinstance(credentials, BearerToken)
                wanted = "OAUTHBEARER or XOAUTH2" if bearer else "PLAIN or LOGIN"
                detail = f"the server offers no login by {wanted}: look at smtp.security and smtp.auth"
                raise SubmissionError(detail)
        except SMTPAuthenticationError as error:
            if 400 <= error.code < 500:
                raise temporary(f"login failed for now: {error.code} {error.message}") from error
            raise SubmissionError(
                f"the SMTP server refused the login of {credentials.login}: {error.code}"
            ) from error
        except AuthenticationFailed as error:
            raise SubmissionError(error.detail) from error

    async def _authenticate(self, initial: sasl.Initial) -> None:
        """AUTH (RFC 4954 4). Raises `SMTPAuthenticationError`."""
        client, words = self._client, (b"AUTH", initial.mechanism.encode())
        response = base64.b64encode(initial.response)
        if len(b" ".join((*words, response))) <= _LONGEST_COMMAND:
            reply = await client.execute_command(*words, response)
        else:  # tokens are longer than a command may be, and go on a line of their own
            reply = await client.execute_command(*words)
            if reply.code == SMTPStatus.auth_continue:
                reply = await client.execute_command(response)
        if reply.code == SMTPStatus.auth_continue and initial.surrender is not None:
            reply = await client.execute_command(base64.b64encode(initial.surrender))
        if reply.code != SMTPStatus.auth_successful:
            raise SMTPAuthenticationError(reply.code, reply.message)

    async def _command(self, *words: bytes) -> SMTPResponse:
        try:
            return await self._client.execute_command(*words)
        except (SMTPException, OSError) as error:
            self.close()
            raise temporary(f"connection lost before the message was sent: {error}") from error

    async def _expect(self, reply: SMTPResponse, step: Step, *codes: int) -> None:
        """Raises `SubmissionError` unless the reply has one of the codes; the next message may still come."""
        if reply.code in codes:
            return
        await self._reset()
        raise refusal(step, reply.code, reply.message)

    async def _reset(self) -> None:
        """Make the connection ready for another message, or close it."""
        with suppress(SMTPException, OSError):
            if (await self._client.rset()).code != 250:
                self.close()

    async def _transfer(self, message: bytes | Pieces) -> SMTPResponse:
        """Send the message after the server said 354, and wait for its answer."""
        protocol = self._client.protocol
        if protocol is None:
            raise temporary("connection lost before the message was sent")
        # Read from the start: a server may refuse a message before its end.
        answer = asyncio.create_task(protocol.read_response())
        ended = False
        try:
            await asyncio.sleep(0)
            async with asyncio.timeout(self._settings.timeout + len(message) / self._settings.slowest_rate):
                await _write(protocol, _stuffed(message), answer)
            if not answer.done():
                ended = True
                protocol.write(b".\r\n")
            async with asyncio.timeout(self._settings.answer_timeout):
                reply = await answer
        except (SMTPException, OSError) as error:
            self.close()
            raise _broken(error, ended) from error
        finally:
            if not answer.done():
                # Cancelled or timed out: what the server says later must not be taken for another answer.
                answer.cancel()
                self.close()
            elif not answer.cancelled():
                # Writing may have failed first; asyncio complains of errors nobody looked at.
                answer.exception()
        if not ended:
            self.close()
        return reply


def _broken(error: Exception, ended: bool) -> SubmissionError:
    """The error for a connection that broke during DATA, or after the message when it had `ended`."""
    when = "after the message was sent, before the answer" if ended else "while the message was sent"
    return SubmissionError(
        f"connection lost {when}: {type(error).__name__}", kind=Kind.SERVER_ERROR_RETRY, sent_unknown=ended
    )


def _stuffed(message: bytes | Pieces) -> Iterator[bytes]:
    """The message with a second dot where a line begins with one (RFC 5321 4.5.2)."""
    before = b"\r\n"
    for piece in pieces(message):
        joined = before + piece
        yield joined.replace(b"\r\n.", b"\r\n..")[len(before) :]
        before = joined[-2:]


async def _write(
    protocol: SMTPProtocol, message: Iterable[bytes], answer: asyncio.Task[SMTPResponse]
) -> None:
    """Write until all is on its way to the kernel, or the server has answered."""
    for piece in message:
        if answer.done():
            return
        protocol.write(piece)
        # Not by isinstance: the transports of uvloop share no class with those of asyncio.
        transport = cast(asyncio.WriteTransport, protocol.transport)
        # Asyncio tells only the protocol, which is the library's, when there is room again.
        while transport.get_write_buffer_size() > 0 and not answer.done():  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
