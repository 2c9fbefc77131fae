"""An SMTP server that takes what the test's Dovecot takes: passwords, a master user, tokens of a provider."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from aiosmtpd.smtp import SMTP, AuthResult
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.support.dovecot_config import MASTER, MASTER_PASSWORD
from tests.support.openid import OpenIdProvider
from tests.support.smtp_sink import PASSWORD, Received, SmtpSink, Switches, _Handler

_REFUSED = base64.b64encode(json.dumps({"status": "401"}).encode()).decode()


# No slots, as its base.
@dataclass
class _LoginHandler(_Handler):
    """Who logged in is the user for whom mail is sent, however he was named."""

    provider: OpenIdProvider | None = None

    async def auth_PLAIN(self, _server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        authority, login, password = base64.b64decode(args[1]).decode().split("\0")
        if authority and authority != login:
            good = (login, password) == (MASTER, MASTER_PASSWORD)
        else:
            good = password == PASSWORD
        return AuthResult(success=good, handled=False, auth_data=(authority or login).encode())

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        fields = (await _response(server, args)).split("\x01")
        user, token = fields[0].removeprefix("user="), fields[1].removeprefix("auth=Bearer ")
        return await self._token(server, user, token)

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        head, *fields = (await _response(server, args)).split("\x01")
        (token,) = [one.removeprefix("auth=Bearer ") for one in fields if one.startswith("auth=")]
        return await self._token(server, head.split(",")[1].removeprefix("a="), token)

    async def _token(self, server: SMTP, user: str, token: str) -> AuthResult:
        assert self.provider is not None
        try:
            claims = jwt.decode(token, KeySet(list(self.provider.keys)), algorithms=["RS256"]).claims
            good = claims["email"].partition("@")[0] == user
        except JoseError:
            good = False
        if not good:  # the client has to answer the challenge before it is told (RFC 7628 3.2.3)
            await server.push(f"334 {_REFUSED}")
            await server._reader.readline()
        return AuthResult(success=good, handled=False, auth_data=user.encode())


async def _response(server: SMTP, args: list[str]) -> str:
    """The client's first message, with the command or asked for."""
    if len(args) > 1:
        return base64.b64decode(args[1]).decode()
    asked = await server.challenge_auth("")
    assert isinstance(asked, bytes)
    return asked.decode()


class LoginSink(SmtpSink):
    """As `SmtpSink` with `auth`; the `login` of what was received is the user it was sent for."""

    def __init__(
        self, provider: OpenIdProvider | None = None, *, deliver: Callable[[Received], object] | None = None
    ) -> None:
        super().__init__(auth=True, deliver=deliver)
        self._handler: _LoginHandler = _LoginHandler(Switches(), deliver, provider=provider)
        self.switches = self._handler.switches
