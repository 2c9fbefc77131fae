"""From a certificate to an authority that is trusted, and whether the way is sound (RFC 5280 6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.mail.certificates.effort import SIGNATURE, Effort, TooMuchEffort
from gateway.mail.certificates.facts import Facts
from gateway.mail.certificates.names import allowed
from gateway.ports.certificates import Verdict

__all__ = ["Authorities", "Effort", "Path", "TooMuchEffort", "find", "signed_by"]

_DEEPEST = 8
"""Certificates of a path."""
_LARGEST_RSA = 8192
_BROKEN = (hashes.MD5, hashes.SHA1)

Path = Sequence[Facts]
"""Certificates, each signed by the next; the last is one that is trusted."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """Certificates found by whom they are for."""

    by_subject: Mapping[bytes, Sequence[Facts]] = field(default_factory=dict)
    fingerprints: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, several: Iterable[Facts]) -> Authorities:
        """Each certificate counts once."""
        different = {one.fingerprint: one for one in several}
        found: dict[bytes, list[Facts]] = {}
        for one in different.values():
            found.setdefault(one.subject, []).append(one)
        return cls(found, frozenset(different))


def find(
    certificate: Facts,
    others: Authorities,
    trusted: Authorities,
    now: datetime,
    effort: Effort,
    *,
    chained: bool = False,
) -> Path | Verdict:
    """The first sound path from a certificate to a trusted one, over `others`; else what is wrong.

    `chained`: the others are meant to lead there. Raises `TooMuchEffort`.
    """
    search = _Search(others, trusted, effort, chained)
    for path in search.paths((certificate,)):
        verdict = _judge(path, now, effort)
        if verdict is Verdict.VALID:
            return path
        search.note(verdict)
    return search.fault


@dataclass(slots=True)
class _Search:
    others: Authorities
    trusted: Authorities
    effort: Effort
    chained: bool
    fault: Verdict = Verdict.UNTRUSTED

    def note(self, fault: Verdict) -> None:
        """Remember what came farthest."""
        self.fault = max(self.fault, fault, key=lambda one: one.value)

    def paths(self, path: tuple[Facts, ...]) -> Iterator[Path]:
        """All paths that go on from this one. Raises `TooMuchEffort`."""
        last = path[-1]
        if last.fingerprint in self.trusted.fingerprints:
            yield path
            return
        if len(path) == _DEEPEST:
            self.note(Verdict.CHAIN)
            return
        followed = False
        for issuer in self._issuers(last):
            if any(issuer.fingerprint == one.fingerprint for one in path):
                continue
            self.effort.spend(SIGNATURE)
            if not signed_by(last, issuer):
                self.note(Verdict.SIGNATURE)
                continue
            followed = True
            yield from self.paths((*path, issuer))
        if self.chained and not followed and len(path) == 1 and not last.self_issued:
            self.note(Verdict.CHAIN)

    def _issuers(self, certificate: Facts) -> Iterator[Facts]:
        """Who may have signed it, those who are trusted first."""
        for authorities in (self.trusted, self.others):
            for one in authorities.by_subject.get(certificate.issuer, ()):
                wanted, there = certificate.issuer_key_id, one.key_id
                if wanted is None or there is None or wanted == there:
                    yield one


def signed_by(certificate: Facts, issuer: Facts) -> bool:
    """Whether the issuer's key made the signature, by a method that is not broken."""
    try:
        if isinstance(certificate.certificate.signature_hash_algorithm, _BROKEN):
            return False
        key = issuer.certificate.public_key()
        if isinstance(key, RSAPublicKey) and key.key_size > _LARGEST_RSA:
            return False
        certificate.certificate.verify_directly_issued_by(issuer.certificate)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _judge(path: Path, now: datetime, effort: Effort) -> Verdict:
    """The first thing that is wrong with a path, from the authority down."""
    for place, authority in reversed(list(enumerate(path[1:], 1))):
        verdict = _judge_authority(path, place, authority, now, effort)
        if verdict is not Verdict.VALID:
            # Of somebody who is out of date himself, that is what counts.
            return verdict if path[0].valid_at(now) else Verdict.EXPIRED
    return _judge_person(path[0], now, alone=len(path) == 1)


def _judge_authority(path: Path, place: int, authority: Facts, now: datetime, effort: Effort) -> Verdict:
    anchor = place == len(path) - 1
    may_sign = authority.usage is None or authority.usage.key_cert_sign
    if not may_sign or not (authority.authority or (anchor and authority.authority is None)):
        return Verdict.ROLE
    if not authority.valid_at(now):
        return Verdict.PERIODS
    below = sum(not one.self_issued for one in path[1:place])
    if authority.path_length is not None and below > authority.path_length:
        return Verdict.CHAIN
    if not authority.understood:
        return Verdict.INCOMPLETE
    if not anchor and not authority.for_mail:
        return Verdict.USAGE
    if authority.constraints is not None:
        for number, one in enumerate(path[:place]):
            if number and one.self_issued:
                continue
            if not (fits := allowed(authority.constraints, one.names, effort)):
                return Verdict.INCOMPLETE if fits is None else Verdict.NAME
    return Verdict.VALID


def _judge_person(person: Facts, now: datetime, *, alone: bool) -> Verdict:
    if not person.valid_at(now):
        return Verdict.EXPIRED
    if person.authority and not alone:
        return Verdict.ROLE
    if not person.understood:
        return Verdict.INCOMPLETE
    return Verdict.VALID if person.for_mail and _used_in_mail(person) else Verdict.PURPOSE


def _used_in_mail(person: Facts) -> bool:
    """Whether its key may sign mail, or be used to encrypt it: some people have a certificate for each."""
    usage = person.usage
    if usage is None:
        return True
    return (
        usage.digital_signature or usage.content_commitment or usage.key_encipherment or usage.key_agreement
    )
