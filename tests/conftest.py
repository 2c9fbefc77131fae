"""Fixtures every test may use: real servers for the session, a fresh user for each test."""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.postgres import Postgres
from tests.support.sieve import FilteringServer, filtering_server
from tests.support.slapd import Slapd
from tests.support.smtp_sink import SmtpSink
from tests.support.steady import keep_steady

# Property tests are judged by their results, not by the load of the machine. Each run of the suite tries
# the same examples, so that what fails was broken by a change; the profile `random` looks for new ones.
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", settings.get_profile("random"), derandomize=True)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """What a test, or a command it ran in this process, set for the log ends with the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
async def steady_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's clock runs on only while the process does, so that short time-outs end what they are for."""
    keep_steady(asyncio.get_running_loop(), monkeypatch)


@pytest.fixture(scope="session")
def dovecots() -> Iterator[Callable[[Options], Dovecot]]:
    """Starts Dovecots that nobody stops or changes: one for each set of options."""
    with ExitStack() as stack:
        yield functools.cache(lambda options: stack.enter_context(Dovecot(options)))


@pytest.fixture(scope="session")
def dovecot(dovecots: Callable[[Options], Dovecot]) -> Dovecot:
    """A Dovecot with all its extensions (CONDSTORE, QRESYNC, NOTIFY, ESEARCH, SPECIAL-USE, ...)."""
    return dovecots(Options())


@pytest.fixture(scope="session")
def dovecot_bare(dovecots: Callable[[Options], Dovecot]) -> Dovecot:
    """A Dovecot that announces IMAP4rev1 and nothing else."""
    return dovecots(Options(profile="bare"))


@pytest.fixture(scope="session")
def filtering() -> Iterator[FilteringServer]:
    """A Dovecot with Sieve (Pigeonhole) and ManageSieve."""
    with filtering_server() as server:
        yield server


@pytest.fixture(scope="session")
def slapd() -> Iterator[Slapd]:
    """An OpenLDAP server, in which a test makes a branch of its own."""
    with Slapd() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL, in which a test may make databases of its own."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """A database that tests use one after the other; who needs it empty empties it."""
    return postgres.url(postgres.create())


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """An SMTP server in clear text that wants no login."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def user() -> str:
    """A user name nobody used before, so that tests share no mailbox."""
    return f"user-{uuid.uuid4().hex[:12]}"
