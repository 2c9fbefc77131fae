"""From a connection to a logged-in session: greeting, STARTTLS, login, and the extensions turned on.

AuthenticationFailed   the server refused the credentials
UpstreamRefused        it refuses to be logged in to like this at all (LOGINDISABLED)
UpstreamUnavailable    it cannot say whether they are right (RFC 5530 UNAVAILABLE, INUSE ...)
UpstreamCrowded        of these, it allows the user no further connection (RFC 5530 LIMIT)
UpstreamConfused       it offers less than the settings demand (STARTTLS), or logs everybody in (PREAUTH)
"""

from __future__ import annotations

import re

from gateway.errors import (
    AuthenticationFailed,
    UpstreamConfused,
    UpstreamCrowded,
    UpstreamRefused,
    UpstreamUnavailable,
)
from gateway.types import BearerToken, Credentials
from gateway.upstream import sasl
from gateway.upstream.imap import commands
from gateway.upstream.imap.responses import Condition
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.imap.syntax import Command, CommandError

TEMPORARY_CODES = frozenset({"UNAVAILABLE", "INUSE", "SERVERBUG", "CONTACTADMIN", "OVERQUOTA"})
_TEMPORARY_TEXT = re.compile(r"temporar|try again|internal error", re.IGNORECASE)
_CROWDED_TEXT = re.compile(r"too many|maximum number", re.IGNORECASE)


async def open_connection(settings: ImapSettings) -> Session:
    """Connect, see the greeting, turn on TLS. Raises `UpstreamError`."""
    session = Session(settings)
    greeting = await session.connect()
    try:
        if greeting.status is Condition.PREAUTH:
            # Whoever we would be, it would not be the user who asks.
            raise UpstreamConfused(f"{settings.host} greets with PREAUTH: it would accept any password")
        if not session.capabilities:
            await session.execute(commands.simple("CAPABILITY"))
        if settings.security == "starttls":
            if "STARTTLS" not in session.capabilities:
                raise UpstreamConfused(f"{settings.host} offers no STARTTLS")
            await session.starttls()
            await session.execute(commands.simple("CAPABILITY"))
    except BaseException:
        session.close()
        raise
    return session


async def log_in(session: Session, credentials: Credentials) -> None:
    """Log in and turn on what is useful. Closes the session when it raises."""
    try:
        await _authenticate(session, credentials)
        await _enable(session)
    except BaseException:
        session.close()
        raise


async def _authenticate(session: Session, credentials: Credentials) -> None:
    before = session.capabilities
    try:
        command = _login_command(session, credentials)
    except CommandError as error:
        # A NUL, which no password the server knows can have.
        raise AuthenticationFailed(f"login or password cannot be sent: {error}") from None
    # Forget what was offered to strangers: the server may tell anew unasked, or must be asked.
    session.learn_capabilities(frozenset())
    reply = await session.start(command)
    tagged = reply.tagged
    host = session.settings.host
    if tagged.status is Condition.NO:
        # The text is left out: nobody knows what a server repeats there.
        code = tagged.code.name if tagged.code else ""
        if code == "LIMIT" or _CROWDED_TEXT.search(tagged.text):
            raise UpstreamCrowded(f"{host} allows the user no further connection")
        if code in TEMPORARY_CODES or _TEMPORARY_TEXT.search(tagged.text):
            raise UpstreamUnavailable(f"{host} cannot check the login now {code}".rstrip())
        if code == "PRIVACYREQUIRED":
            raise UpstreamRefused(f"{host} takes no login over this connection", code)
        raise AuthenticationFailed(f"{host} refused the login {code}".rstrip())
    if tagged.status is not Condition.OK:
        raise UpstreamConfused(f"{host}: BAD to {command.name}")
    if not session.capabilities:
        session.learn_capabilities(before)
        await session.execute(commands.simple("CAPABILITY"))


def _login_command(session: Session, credentials: Credentials) -> Command:
    offered, settings = session.capabilities, session.settings
    mechanisms = {name.removeprefix("AUTH=") for name in offered if name.startswith("AUTH=")}
    initial = sasl.choose(credentials, mechanisms, settings.host, settings.port)
    if initial is not None:
        return commands.authenticate(initial, at_once="SASL-IR" in offered)
    if isinstance(credentials, BearerToken):
        raise UpstreamRefused(f"{settings.host} offers no login by OAUTHBEARER or XOAUTH2", "NOPERM")
    if "LOGINDISABLED" in offered:
        detail = f"{settings.host} forbids LOGIN (LOGINDISABLED) and offers no AUTH=PLAIN; is TLS missing?"
        raise UpstreamRefused(detail, "PRIVACYREQUIRED")
    return commands.login(session.dialect, *sasl.plain_login(credentials))


async def _enable(session: Session) -> None:
    """ENABLE, NAMESPACE and ID in one round trip. None of them is worth a failure."""
    offered = session.capabilities
    wanted: list[Command] = []
    if "ENABLE" in offered:
        synchronising = [name for name in ("QRESYNC", "CONDSTORE") if name in offered]
        utf8 = ["UTF8=ACCEPT"] if offered & {"UTF8=ACCEPT", "UTF8=ONLY"} else []
        names = [*synchronising[:1], *utf8]
        wanted += [commands.enable(names)] if names else []
    if "NAMESPACE" in offered:
        wanted.append(commands.simple("NAMESPACE"))
    if "ID" in offered:
        # Some servers show nothing to a client that does not say who it is.
        wanted.append(commands.client_id(session.dialect, {"name": "activesync-gateway"}))
    with session.together():
        futures = [session.start(command) for command in wanted]
    for future in futures:
        await future
    if session.closed:
        raise UpstreamUnavailable(f"{session.settings.host} closed the connection after the login")
