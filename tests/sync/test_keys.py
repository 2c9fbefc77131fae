"""Sync keys: every key is one of four things, and only exact ones count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sync.keys import INITIAL_KEY, KeyUse, classify, format_key, new_epoch
from gateway.types import SyncState

FRESH = SyncState(epoch="ab", number=1, cursor=b"")
LATER = SyncState(epoch="ab", number=7, cursor=b"", previous=b"")

BEGUN_ANEW = SyncState(epoch="ab", number=7, cursor=b"", previous=b"", fresh="cd")


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
