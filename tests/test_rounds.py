"""What runs beside the requests."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.app.rounds import Stored, counting, running
from gateway.store.sqlite import SqliteState
from gateway.types import CollectionId, UserId


async def test_items_that_cannot_be_shown_are_counted(tmp_path: Path) -> None:
    stored = Stored()
    async with await SqliteState.open(tmp_path / "gateway.db") as state:
        for release in ("0.1", "0.2"):
            await state.note_poison(UserId("jo"), CollectionId("1"), "1:7", release, "no structure")
        async with running(counting(state, stored)):
            while not stored.poison:
                await asyncio.sleep(0.01)
    assert stored.poison == 1
