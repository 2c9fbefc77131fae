"""One world for each kind of IMAP server, shared by all tests of this folder; every test has its own user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.convergence.world import World


@pytest.fixture(scope="package")
def full() -> Iterator[World]:
    """A world over a Dovecot with all its extensions."""
    with World("full") as world:
        yield world


@pytest.fixture(scope="package")
def bare() -> Iterator[World]:
    """A world over a Dovecot that announces IMAP4rev1 and nothing else."""
    with World("bare") as world:
        yield world


@pytest.fixture(params=["full", "bare"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of the two."""
    found: World = request.getfixturevalue(request.param)
    return found
