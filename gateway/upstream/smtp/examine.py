"""What an administrator should know of the SMTP server: reachable, secured, what it takes, a login."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace

from gateway.errors import SubmissionError
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.types import Credentials, Password
from gateway.upstream.remedies import is_local, remedy
from gateway.upstream.smtp.settings import SmtpSettings
from gateway.upstream.smtp.submission import SmtpSubmission

__all__ = ["examine"]

_PATIENCE = 10.0
_OURS = ("8bitmime", "smtputf8", "pipelining", "dsn")


async def examine(
    settings: SmtpSettings, credentials: Credentials | None, largest: int
) -> AsyncIterator[Finding]:
    """Look at the server as the gateway does, and send nothing. `largest`: octets of a phone's message."""
    submission = SmtpSubmission(replace(settings, timeout=min(settings.timeout, _PATIENCE)))
    try:
        session = await submission.connect(None)
    except SubmissionError as error:
        yield bad(str(error), remedy("smtp", settings.host, str(error)))
        return
    offers = dict(session.offers)
    await session.quit()
    for finding in (_secured(settings), *_abilities(settings, offers, largest)):
        yield finding
    if credentials is None and settings.auth == "user":
        yield good("a login was not tried: give --user")
        return
    login = submission.login_of(credentials or Password("", ""))
    if login is None:
        return
    try:
        session = await submission.connect(login)
    except SubmissionError as error:
        look = "look at smtp.login and smtp.password"
        if settings.auth == "user":
            look = "look at the password, at what imap.login makes of the user, and at smtp.auth"
        yield bad(str(error), look)
        return
    await session.quit()
    yield good(f"login of {login.login}")


def _secured(settings: SmtpSettings) -> Finding:
    server = f"{settings.host}:{settings.port} answers"
    if settings.security == "none" and not is_local(settings.host):
        return doubtful(f"{server}, in clear text", 'set smtp.security to "starttls" or "tls"')
    if settings.security != "none" and not settings.verify:
        return doubtful(f"{server}, and its certificate is not checked", "set smtp.verify to true")
    return good(f"{server}, security {settings.security}")


def _abilities(settings: SmtpSettings, offers: Mapping[str, str], largest: int) -> Iterator[Finding]:
    yield good(f"offers {', '.join(name.upper() for name in _OURS if name in offers) or 'no extension'}")
    if "smtputf8" not in offers:
        yield good("without SMTPUTF8 nobody is written to whose address has letters beyond ASCII")
    methods = offers.get("auth", "").upper().split()
    if settings.auth == "user" and not {"PLAIN", "LOGIN"} & set(methods):
        yield bad(
            f"offers no login by PLAIN or LOGIN ({' '.join(methods) or 'AUTH is missing'})",
            'look at smtp.port and smtp.security; if it wants no login, set smtp.auth to "none"',
        )
    size = offers.get("size", "").strip()
    if size.isdecimal() and 0 < int(size) < largest:
        yield doubtful(
            f"takes messages up to {int(size):,} octets, and the gateway up to {largest:,} (eas.max_body)",
            "raise the limit of the SMTP server, or lower eas.max_body",
        )
    else:
        yield good(
            f"takes messages up to {int(size):,} octets"
            if size.isdecimal() and int(size)
            else "names no limit for the size of messages"
        )
