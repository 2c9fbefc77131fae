"""App passwords: made for one device or purpose, shown once, recognised, revoked.

What is stored of one is a plain digest. It is made here of 80 random bits, so nobody finds it by trying out
words, which is what slow and salted digests are against; a fast one costs a request a few microseconds, and a
login needs no cache that would outlive a revocation.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b

from gateway.errors import Kind, NotFound, Refused
from gateway.ports import Act, Clock, State
from gateway.types import AppPassword, DeviceId, UserId

__all__ = ["LONGEST_NAME", "AppPasswordBook", "NewPassword", "recognised"]

LONGEST_NAME = 100
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 letters and digits that nobody takes for each other."""
_LENGTH = 16
_GROUP = 4
_EXACTNESS = timedelta(minutes=10)
"""How exactly it is noted when one was used: not each request writes."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """One that was just made, and its text, which nobody can be shown again."""

    password: AppPassword
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AppPasswordBook:
    """What somebody may do about app passwords.

    `who` is noted with it: the user, or "cli:" and an account. `owner` is that user where he decides of his
    own alone; None is an administrator.
    """

    state: State
    clock: Clock
    who: str
    owner: UserId | None = None

    async def create(self, user: UserId, name: str, *, bound: bool = False) -> NewPassword:
        """Make one; `name` says what for, `bound`: for the first device alone that uses it.

        Raises `Refused` for a name that is empty, too long or taken, and for a user who has too many. A form
        that is sent once more makes no other one so, of which nobody would know.
        """
        self._check(user)
        name = " ".join(name.split())
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise Refused(
                Kind.INVALID_CONTENT, f"an app password needs a name, of at most {LONGEST_NAME} characters"
            )
        text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        now = self.clock.now()
        made = AppPassword(user, name, _digest(user, text), now, bound)
        act = Act(now, self.who, "password.create", user, details=name)
        stored = await self.state.add_app_password(made, act)
        groups = (text[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
        return NewPassword(stored, "-".join(groups))

    async def listed(self, user: UserId | None = None) -> Sequence[AppPassword]:
        """Those of a user, oldest first; None: of all users."""
        if self.owner is not None:
            self._check(user)
        return await self.state.app_passwords(user)

    async def revoke(self, user: UserId, number: int) -> None:
        """Have one end: at once for new requests, within seconds for those that wait. Raises `NotFound`."""
        self._check(user)
        known = {one.number: one for one in await self.state.app_passwords(user)}
        name = known[number].name if number in known else ""
        act = Act(self.clock.now(), self.who, "password.revoke", user, details=name)
        if not await self.state.revoke_app_password(user, number, act):
            raise NotFound(f"{user} has no app password {number}")

    def _check(self, user: UserId | None) -> None:
        if self.owner is not None and self.owner != user:
            raise NotFound("there are no app passwords of others")


async def recognised(
    state: State, clock: Clock, user: UserId, text: str, device: DeviceId | None
) -> AppPassword | None:
    """The app password of a user that has this text and may be used by the device; None when there is none.

    `device` None: it is not known, and nothing is bound to it.
    """
    plain = "".join(text.split()).replace("-", "").lower()
    if len(plain) != _LENGTH or not set(plain) <= set(_ALPHABET):
        return None
    digest = _digest(user, plain)
    # All are compared, each in constant time: how long it takes tells how many there are, and no more.
    found = [one for one in await state.app_passwords(user) if hmac.compare_digest(one.digest, digest)]
    if not found:
        return None
    known, now = found[0], clock.now()
    if device is None:
        return known
    if known.bound and known.device not in {"", device}:
        return None
    fresh = known.used is not None and abs(now - known.used) < _EXACTNESS
    if fresh and (known.device or not known.bound):
        return known
    # Another device may have been first, or somebody have revoked it, since it was looked up.
    return known if await state.use_app_password(known.number, device, now) else None


def _digest(user: UserId, plain: str) -> bytes:
    return blake2b(f"{user}\0{plain}".encode("utf-8", "surrogatepass"), person=b"app password").digest()
