"""Who is signed in: a browser shows a random text, the store knows its digest and until when it counts.

All processes that share a store share the sessions. A session ends when it was not used for a while, when it
is too old, when its user signs out or an administrator signs him out, and when the mail password it began
with is not right any more. A browser gets another text whenever somebody signs in, so that nobody can have
planted it there before.

To look at the password again, somebody has to keep it. The browser does, in a form that only the key in the
store opens (the seal): neither of the two tells anything without the other, and the gateway has both for no
longer than a request.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

from gateway.ports import Clock
from gateway.ports import sessions as port
from gateway.types import Password, Principal, UserId

__all__ = ["Begun", "SignedIn", "form_token", "new_secret"]

_NOTED = timedelta(minutes=1)
"""How far `Session.seen` may lag behind: so often a session in use is written."""
_LONGEST_SECRET = 100


@dataclass(frozen=True, slots=True)
class Begun:
    """What a browser keeps of its session: the secret it shows, and the password under the seal."""

    secret: str = field(repr=False)
    sealed: str = field(repr=False)


class SignedIn:
    """The sessions. `idle` is for how long one may be unused, `longest` for how long it lasts at most."""

    def __init__(self, store: port.Sessions, clock: Clock, *, idle: timedelta, longest: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._idle = idle
        self._longest = longest

    async def begin(self, principal: Principal, proof: Password) -> Begun:
        """Sign a user in who has proven so who he is; returns what his browser shows from now on."""
        from cryptography.fernet import Fernet  # noqa: PLC0415 (large, and needed when somebody signs in)

        secret, seal, now = new_secret(), Fernet.generate_key(), self._clock.now()
        await self._store.begin_session(
            port.Session(_key(secret), principal.user, principal.email, began=now, seen=now, seal=seal)
        )
        proven = json.dumps([proof.login, proof.password]).encode()
        return Begun(secret, Fernet(seal).encrypt(proven).decode())

    @staticmethod
    def proof(session: port.Session, sealed: str) -> Password | None:
        """What the user proved with who he is, as his browser keeps it; None when it does not."""
        from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415

        if not session.seal:
            return None
        try:
            login, password = json.loads(Fernet(session.seal).decrypt(sealed))
        except (InvalidToken, ValueError):  # of a text that is not ASCII
            return None
        return Password(login, password)

    async def find(self, secret: str, *, used: bool = True) -> port.Session | None:
        """The session of a browser that shows this secret; None when there is none any more.

        `used`: somebody asks, and not a page that refreshes itself.
        """
        if not secret or len(secret) > _LONGEST_SECRET:
            return None
        session = await self._store.load_session(_key(secret))
        if session is None:
            return None
        now = self._clock.now()
        if now - session.began >= self._longest or now - session.seen >= self._idle:
            await self._store.end_session(session.key)
            return None
        if used and now - session.seen >= min(_NOTED, self._idle / 2):
            await self._store.note_session(session.key, now)
        return session

    async def end(self, secret: str) -> None:
        """Sign a browser out."""
        await self._store.end_session(_key(secret))

    async def end_all(self, user: UserId) -> None:
        """Sign a user out everywhere."""
        await self._store.end_sessions(user)

    async def prune(self) -> None:
        """Forget the sessions that are over."""
        now = self._clock.now()
        await self._store.prune_sessions(now - self._longest, now - self._idle)


def new_secret() -> str:
    """What only one browser knows: 256 random bits."""
    return secrets.token_urlsafe(32)


def form_token(secret: str) -> str:
    """What the forms of a browser hold: made of its secret, which nobody finds out from it."""
    return _digest(secret, b"form").hex()


def _key(secret: str) -> bytes:
    return _digest(secret, b"session")


def _digest(secret: str, purpose: bytes) -> bytes:
    return blake2b(secret.encode("utf-8", "replace"), digest_size=32, person=purpose).digest()
