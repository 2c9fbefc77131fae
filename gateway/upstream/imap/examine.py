"""What an administrator should know of the IMAP server: reachable, secured, what it can do, a login."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from gateway.errors import AuthenticationFailed, UpstreamCrowded, UpstreamError
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.types import Credentials
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.remedies import is_local, remedy

__all__ = ["examine"]

_PATIENCE = 10.0
_MORE = "raise the limit of the server (Dovecot: mail_max_userip_connections)"
_DEAR = {
    "CONDSTORE": "flags that other mail programs change are found by listing all flags, once a minute",
    "UIDPLUS": "messages that are moved or sent have to be searched for to know their new ids",
    "IDLE": "new mail is looked for from time to time: phones learn of it late",
}
"""Extensions whose lack phones notice."""
_CHEAP = {
    "QRESYNC": "what was deleted is found by listing the UIDs of a mailbox that changed",
    "NOTIFY": "folders besides the INBOX are looked at from time to time (imap.poll_interval)",
    "MOVE": "messages are copied and deleted instead, which is not one step",
    "SPECIAL-USE": "folders for sent, deleted and junk mail are recognised by their names",
    "LIST-STATUS": "looking at folders takes one question for each",
    "OBJECTID": "folders that other programs rename are new folders to phones",
    "ESEARCH": "answers to searches are longer",
    "MULTISEARCH": "searches in all folders take one question for each",
    "SEARCH=FUZZY": "words are found only as they are written",
    "SASL-IR": "logins take one round trip more",
}


async def examine(settings: ImapSettings, credentials: Credentials | None) -> AsyncIterator[Finding]:
    """Look at the server as the gateway does, with a login when there are credentials for one."""
    settings = replace(settings, timeout=min(settings.timeout, _PATIENCE))
    try:
        session = await open_connection(settings)
    except (UpstreamError, OSError) as error:
        yield bad(str(error), remedy("imap", settings.host, str(error)))
        return
    try:
        yield _secured(settings)
        if credentials is None:
            yield good("what it can do is known after a login alone: give --user")
            return
        async for finding in _logged_in(session, credentials):
            yield finding
    finally:
        session.close()


def _secured(settings: ImapSettings) -> Finding:
    server = f"{settings.host}:{settings.port} answers"
    if settings.security == "none" and not is_local(settings.host):
        return doubtful(f"{server}, in clear text", 'set imap.security to "tls" or "starttls"')
    if settings.security != "none" and not settings.verify:
        return doubtful(f"{server}, and its certificate is not checked", "set imap.verify to true")
    return good(f"{server}, security {settings.security}")


async def _logged_in(session: Session, credentials: Credentials) -> AsyncIterator[Finding]:
    try:
        await log_in(session, credentials)
    except AuthenticationFailed as error:
        yield bad(
            f"{error} (as {credentials.login})",
            "look at the password, and at what imap.login makes of the user",
        )
        return
    except UpstreamCrowded as error:
        yield bad(str(error), f"{_MORE}; users of the gateway all come from its one address")
        return
    except UpstreamError as error:
        yield bad(str(error), "look at the log of the IMAP server")
        return
    yield good(f"login of {credentials.login}")
    for finding in _abilities(session.capabilities):
        yield finding
    yield await _room(session.settings, credentials)


async def _room(settings: ImapSettings, credentials: Credentials) -> Finding:
    """Whether a user may have as many connections as the gateway wants, one of which is open."""
    wanted = settings.max_connections_per_user
    opened: list[Session] = []
    try:
        while len(opened) + 1 < wanted:
            session = await open_connection(settings)
            await log_in(session, credentials)
            opened.append(session)
    except UpstreamError as error:
        return doubtful(
            f"a user may have {len(opened) + 1} connections more, and the gateway wants {wanted}: {error}",
            f"{_MORE}, or lower imap.max_connections_per_user",
        )
    finally:
        for session in opened:
            session.close()
    return good(f"a user may have {wanted} connections")


def _abilities(offered: frozenset[str]) -> Iterator[Finding]:
    """What it has, and of each extension it has not, what that costs."""
    has = [name for name in (*_DEAR, *_CHEAP) if name in offered]
    yield good(f"has {', '.join(has) or 'no extension that is of use'}")
    for name, cost in _DEAR.items():
        if name not in offered and not (name == "IDLE" and "NOTIFY" in offered):
            yield doubtful(f"without {name} {cost}", f"turn {name} on in the server, if it can do that")
    for name, cost in _CHEAP.items():
        if name not in offered:
            yield good(f"without {name} {cost}")
