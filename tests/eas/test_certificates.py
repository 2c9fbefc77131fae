"""Asking about revocation: once, not for ever, and what it means when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from cryptography.x509 import ocsp

from gateway.eas.certificates import CertificateChecks
from gateway.errors import UpstreamUnavailable
from gateway.mail.certificates import Authorities, read
from gateway.ports.certificates import Verdict
from tests.support.authority import (
    DAY,
    NOW,
    Certified,
    Extension,
    address,
    lists_at,
    make_root,
    responders_at,
)

ROOT = make_root()
URL = "http://lists.test/root.crl"
ANNA, BEN = ROOT.person(lists_at(URL)), ROOT.person(lists_at(URL))


@dataclass
class Clock:
    """A clock that stands still."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass
class Web:
    """Answers with what `data` is at the moment; None: nobody is there; "hang": never."""

    data: bytes | str | None = None
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str, limit: int, *, posted: bytes | None = None, kind: str = "") -> bytes:
        self.asked.append(url)
        await asyncio.sleep(0)
        if self.data is None:
            raise UpstreamUnavailable("nobody is there")
        if isinstance(self.data, str):
            await asyncio.Event().wait()
        assert isinstance(self.data, bytes)
        return self.data


def checks(web: Web, clock: Clock | None = None, **more: float) -> Callable[..., asyncio.Task[list[Verdict]]]:
    trusted = Authorities.of([read(ROOT.der)])
    made = CertificateChecks(lambda: trusted, web, clock or Clock(), **more)

    def judge(*several: Certified, strict: bool = True) -> asyncio.Task[list[Verdict]]:
        return asyncio.create_task(made.verdicts([one.der for one in several], (), strict=strict))

    return judge


async def test_answers_count_for_a_while() -> None:
    web, clock = Web(ROOT.list()), Clock()
    judge = checks(web, clock)
    assert await judge(ANNA, BEN) == [Verdict.VALID] * 2
    web.data = ROOT.list(BEN)
    clock.moment += timedelta(minutes=59)
    assert await judge(ANNA, BEN) == [Verdict.VALID] * 2
    assert len(web.asked) == 1
    clock.moment += timedelta(minutes=1)
    assert await judge(ANNA, BEN) == [Verdict.VALID, Verdict.REVOKED]
    assert len(web.asked) == 2


async def test_a_list_counts_no_longer_than_it_says() -> None:
    web, clock = Web(ROOT.list(ends=NOW + timedelta(minutes=10))), Clock()
    judge = checks(web, clock)
    assert await judge(ANNA) == [Verdict.VALID]
    web.data = ROOT.list(ANNA)
    clock.moment += timedelta(minutes=10)
    assert await judge(ANNA) == [Verdict.REVOKED]


async def test_requests_at_once_ask_once() -> None:
    web = Web(ROOT.list())
    judge = checks(web)
    assert await asyncio.gather(*(judge(ANNA, BEN) for _ in range(5))) == [[Verdict.VALID] * 2] * 5
    assert web.asked == [URL]


async def test_who_does_not_answer_is_asked_again_a_minute_later() -> None:
    web, clock = Web(), Clock()
    judge = checks(web, clock)
    assert await judge(ANNA) == [Verdict.UNREACHABLE]
    web.data = ROOT.list()
    assert await judge(ANNA, BEN) == [Verdict.UNREACHABLE] * 2
    assert await judge(ANNA, BEN, strict=False) == [Verdict.VALID] * 2
    clock.moment += timedelta(minutes=1)
    assert await judge(ANNA) == [Verdict.VALID]
    assert len(web.asked) == 2


@pytest.mark.usefixtures("steady_clock")
async def test_patience_ends() -> None:
    """What is known by then is told, and nothing is left running."""
    before = asyncio.all_tasks()
    judge = checks(Web("hang"), patience=0.05)
    late = ROOT.person(begins=NOW - 9 * DAY, ends=NOW - DAY)
    assert await judge(ANNA, late) == [Verdict.UNREACHABLE, Verdict.EXPIRED]
    assert await judge(ANNA, late, strict=False) == [Verdict.VALID, Verdict.EXPIRED]
    assert asyncio.all_tasks() == before


async def test_a_responder_is_asked_again_once_its_answer_is_out_of_date() -> None:
    person = ROOT.person(responders_at(URL))
    web, clock = Web(ROOT.answer(person, ends=NOW + timedelta(minutes=10))), Clock()
    judge = checks(web, clock)
    assert await judge(person) == [Verdict.VALID]
    web.data = ROOT.answer(person, ocsp.OCSPCertStatus.REVOKED)
    clock.moment += timedelta(minutes=10)
    assert await judge(person) == [Verdict.VALID]  # clocks may differ a little
    clock.moment += timedelta(minutes=10)
    assert await judge(person) == [Verdict.REVOKED]
    assert len(web.asked) == 2


@pytest.mark.parametrize(
    ("place", "useless"),
    [
        (responders_at(URL), b"no answer"),
        (lists_at(URL), b"no list"),
        (lists_at(URL), ROOT.list(begins=NOW - 9 * DAY, ends=NOW - DAY)),
    ],
)
async def test_answers_of_no_use_are_kept_for_a_minute(place: Extension, useless: bytes) -> None:
    person = ROOT.person(place)
    web, clock = Web(useless), Clock()
    judge = checks(web, clock)
    for _ in range(2):
        assert await judge(person) != [Verdict.VALID]
        assert len(web.asked) == 1
    web.data = ROOT.answer(person) if place == responders_at(URL) else ROOT.list()
    clock.moment += timedelta(minutes=1)
    assert await judge(person) == [Verdict.VALID]


async def test_large_certificates_are_read_until_it_takes_too_long() -> None:
    """Whoever asks makes them as he likes, and other computing waits."""
    addresses = address(*(f"ann{number}@example.test" for number in range(2000)))
    person = ROOT.certify("Ann", addresses)
    judge = checks(Web(), patience=10)
    assert await judge(*[person] * 5, strict=False) == [Verdict.VALID] * 5
    assert len(person.der) * 60 > 1_000_000
    assert await judge(*[person] * 60, strict=False) == [Verdict.EXHAUSTED] * 60
