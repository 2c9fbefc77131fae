"""Who sends a request: HTTP Basic, checked upstream, with pauses that grow while passwords are wrong.

Besides there are app passwords, tokens and certificates, where they are turned on (`ways`).

Attempts from an address at a user come one after the other, so that many at once are not spared the pauses.
Pauses lie before the attempt, even where the password is right: an answer that comes sooner must not tell
that a guess was good. There is one between the attempts from an address at a user, and one between all
attempts from an address, which begins only after many different wrong passwords: people share addresses.

A device that logged in before does not wait, so that nobody locks it out by guessing. What it is known by is
its id together with the password: by the password alone, of a thousand guesses sent at once the right one
would be answered at once.

Processes that share a store tell each other of failures, by digests that mean nothing to anybody else: who
asks all of them has no more attempts than at one. Of a wrong password they tell 16 bits, by which it is
recognised when a phone repeats it elsewhere, and by which nobody finds it.

A token is not guessed: a good one never waits, and what is put off is the answer to one that was forged. One
that has expired was good, and phones send many of those.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from weakref import WeakValueDictionary

from gateway.eas.apppasswords import recognised
from gateway.eas.identity import Identity
from gateway.errors import AuthenticationFailed, TokenExpired
from gateway.ports import Authenticator, Bus, NoOthers, Subject
from gateway.types import BearerToken, Credentials, DeviceId, Login, LoginKind, Principal, UserId
from gateway.web.pauses import Pauses
from gateway.web.ways import TokenWay, Ways

__all__ = ["Authentication", "Throttled"]

_CAPACITY = 10_000
"""Sources, devices, wrong passwords and users who were signed out that are remembered, of each."""
_ROUNDING = 0.001
"""Seconds by which a pause may seem longer than it is: uvloop's clock stands still within a round."""
_USER_RECOVERY = 150.0
_ADDRESS_ALLOWED = 30
_ADDRESS_RECOVERY = 30.0
"""Wrong passwords from one address that cost nothing, and the seconds after which one more may follow."""
_IPV6_HOST_BITS = 64


class Throttled(Exception):
    """So many attempts wait that this one is not taken on. `seconds` is when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Needless(AuthenticationFailed):
    """The upstream need not be asked."""


_NO_OTHER_WAYS = Ways()
_NO_OTHERS = NoOthers()
_FAILED, _ENDED, _CHANGED = "failed", "ended", "changed"


class Authentication:
    """Turns an Authorization header into a principal; `max_delay` is the longest pause, in seconds."""

    def __init__(
        self,
        authenticator: Authenticator,
        identity: Identity,
        *,
        max_delay: float,
        ways: Ways = _NO_OTHER_WAYS,
        bus: Bus = _NO_OTHERS,
    ) -> None:
        self.ways = ways
        self._bus = bus
        self._secret = bus.secret
        self._authenticator = authenticator
        self._identity = identity
        self._max_delay = max_delay
        self._users = Pauses(max_delay, allowed=0, recovery=_USER_RECOVERY, capacity=_CAPACITY)
        self._addresses = Pauses(
            max_delay, allowed=_ADDRESS_ALLOWED, recovery=_ADDRESS_RECOVERY, capacity=_CAPACITY
        )
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._proven = _Marks(_CAPACITY)
        self._wrong = _Marks(_CAPACITY)
        self._signed_out: OrderedDict[UserId, None] = OrderedDict()
        bus.listen(Subject.LOGINS, self._hear)

    async def login(
        self,
        header: str | None,
        address: str,
        device: str = "",
        *,
        shared: bool = False,
        certificate: str | None = None,
    ) -> Principal:
        """Return who sends the header from the address, by whichever way.

        `device` is the id the request names, "" for none. `shared`: the address is that of a proxy which does
        not tell its clients apart, and is not held against them. `certificate` is the user whom a verified
        certificate names, which is enough without a header.

        Raises AuthenticationFailed, Throttled, and UpstreamError when nobody could be asked.
        """
        way = self.ways.certificates
        if certificate is not None and way is not None:
            login = Login(LoginKind.CERTIFICATE)
            self._check_name(certificate, way.domains, login)
            if not (header or "").strip():
                return await self._opened(certificate, way.master.opens, login)
        scheme, _, given = (header or "").strip().partition(" ")
        if scheme.lower() == "bearer" and self.ways.tokens is not None:
            principal = await self._with_token(given.strip(), self.ways.tokens, address, shared=shared)
        else:
            user, password = _basic(header)
            principal = await self._with_password(user, password, address, device, shared=shared)
        if certificate is not None and self._identity.principal(certificate, "").user != principal.user:
            raise AuthenticationFailed(f"certificate: of another user than {principal.user[:100]!a}")
        return principal

    async def sign_in(self, user: str, password: str, address: str, *, shared: bool = False) -> Principal:
        """Return who signs in with his mail password, and with nothing else; for pages.

        Whoever has got hold of an app password must not be able to make another one. Raises as `login`.
        """
        return await self._with_password(user, password, address, "", shared=shared, mail_alone=True)

    async def check(self, principal: Principal) -> None:
        """Whether a login that was good still is, after a while.

        Raises `AuthenticationFailed`, and `GatewayError` when nobody knows.
        """
        await self.ways.check(principal)
        if principal.user in self._signed_out:
            await self.check_password(principal.credentials)

    async def check_password(self, credentials: Credentials) -> None:
        """Whether what opened a mailbox still does; asked upstream as often as for phones.

        Raises `AuthenticationFailed`, and `UpstreamError` when nobody could be asked.
        """
        await self._authenticator.authenticate(credentials)

    def forget(self, user: UserId) -> None:
        """Have the next request of a user checked upstream, whatever was good a moment ago."""
        self._authenticator.forget(user)
        self._signed_out[user] = None
        self._signed_out.move_to_end(user)
        if len(self._signed_out) > _CAPACITY:
            self._signed_out.popitem(last=False)

    # --- passwords -----------------------------------------------------------------------------------------

    async def _with_password(
        self,
        user: str,
        password: str,
        address: str,
        device: str,
        *,
        shared: bool,
        mail_alone: bool = False,
    ) -> Principal:
        principal = self._identity.principal(user, password)
        mark = self._proven.mark(principal.user, password, device)
        proven = bool(device) and mark in self._proven
        source = _source(address)
        async with nullcontext() if proven else self._turn(source, principal.user, shared=shared):
            try:
                login = await self._prove(principal, password, device, mail_alone=mail_alone)
            except AuthenticationFailed as error:
                if self._proven.discard(mark):  # others need not go on believing it for a while
                    self._bus.announce(Subject.LOGINS, f"{_CHANGED} {principal.user}")
                self._failed(source, principal.user, password, shared=shared)
                why = f" ({error.detail})" if isinstance(error, _Needless) else ""
                raise AuthenticationFailed(f"wrong credentials for {user[:100]!a}{why}") from None
        if device:
            self._proven.add(mark)
        if not proven:
            # The success of a device that never waited tells nothing of whoever guesses beside it.
            pair = self._name(source, principal.user)
            if self._users.end(pair):
                self._bus.announce(Subject.LOGINS, f"{_ENDED} {pair}")
        way = self.ways.app_passwords
        if login.kind is LoginKind.APP_PASSWORD and way is not None:
            return await self._opened(user, way.master.opens, login)
        return principal

    async def _prove(self, principal: Principal, password: str, device: str, *, mail_alone: bool) -> Login:
        """Which password it is. Raises `AuthenticationFailed`, and `UpstreamError` when nobody knows."""
        way = self.ways.app_passwords
        if way is not None and not mail_alone:
            known = await recognised(
                way.state, way.clock, principal.user, password, DeviceId(device) if device else None
            )
            if known is not None:
                return Login(LoginKind.APP_PASSWORD, known.number)
            if way.required:
                raise _Needless("phones need an app password: passwords.required")
        await self._authenticator.authenticate(principal.credentials)
        return Login()

    # --- tokens and certificates ---------------------------------------------------------------------------

    async def _with_token(self, token: str, way: TokenWay, address: str, *, shared: bool) -> Principal:
        if not token:
            raise AuthenticationFailed("no token")  # as clients ask where there are some (MS-XOAUTH 3.2.5.4)
        try:
            claimed = await way.tokens.claimed(token)
        except TokenExpired:
            raise
        except AuthenticationFailed:
            source = _source(address)
            self._failed(source, "", token, shared=shared)
            async with self._turn(source, "", shared=shared):
                raise

        def opens(login: str) -> Credentials:
            return BearerToken(login, token) if way.master is None else way.master.opens(login)

        login = Login(LoginKind.TOKEN, expires=claimed.expires)
        self._check_name(claimed.user, way.domains, login)
        return await self._opened(claimed.user, opens, login)

    def _check_name(self, name: str, domains: Collection[str], login: Login) -> None:
        """Raises `AuthenticationFailed` for a name that would lead to a namesake in another domain."""
        if not self._identity.leads_to(name, domains):
            section = "oauth" if login.kind is LoginKind.TOKEN else "client_certificates"
            raise AuthenticationFailed(
                f"{login.kind} of {name[:100]!a} is good, but of no domain taken: see {section}.domains"
            )

    async def _opened(self, user: str, opens: Callable[[str], Credentials], login: Login) -> Principal:
        """The principal of a user who has proven who he is, once the upstream lets him in.

        Raises `AuthenticationFailed` when it does not, which is no guess, and `UpstreamError`.
        """
        known = self._identity.principal(user, "")
        principal = replace(known, credentials=opens(known.credentials.login), login=login)
        try:
            await self._authenticator.authenticate(principal.credentials)
        except AuthenticationFailed as error:
            who = principal.user[:100]
            raise AuthenticationFailed(f"{login.kind} of {who!a} is good, but: {error.detail}") from None
        return principal

    # --- pauses --------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn(self, source: str, user: str, *, shared: bool) -> AsyncIterator[None]:
        """Wait for the attempts before this one, and the pause after them. Raises Throttled."""
        if not self._max_delay:
            yield
            return
        lock = self._turns.setdefault((source, user), asyncio.Lock())
        self._delay(source, user, shared=shared)
        try:
            async with asyncio.timeout(self._max_delay):
                await lock.acquire()
        except TimeoutError:
            raise Throttled(int(self._max_delay) + 1) from None
        try:
            await self._wait(source, user, shared=shared)
            yield
        finally:
            lock.release()

    def _delay(self, source: str, user: str, *, shared: bool) -> float:
        delay = self._users.delay(self._name(source, user))
        if not shared:
            delay = max(delay, self._addresses.delay(self._name(source)))
        if delay > self._max_delay + _ROUNDING:
            raise Throttled(int(delay) + 1)
        return delay

    async def _wait(self, source: str, user: str, *, shared: bool) -> None:
        delay = self._delay(source, user, shared=shared)
        self._users.reserve(self._name(source, user), delay)
        if not shared:
            self._addresses.reserve(self._name(source), delay)
        await asyncio.sleep(delay)

    def _failed(self, source: str, user: str, proof: str, *, shared: bool) -> None:
        """Count a wrong password or token, here and at the other processes."""
        pair, address = self._name(source, user), "" if shared else self._name(source)
        hint = _digest(f"{pair}{proof}", self._secret, 2)
        self._count(pair, hint, address)
        self._bus.announce(Subject.LOGINS, f"{_FAILED} {pair} {hint} {address}")

    def _count(self, pair: str, hint: str, address: str, *, elsewhere: bool = False) -> None:
        self._users.lengthen(pair, elsewhere=elsewhere)
        if address and self._wrong.add(f"{pair}{hint}".encode()):
            # A phone that repeats an old password does not guess.
            self._addresses.lengthen(address, elsewhere=elsewhere)

    def _hear(self, text: str) -> None:
        """What another process says of attempts there."""
        what, _, rest = text.partition(" ")
        if what == _FAILED:
            pair, hint, address = rest.split(" ")
            self._count(pair, hint, address, elsewhere=True)
        elif what == _ENDED:
            self._users.end(rest)
        elif what == _CHANGED:
            self._authenticator.forget(UserId(rest))

    def _name(self, *whose: str) -> str:
        """What stands for an address, or for a user asked for from there."""
        return _digest("\0".join(whose), self._secret, 12)


@lru_cache(maxsize=1024)
def _source(address: str) -> str:
    """Return what counts as one address: of IPv6 the network, in which a host takes addresses as it likes."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.IPv6Address(int(parsed) >> _IPV6_HOST_BITS << _IPV6_HOST_BITS))
    return address


class _Marks:
    """A set of the newest `capacity` secrets, known by digests under a key that ends with the process."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._key = secrets.token_bytes(32)
        self._marks: OrderedDict[bytes, None] = OrderedDict()

    def mark(self, *texts: str) -> bytes:
        """Return what stands for the texts, of which all but the last are without NUL."""
        data = "\0".join(texts).encode("utf-8", "surrogatepass")
        return blake2b(data, key=self._key, digest_size=16).digest()

    def add(self, mark: bytes) -> bool:
        """Remember; return whether it is new."""
        new = mark not in self._marks
        self._marks[mark] = None
        self._marks.move_to_end(mark)
        if len(self._marks) > self._capacity:
            self._marks.popitem(last=False)
        return new

    def discard(self, mark: bytes) -> bool:
        """Forget; return whether it was there."""
        return self._marks.pop(mark, b"") is None

    def __contains__(self, mark: bytes) -> bool:
        return mark in self._marks


def _digest(text: str, key: bytes, size: int) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=size).hexdigest()


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
