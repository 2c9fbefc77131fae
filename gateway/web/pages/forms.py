"""What browsers send: forms under a bound, and whether it was a page of ours that sent them.

A form is believed when the browser does not say that it comes from elsewhere, and when it holds the token
made of the browser's secret. The cookie with that is never sent along from another site (SameSite=Strict).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from gateway.web.http import BodyStalled, BodyTooLarge, headers_of, read_body
from gateway.web.pages.problems import Problem

__all__ = ["TOKEN", "Form", "check_origin", "check_token", "read_form"]

Form = Mapping[str, str]
"""The fields by name; of those given twice the last."""

TOKEN = "token"  # noqa: S105  (a name)
"""The field of a form with the token."""
_TOKEN_HEADER = "x-csrf-token"  # noqa: S105
"""Where scripts may send it instead."""
_TYPE = "application/x-www-form-urlencoded"
_MOST_BYTES = 16 * 1024
_MOST_FIELDS = 50
_ELSEWHERE = "This form was sent from another site, and nothing was done. Open the page here and try again."
_STALE = "This page was open for too long, or your browser keeps no cookies. Nothing was done: try again."


async def read_form(request: Request) -> Form:
    """The fields of a form that was posted. Raises `Problem`, and `ClientGone`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise Problem(415, "The page sent something else than a form.")
    try:
        body = await read_body(request.receive, headers_of(request.scope), _MOST_BYTES)
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except BodyTooLarge:
        raise Problem(413, "The form is too large.") from None
    except BodyStalled:
        raise Problem(408, "The form did not come in time. Try again.") from None
    except ValueError:
        raise Problem(400, "The form has too many fields.") from None
    return {name: value.replace("\0", "") for name, value in pairs}


def check_origin(request: Request, public_url: str | None) -> None:
    """Raise `Problem` when the browser says that a request comes from another site.

    Old browsers say the origin alone. It is ours if it is that of the URL, which some proxies hide.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise Problem(403, _ELSEWHERE)
        return
    origin = request.headers.get("origin")
    if origin is None:
        return
    here = {request.headers.get("host", "").lower()}
    if public_url:
        here.add(urlsplit(public_url).netloc.lower())
    if urlsplit(origin).netloc.lower() not in here:
        raise Problem(403, _ELSEWHERE)


def check_token(request: Request, form: Form, token: str) -> None:
    """Raise `Problem` when a request does not hold the token."""
    shown = form.get(TOKEN) or request.headers.get(_TOKEN_HEADER, "")
    if not token or not hmac.compare_digest(shown.encode(), token.encode()):
        raise Problem(403, _STALE)
