"""The answer to whoever does not log in, or cannot for now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.eas import status
from gateway.errors import AuthenticationFailed, GatewayError
from gateway.types import Principal
from gateway.web.auth import Authentication, Throttled
from gateway.web.http import Response
from gateway.web.ways import Ways

__all__ = ["NotLoggedIn", "log_in", "unauthorized"]

_REALM = 'Basic realm="ActiveSync"'


@dataclass(frozen=True, slots=True)
class NotLoggedIn:
    """What is answered, and why; the reason is for the log alone."""

    response: Response
    reason: str


async def log_in(
    authentication: Authentication,
    headers: Mapping[str, str],
    address: str,
    device: str = "",
    *,
    shared: bool,
    trusted: bool,
) -> Principal | NotLoggedIn:
    """Return who sends a request with these headers, or the answer to who is not known (MS-ASHTTP 2.2.2.1.1).

    `trusted`: a proxy hands it on, which says whose certificate it checked. For `device` and `shared` see
    `Authentication.login`.
    """
    way, header = authentication.ways.certificates, headers.get("authorization")
    try:
        certificate = None if way is None else way.certificates.user_of(headers, trusted=trusted)
        return await authentication.login(header, address, device, shared=shared, certificate=certificate)
    except AuthenticationFailed as error:
        scheme, _, token = (header or "").strip().partition(" ")
        invalid = scheme.lower() == "bearer" and bool(token.strip())
        return NotLoggedIn(unauthorized(authentication.ways, invalid_token=invalid), error.detail)
    except Throttled as error:
        again = Response(503, {"Retry-After": str(error.seconds)})
        return NotLoggedIn(again, "too many attempts with wrong credentials")
    except GatewayError as error:
        again = Response(503, {"Retry-After": str(status.retry_after(error))})
        return NotLoggedIn(again, f"cannot check credentials: {error.detail}")


def unauthorized(ways: Ways, *, invalid_token: bool = False) -> Response:
    """The answer that asks for other credentials; 403 would end the account on the phone."""
    response = Response(
        401,
        {"Content-Type": "text/plain; charset=utf-8"},
        b"Log in with the user name and password of your mail account.\n",
    )
    challenges = [_REALM]
    if ways.tokens is not None:
        challenges.append(ways.tokens.challenge("invalid_token" if invalid_token else ""))
    response.more_headers = [("WWW-Authenticate", one) for one in challenges]
    return response
