"""Sync keys: every key is one of four things, and only exact ones count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sync.beginnings import answer_to, with_beginnings
from gateway.sync.keys import (
    INITIAL_KEY,
    KeyUse,
    beginning,
    begun_anew,
    branched,
    classify,
    cursor_of,
    format_key,
    new_epoch,
)
from gateway.types import Beginning, SyncState

FRESH = SyncState(epoch="ab", number=1, cursor=b"")
LATER = SyncState(epoch="ab", number=7, cursor=b"", previous=b"")

BEGUN_ANEW = SyncState(epoch="ab", number=7, cursor=b"", previous=b"", beginnings=(Beginning("cd"),))


@pytest.mark.parametrize(
    ("state", "key", "use"),
    [
        (None, "0", KeyUse.INITIAL),
        (LATER, "0", KeyUse.INITIAL),
        (None, "ab.7", KeyUse.UNKNOWN),
        (LATER, "ab.7", KeyUse.CURRENT),
        (LATER, "ab.6", KeyUse.REPLAY),
        (LATER, "ab.5", KeyUse.UNKNOWN),
        (LATER, "ab.8", KeyUse.UNKNOWN),
        (LATER, "cd.7", KeyUse.UNKNOWN),
        (LATER, "ab.07", KeyUse.UNKNOWN),
        (LATER, "", KeyUse.UNKNOWN),
        (LATER, ".1", KeyUse.UNKNOWN),
        (BEGUN_ANEW, "cd.1", KeyUse.FRESH),
        (BEGUN_ANEW, "cd.2", KeyUse.UNKNOWN),
        (BEGUN_ANEW, "ab.7", KeyUse.CURRENT),
        (BEGUN_ANEW, "ab.6", KeyUse.REPLAY),
        (FRESH, "ab.1", KeyUse.CURRENT),
        (FRESH, "ab.0", KeyUse.UNKNOWN),
    ],
)
def test_what_a_key_means(state: SyncState | None, key: str, use: KeyUse) -> None:
    assert classify(state, key) is use


@given(st.text())
def test_no_other_key_is_accepted(key: str) -> None:
    if key not in (INITIAL_KEY, "ab.7", "ab.6"):
        assert classify(LATER, key) is KeyUse.UNKNOWN


def test_keys_fit_and_epochs_differ() -> None:
    epoch = new_epoch()
    assert epoch != new_epoch()
    assert len(format_key(SyncState(epoch=epoch, number=10**12, cursor=b""))) <= 64


def test_a_beginning_that_is_proven_ends_those_before_it() -> None:
    state, keys = LATER, []
    for options in (b"first", b"second", b"third"):
        state, key = beginning(state, options)
        keys.append(key)
    assert len({*keys, format_key(state)}) == 4
    begun = begun_anew(state, keys[1])
    assert (format_key(begun), begun.options) == (keys[1], b"second")
    uses = [KeyUse.UNKNOWN, KeyUse.CURRENT, KeyUse.FRESH]
    assert [classify(begun, key) for key in keys] == uses
    assert classify(begun, format_key(LATER)) is KeyUse.UNKNOWN


def test_a_key_stands_for_what_its_device_knows() -> None:
    state = SyncState("ab", 2, b"now", previous=b"before")
    state, key = branched(state, "request", b"other", b"")
    assert answer_to(state, "request") == Beginning(key.removesuffix(".1"), b"other", request="request")
    assert [cursor_of(state, each) for each in ("ab.1", "ab.2", key)] == [b"before", b"now", b"other"]
    assert begun_anew(state, key).cursor == b"other"


def test_beginnings_are_bounded() -> None:
    state = with_beginnings(LATER, [Beginning(str(number)) for number in range(100)])
    assert [int(one.epoch) for one in state.beginnings] == [*range(92, 100)]
    state, begun = beginning(state, b"")
    key = begun
    for number in range(100):
        state, key = branched(state, f"r{number}", b"cursor", b"")
    assert (classify(state, begun), classify(state, key)) == (KeyUse.FRESH, KeyUse.FRESH)
    assert [one.request for one in state.beginnings if one.request] == ["r96", "r97", "r98", "r99"]
