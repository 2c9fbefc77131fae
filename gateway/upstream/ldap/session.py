"""A connection to an LDAP server; the only place that knows ldap3. Everything here blocks, in a thread."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import ldap3
from ldap3.core.results import (
    RESULT_ADMIN_LIMIT_EXCEEDED,
    RESULT_BUSY,
    RESULT_INVALID_CREDENTIALS,
    RESULT_NO_SUCH_OBJECT,
    RESULT_SIZE_LIMIT_EXCEEDED,
    RESULT_SUCCESS,
    RESULT_UNAVAILABLE,
)

from gateway.errors import UpstreamError
from gateway.upstream.ldap.entries import Raw
from gateway.upstream.ldap.messages import MessageReader
from gateway.upstream.ldap.settings import LdapSettings, Url

__all__ = ["Found", "Identity", "Session", "SessionLost"]

_PAGE = 500
_ENOUGH = {RESULT_SUCCESS, RESULT_SIZE_LIMIT_EXCEEDED, RESULT_ADMIN_LIMIT_EXCEEDED}
_ELSEWHERE = {RESULT_BUSY, RESULT_UNAVAILABLE}
_PAGED_RESULTS = "1.2.840.113556.1.4.319"


class SessionLost(Exception):
    """No connection, or not any more: another server may have one."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a session is logged in as; without a DN nobody."""

    dn: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry. The names of its attributes are as the server said them, with options."""

    dn: str
    raw: dict[str, list[bytes]]

    @property
    def plain(self) -> Raw:
        """The values by names in lower case, without options."""
        together: dict[str, list[bytes]] = {}
        for name, values in self.raw.items():
            together.setdefault(name.partition(";")[0].lower(), []).extend(values)
        return together


class Session:
    """One connection. Each method raises `SessionLost`, or `UpstreamError` where no other would help."""

    def __init__(self, url: Url, identity: Identity, settings: LdapSettings, context: SSLContext) -> None:
        self.url = url
        self.identity = identity
        self._settings = settings
        seconds = max(1, round(settings.timeout))
        server = ldap3.Server(
            url.host,
            port=url.port,
            use_ssl=url.tls,
            tls=_Tls(context),
            get_info=ldap3.NONE,
            connect_timeout=settings.timeout,
        )
        self._connection: Any = ldap3.Connection(
            server,
            user=identity.dn or None,
            password=identity.password or None,
            authentication=ldap3.SIMPLE if identity.dn else ldap3.ANONYMOUS,
            auto_referrals=False,
            check_names=False,
            receive_timeout=seconds,
        )
        self._messages = MessageReader()
        self._connection.strategy.receiving = self._receive

    def open(self) -> None:
        """Connect, secure the connection and log in."""
        with self._talking():
            self._connection.open(read_server_info=False)
            secured = self.url.tls or not self._settings.starttls
            if not secured and not self._connection.start_tls(read_server_info=False):
                raise SessionLost(f"{self.url} does not offer StartTLS")
            self._connection.bind(read_server_info=False)
            code = self._connection.result["result"]
            said = self._connection.result["description"]
        if code in _ELSEWHERE:
            raise SessionLost(f"{self.url}: {said}")
        if code == RESULT_INVALID_CREDENTIALS:
            raise UpstreamError(f"{self.url} refused the login of {self.identity.dn or 'nobody'}")
        if code != RESULT_SUCCESS:
            raise UpstreamError(f"{self.url} refused the login: {said}")

    def search(
        self, condition: str, attributes: Sequence[str], most: int, *, whole: bool = False
    ) -> list[Found]:
        """Entries below the base that fulfil a filter, at most so many, and what the server allows.

        `whole`: what the server allows is no answer where there is more; raises `UpstreamError` then.
        """
        found: list[Found] = []
        cookie: bytes | None = None
        while True:
            found += self._search(
                self._settings.base,
                condition,
                ldap3.SUBTREE,
                attributes,
                paged_size=min(_PAGE, most),
                paged_cookie=cookie,
            )
            with self._talking():
                code = self._connection.result["result"]
                control = (self._connection.result.get("controls") or {}).get(_PAGED_RESULTS)
                cookie = control["value"]["cookie"] if control else None
            if whole and code != RESULT_SUCCESS and len(found) < most:
                raise UpstreamError(
                    f"{self.url} tells {len(found)} entries of one search, and there are more"
                )
            if not cookie or len(found) >= most:
                return found[:most]

    def read(self, dn: str, attributes: Sequence[str]) -> Found | None:
        """One entry by its name; None where it is not, or not to be seen."""
        found = self._search(dn, "(objectClass=*)", ldap3.BASE, attributes)
        return found[0] if found else None

    def close(self) -> None:
        """End the connection, of which nothing is expected any more."""
        opened = self._connection.socket
        if opened is not None:
            self.hang_up()
            opened.close()

    def hang_up(self) -> None:
        """End the connection from another thread: who waits for an answer in this one stops."""
        opened = self._connection.socket
        if opened is not None:
            with suppress(OSError):
                # Of the class, since that of a TLS socket takes away what the other thread still uses.
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    def _search(
        self, base: str, condition: str, scope: str, attributes: Sequence[str], **paging: object
    ) -> list[Found]:
        with self._talking():
            self._connection.search(base, condition, scope, attributes=list(attributes), **paging)
            code = self._connection.result["result"]
            said = self._connection.result["description"]
            found = [
                Found(one["dn"], dict(one["raw_attributes"]))
                for one in self._connection.response
                if one["type"] == "searchResEntry"
            ]
        if code in _ELSEWHERE:
            raise SessionLost(f"{self.url}: {said}")
        if code == RESULT_NO_SUCH_OBJECT and scope == ldap3.BASE:
            return []
        if code not in _ENOUGH:
            raise UpstreamError(f"{self.url}: the search failed: {said}")
        return found

    def _receive(self) -> list[bytes]:
        """The next message, as ldap3 asks for some; none at the end of the connection. Raises OSError."""
        message = self._messages.read(self._connection.socket)
        return [message] if message else []

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Over a bad reply, ldap3 raises whatever it stumbles over; the session is of no use then."""
        self._messages.begin()
        try:
            yield
        except SessionLost:
            raise
        except Exception as error:  # noqa: BLE001 (the log gets it from who asked)
            raise SessionLost(f"{self.url}: {_said(error)}") from None


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """TLS as the ssl module does it by itself: what ldap3 does is in its way, and gone from newer Pythons."""

    def __init__(self, context: SSLContext) -> None:
        super().__init__()
        self._context = context

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Put TLS over the socket of a connection."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=do_handshake
        )


def _said(error: Exception) -> str:
    """What went wrong, in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
