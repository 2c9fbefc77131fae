"""Certificates judged for phones: the path to a trusted authority, and whether anything on it was revoked."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from weakref import WeakValueDictionary

import structlog

from gateway.errors import UpstreamError
from gateway.mail import certificates
from gateway.mail.certificates import (
    Authorities,
    BadCertificate,
    Effort,
    Facts,
    Path,
    RevocationList,
    Standing,
    TooMuchEffort,
)
from gateway.ports import Clock, Fetcher
from gateway.ports.certificates import Verdict
from gateway.sync.background import compute

__all__ = ["CertificateChecks"]

_LARGEST_ANSWER = 64 * 1024
_LARGEST_LIST = 20 * 1024 * 1024
_MOST_PLACES = 4
"""Places asked about one certificate."""
_KEPT = timedelta(hours=1)
"""How long an answer is believed without asking again."""
_UNHEARD = timedelta(minutes=1)
"""How long a server that gave none, or one of no use, is not asked again."""
_ROOM = 64 * 1024 * 1024
"""Octets of answers that are kept."""
_EACH = 1024
"""Octets an answer takes beside what it says, roughly."""


class CertificateChecks:
    """Judges certificates by the authorities that `trusted` reads, once, when they are needed.

    Without a `fetcher` nobody is asked about revocation; `patience` is how many seconds that may take for one
    request, for phones give up after half a minute.
    """

    def __init__(
        self,
        trusted: Callable[[], Authorities],
        fetcher: Fetcher | None,
        clock: Clock,
        *,
        patience: float = 20,
    ) -> None:
        self._read_trusted = trusted
        self._fetcher = fetcher
        self._clock = clock
        self._patience = patience
        self._trusted: Authorities | None = None
        self._answers = _Answers()
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._log = structlog.get_logger("gateway.certificates")

    async def verdicts(
        self, asked: Sequence[bytes], chain: Sequence[bytes], *, strict: bool
    ) -> list[Verdict]:
        """A verdict for each certificate (DER), with the help of those in `chain`.

        `strict`: that nothing can be learned about revocation counts against it (MS-ASCMD 2.2.3.26).
        """
        if self._trusted is None:
            self._trusted = await asyncio.to_thread(self._read_trusted)
        now = self._clock.now()
        found = await compute(_paths, asked, chain, self._trusted, now)

        async def ask(place: int, path: Path) -> None:
            found[place] = await self._revoked(path, now, strict=strict)

        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience), asyncio.TaskGroup() as asking:
                for place, path in enumerate(found):
                    if not isinstance(path, Verdict):
                        asking.create_task(ask(place, path))
        late = Verdict.UNREACHABLE if strict else Verdict.VALID
        return [one if isinstance(one, Verdict) else late for one in found]

    async def _revoked(self, path: Path, now: datetime, *, strict: bool) -> Verdict:
        """What is known of the revocation of a certificate and the authorities above it."""
        standings = [await self._standing(certificate, issuer, now) for certificate, issuer in pairwise(path)]
        if Standing.REVOKED in standings:
            return Verdict.REVOKED if standings[0] is Standing.REVOKED else Verdict.CHAIN_REVOKED
        if not strict:
            return Verdict.VALID
        if None in standings:
            return Verdict.UNREACHABLE
        return Verdict.UNCLEAR if Standing.UNCLEAR in standings else Verdict.VALID

    async def _standing(self, certificate: Facts, issuer: Facts, now: datetime) -> Standing | None:
        """What the first place says that says anything; None when none of them answered."""
        if self._fetcher is None:
            return Standing.UNCLEAR
        unheard = False
        question = certificates.responder_request(certificate, issuer) if certificate.responder_urls else b""
        for url in certificate.responder_urls[:_MOST_PLACES]:
            standing = await self._by_responder(url, question, certificate, issuer, now)
            if standing not in {None, Standing.UNCLEAR}:
                return standing
            unheard |= standing is None
        for url in certificate.list_urls[:_MOST_PLACES]:
            found = await self._list(url, now)
            unheard |= found is None
            if found is not None:
                standing = await compute(certificates.by_list, found, certificate, issuer, now)
                if standing is not Standing.UNCLEAR:
                    return standing
        return None if unheard else Standing.UNCLEAR

    async def _by_responder(
        self, url: str, question: bytes, certificate: Facts, issuer: Facts, now: datetime
    ) -> Standing | None:
        """What a responder says now; None when it does not answer."""
        key = url, question
        async with self._turn(key):
            kept = self._answers.get(key, now)
            if kept is not None and not isinstance(kept.answer, bytes):
                return Standing.UNCLEAR if kept.answer is Standing.UNCLEAR else None
            if kept is not None and isinstance(kept.answer, bytes):
                standing = await compute(certificates.by_responder, kept.answer, certificate, issuer, now)
                if standing is not Standing.UNCLEAR:  # else it is out of date by now
                    return standing
            kind = "application/ocsp-request"
            data = await self._fetch(url, _LARGEST_ANSWER, posted=question, kind=kind)
            if data is None:
                self._answers.keep(key, _Kept(None, 0, now + _UNHEARD))
                return None
            standing = await compute(certificates.by_responder, data, certificate, issuer, now)
            if standing is Standing.UNCLEAR:
                self._answers.keep(key, _Kept(standing, 0, now + _UNHEARD))
            else:
                self._answers.keep(key, _Kept(data, len(data), now + _KEPT))
            return standing

    async def _list(self, url: str, now: datetime) -> RevocationList | None:
        async with self._turn(url):
            kept = self._answers.get(url, now)
            if kept is not None:
                return kept.answer if isinstance(kept.answer, RevocationList) else None
            data = await self._fetch(url, _LARGEST_LIST)
            found = await compute(certificates.read_list, data, url) if data else None
            until = now + (_KEPT if found else _UNHEARD)
            if found is not None and found.until is not None:
                until = max(min(until, found.until), now + _UNHEARD)
            self._answers.keep(url, _Kept(found, len(data or b"") if found else 0, until))
            return found

    def _turn(self, key: Hashable) -> asyncio.Lock:
        """Held by who asks, so that the others find the answer."""
        return self._turns.setdefault(key, asyncio.Lock())

    async def _fetch(
        self, url: str, limit: int, *, posted: bytes | None = None, kind: str = ""
    ) -> bytes | None:
        """What a server answers; None when it does not, for which there is a line in the log."""
        if self._fetcher is None:
            return None
        try:
            return await self._fetcher.fetch(url, limit, posted=posted, kind=kind)
        except UpstreamError as error:
            self._log.warning("cannot learn of revocation", reason=error.detail)
            return None


def _paths(
    asked: Sequence[bytes], chain: Sequence[bytes], trusted: Authorities, now: datetime
) -> list[Path | Verdict]:
    """A path, or what is wrong, for each certificate; with one bound on the work for all of them."""
    effort = Effort()
    read = [_read(data, effort) for data in asked]
    others = Authorities.of(
        one for one in (*read, *(_read(data, effort) for data in chain)) if not isinstance(one, Verdict)
    )
    found: list[Path | Verdict] = []
    for one in read:
        if isinstance(one, Verdict):
            found.append(one)
            continue
        try:
            found.append(certificates.find(one, others, trusted, now, effort, chained=bool(chain)))
        except TooMuchEffort:
            found.append(Verdict.EXHAUSTED)
    return found


def _read(data: bytes, effort: Effort) -> Facts | Verdict:
    """What a certificate says, or why nothing. Reading a long one takes as long as checking signatures."""
    try:
        effort.spend(len(data))
        return certificates.read(data)
    except BadCertificate:
        return Verdict.UNREADABLE
    except TooMuchEffort:
        return Verdict.EXHAUSTED


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, with its size in octets and how long it is not asked for again.

    None where none came; of one that says nothing, no more than that.
    """

    answer: bytes | Standing | RevocationList | None
    size: int
    until: datetime


@dataclass(slots=True)
class _Answers:
    """Answers that still count, those used longest ago forgotten when there is no room."""

    _kept: OrderedDict[Hashable, _Kept] = field(default_factory=OrderedDict)
    _size: int = 0

    def get(self, key: Hashable, now: datetime) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= now:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def keep(self, key: Hashable, kept: _Kept) -> None:
        self._forget(key)
        self._kept[key] = kept
        self._size += _EACH + kept.size
        while self._size > _ROOM:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        if (old := self._kept.pop(key, None)) is not None:
            self._size -= _EACH + old.size
