"""The wire of the small phone: a command is one HTTP POST with WBXML both ways (MS-ASHTTP 2.2)."""

from __future__ import annotations

import base64
import http.client
import urllib.parse
from dataclasses import dataclass, field

from wbxml import DecodeError, Element, decode, encode

PATH = "/Microsoft-Server-ActiveSync"
VERSION = "16.1"
WBXML = "application/vnd.ms-sync.wbxml"
REQUEST_SECONDS = 30.0


class PhoneError(Exception):
    """The gateway did not do what a phone may expect; the message says what it did instead.

    `code` is that of HTTP when it was not 200; 0 otherwise.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Account:
    """What the user typed into the phone, and what the phone is."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    device_id: str
    device_type: str = "DemoPhone"
    tls: bool = False

    def authorization(self) -> str:
        """The value of the Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(slots=True)
class Client:
    """Sends commands for an account, each on its own connection, so that a held Ping blocks nothing."""

    account: Account
    policy_key: str = "0"

    def options(self) -> tuple[str, str]:
        """Asks what the server speaks: the lists of protocol versions and of commands, as sent."""
        response, _ = self._exchange("OPTIONS", PATH, b"", {}, REQUEST_SECONDS)
        versions, commands = (
            response.getheader(name, "") for name in ("MS-ASProtocolVersions", "MS-ASProtocolCommands")
        )
        return versions, commands

    def command(
        self, name: str, request: Element | None, *, seconds: float = REQUEST_SECONDS
    ) -> Element | None:
        """Posts a command; None when the answer has no body. Raises `PhoneError` for any code but 200."""
        query = {
            "Cmd": name,
            "User": self.account.user,
            "DeviceId": self.account.device_id,
            "DeviceType": self.account.device_type,
        }
        headers = {"MS-ASProtocolVersion": VERSION, "X-MS-PolicyKey": self.policy_key}
        body = b""
        if request is not None:
            body = encode(request)
            headers["Content-Type"] = WBXML
        target = f"{PATH}?{urllib.parse.urlencode(query)}"
        response, answer = self._exchange("POST", target, body, headers, seconds)
        if not answer:
            return None
        content_type = response.getheader("Content-Type", "")
        if content_type != WBXML:
            raise PhoneError(f"{name} was answered with {content_type or 'no Content-Type'}, not {WBXML}")
        try:
            return decode(answer)
        except DecodeError as error:
            raise PhoneError(f"the answer to {name} cannot be read: {error}") from error

    def _exchange(
        self, method: str, target: str, body: bytes, headers: dict[str, str], seconds: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        account = self.account
        made = http.client.HTTPSConnection if account.tls else http.client.HTTPConnection
        connection = made(account.host, account.port, timeout=seconds)
        agent = f"{account.device_type}/1.0"
        try:
            sent = {"Authorization": account.authorization(), "User-Agent": agent, **headers}
            connection.request(method, target, body, sent)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise PhoneError(f"{method} {target.partition('&')[0]}: {error!r}") from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise PhoneError(
                f"{method} {target.partition('&')[0]} was answered {response.status} {response.reason}",
                response.status,
            )
        return response, answer
