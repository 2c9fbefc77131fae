"""The answer to whoever does not log in, or cannot for now."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.eas import status
from gateway.errors import AuthenticationFailed, UpstreamError
from gateway.types import Principal
from gateway.web.auth import Authentication, Throttled
from gateway.web.http import Response

__all__ = ["NotLoggedIn", "log_in", "unauthorized"]

_REALM = 'Basic realm="ActiveSync"'


@dataclass(frozen=True, slots=True)
class NotLoggedIn:
    """What is answered, and why; the reason is for the log alone."""

    response: Response
    reason: str


async def log_in(
    authentication: Authentication, header: str | None, address: str, device: str = "", *, shared: bool
) -> Principal | NotLoggedIn:
    """Return who sends an Authorization header, or the answer to whom nobody knows (MS-ASHTTP 2.2.2.1.1).

    For `device` and `shared` see `Authentication.login`.
    """
    try:
        return await authentication.login(header, address, device, shared=shared)
    except AuthenticationFailed as error:
        return NotLoggedIn(unauthorized(), error.detail)
    except Throttled as error:
        again = Response(503, {"Retry-After": str(error.seconds)})
        return NotLoggedIn(again, "too many attempts with wrong credentials")
    except UpstreamError as error:
        again = Response(503, {"Retry-After": str(status.RETRY_AFTER)})
        return NotLoggedIn(again, f"cannot check credentials: {error.detail}")


def unauthorized() -> Response:
    """The answer that asks for other credentials; 403 would end the account on the phone."""
    return Response(
        401,
        {"WWW-Authenticate": _REALM, "Content-Type": "text/plain; charset=utf-8"},
        b"Log in with the user name and password of your mail account.\n",
    )
