"""How each kind of credentials is said to a server: SASL, the same in IMAP, SMTP and ManageSieve.

PLAIN (RFC 4616) for passwords and master users; OAUTHBEARER (RFC 7628) for tokens, or XOAUTH2, which came
before it and which some servers have alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from gateway.errors import AuthenticationFailed
from gateway.types import BearerToken, Credentials, MasterUser, Password

__all__ = ["Initial", "choose", "plain_login"]

_SEPARATOR = "\x01"


@dataclass(frozen=True, slots=True)
class Initial:
    """A mechanism and the client's first message.

    `surrender` answers the server's challenge when it refuses a token and says why (RFC 7628 3.2.3); None
    where no challenge comes.
    """

    mechanism: str
    response: bytes = field(repr=False)
    surrender: bytes | None = None


def choose(credentials: Credentials, offered: Collection[str], host: str, port: int) -> Initial | None:
    """The best of the mechanisms the server offers (upper case); None when it has none for these.

    Raises `AuthenticationFailed` for what no mechanism can say.
    """
    if isinstance(credentials, BearerToken):
        if "OAUTHBEARER" in offered:
            login = credentials.login.replace("=", "=3D").replace(",", "=2C")
            place = (f"n,a={login},", f"host={host}", f"port={port}")
            return Initial("OAUTHBEARER", _joined(place, credentials), _SEPARATOR.encode())
        if "XOAUTH2" in offered:
            return Initial("XOAUTH2", _joined((f"user={credentials.login}",), credentials), b"")
        return None
    if "PLAIN" not in offered:
        return None
    authority = ""
    if isinstance(credentials, MasterUser) and not credentials.separator:
        authority, login, password = credentials.login, credentials.master, credentials.password
    else:
        login, password = plain_login(credentials)
    fields = (authority, login, password)
    if any("\0" in field for field in fields):
        raise AuthenticationFailed("login or password cannot be sent: it holds NUL")
    return Initial("PLAIN", _encoded("\0".join(fields)))


def plain_login(credentials: Password | MasterUser) -> tuple[str, str]:
    """Login and password for a server that takes no more than these two.

    Raises `AuthenticationFailed` for a master user who is not told apart by a separator.
    """
    if isinstance(credentials, Password):
        return credentials.login, credentials.password
    if not credentials.separator:
        raise AuthenticationFailed("a master user without a separator needs AUTH=PLAIN, which is not offered")
    if credentials.separator in credentials.login:
        raise AuthenticationFailed("a login with the separator in it would be taken for another user's")
    return f"{credentials.login}{credentials.separator}{credentials.master}", credentials.password


def _joined(fields: Collection[str], credentials: BearerToken) -> bytes:
    if any(character in credentials.login + credentials.token for character in "\0\x01"):
        raise AuthenticationFailed("login or token cannot be sent: it holds control characters")
    return _encoded(_SEPARATOR.join((*fields, f"auth=Bearer {credentials.token}", _SEPARATOR)))


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise AuthenticationFailed("login or password cannot be sent: it is no Unicode text") from None
