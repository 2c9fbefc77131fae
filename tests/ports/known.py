"""Who and what the tests of the ports of the store tell stories of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.types import CollectionId, DeviceId, SyncState, UserId

ANNA = UserId("anna@example.com")
BERT = UserId("bert@example.com")
CARL = UserId("carl@example.com")
PHONE = DeviceId("PHONE1")
TABLET = DeviceId("TABLET2")
INBOX = CollectionId("1")
NOON = datetime(2026, 11, 3, 12, 0, 0, 123000, tzinfo=UTC)
HOUR = timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)
"""What a time is stored to."""
FIRST = SyncState(epoch="a1", number=1, cursor=b"one")
