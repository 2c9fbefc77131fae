"""Who sends a request: HTTP Basic, checked upstream, with a pause that grows while passwords are wrong."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import OrderedDict
from dataclasses import dataclass

from gateway.eas.identity import Identity
from gateway.errors import AuthenticationFailed
from gateway.ports import Authenticator
from gateway.types import Principal

__all__ = ["Authentication", "Throttled"]

_FIRST_PAUSE = 0.5
_FORGET_AFTER = 900.0
_MOST_ENTRIES = 10_000


class Throttled(Exception):
    """So many attempts wait that this one is not taken on. `seconds` is when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Authentication:
    """Turns an Authorization header into a principal; `max_delay` is the longest pause, in seconds."""

    def __init__(self, authenticator: Authenticator, identity: Identity, *, max_delay: float) -> None:
        self._authenticator = authenticator
        self._identity = identity
        self._pauses = _Pauses(max_delay)

    async def login(self, header: str | None, address: str) -> Principal:
        """Return who sends the header from the address.

        Raises AuthenticationFailed, Throttled, and UpstreamError when nobody could be asked.
        """
        user, password = _basic(header)
        principal = self._identity.principal(user, password)
        source = (address, str(principal.user))
        await self._pauses.wait(source)
        try:
            await self._authenticator.authenticate(principal.credentials)
        except AuthenticationFailed:
            self._pauses.lengthen(source)
            raise AuthenticationFailed(f"wrong credentials for {user[:100]!a}") from None
        self._pauses.end(source)
        return principal


def _basic(header: str | None) -> tuple[str, str]:
    """Read user and password (RFC 7617): UTF-8, or ISO-8859-1 where it is none."""
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        raise AuthenticationFailed("no Basic credentials")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise AuthenticationFailed("credentials are not base64") from None
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError:
        text = decoded.decode("latin-1")
    user, colon, password = text.partition(":")
    user = user.strip()
    if not (colon and user) or any(character in text for character in "\0\r\n"):
        raise AuthenticationFailed("credentials are not user:password")
    return user, password


@dataclass(slots=True)
class _Pause:
    """`length` is what lies between two attempts, `free_at` when the next may start, both in seconds."""

    length: float
    free_at: float


class _Pauses:
    """Time between attempts from one address at one user, doubled by each failure, ended by a success.

    The pause lies before the attempt, even where the password is right: an answer that comes sooner must not
    tell that a guess was good.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._by_source: OrderedDict[tuple[str, str], _Pause] = OrderedDict()

    async def wait(self, source: tuple[str, str]) -> None:
        pause = self._by_source.get(source)
        if pause is None:
            return
        now = _now()
        if now > pause.free_at + _FORGET_AFTER:
            del self._by_source[source]
            return
        delay = max(0.0, pause.free_at - now)
        if delay > self._longest:
            raise Throttled(int(delay) + 1)
        pause.free_at = now + delay + pause.length
        await asyncio.sleep(delay)

    def lengthen(self, source: tuple[str, str]) -> None:
        pause = self._by_source.pop(source, None)
        length = min(self._longest, _FIRST_PAUSE if pause is None else pause.length * 2)
        free_at = _now() + length
        self._by_source[source] = _Pause(length, free_at if pause is None else max(free_at, pause.free_at))
        if len(self._by_source) > _MOST_ENTRIES:
            self._by_source.popitem(last=False)

    def end(self, source: tuple[str, str]) -> None:
        self._by_source.pop(source, None)


def _now() -> float:
    return asyncio.get_running_loop().time()
