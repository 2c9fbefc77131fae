"""Items for a reply: one that cannot be rendered becomes a stub, is listed once, and keeps back no other."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog

from gateway.app import SystemClock
from gateway.eas import storeditems
from gateway.eas.commands.base import Context
from gateway.eas.content.calendar import CalendarContent
from gateway.eas.content.items import Scene
from gateway.eas.identity import Identity
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.tally import Tally
from gateway.eas.versions import Version
from gateway.items import Item, ItemFolder, ItemKind, StoredItem
from gateway.store.sqlite import SqliteState
from gateway.types import CollectionId, Password, Principal, UserId
from tests.sync.itemmodel import START
from wbxml import Element
from wbxml.pages import Calendar

ANN = UserId("ann")
FOLDER = ItemFolder(CollectionId("i1"), ANN, ItemKind.CALENDAR, "Calendar")
TEXT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u{0}\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260301T100000Z\r\nDTEND:20260301T110000Z\r\nSUMMARY:event {0}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def item(number: int, text: str = TEXT) -> Item:
    stored = StoredItem(f"u{number}", text.format(number), START, START)
    return Item(number, FOLDER.id, 1, stored, START, START)


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def context(state: SqliteState) -> Context:
    made = SimpleNamespace(
        request=SimpleNamespace(version=Version.V16_1, device_type="iPhone"),
        principal=Principal(ANN, "ann@example.com", Password("ann", "secret")),
        services=SimpleNamespace(
            state=state, identity=Identity(), clock=SystemClock(), release="1", zone=UTC, tally=Tally()
        ),
        log=structlog.get_logger("test"),
    )
    return cast("Context", made)


@pytest.mark.parametrize("count", [2, 20], ids=["in the loop", "beside it"])
async def test_a_poison_item_becomes_a_stub_and_keeps_back_no_other(
    context: Context, state: SqliteState, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = CalendarContent.render

    def fails(self: CalendarContent, one: Item, *more: Any) -> Any:
        if one.number == 1:
            raise ValueError("what nobody shall read in a log")
        return render(self, one, *more)

    monkeypatch.setattr(CalendarContent, "render", fails)
    items = [item(number) for number in range(count)]
    await storeditems.render(context, FOLDER, items, ItemOptions())
    shown = await storeditems.render(context, FOLDER, items, ItemOptions())
    subjects = {
        number: next(one.text() for one in elements if one.tag is Calendar.Subject)
        for number, elements in shown.items()
    }
    assert subjects.pop(1) not in {"", "event 1"}
    assert subjects == {number: f"event {number}" for number in range(count) if number != 1}
    ((user, folder, name, release, reason),) = await state.list_poison()
    assert (user, folder, name, release) == (ANN, FOLDER.id, "1", "1")
    assert "ValueError" in reason
    assert "nobody" not in reason


async def test_what_is_stored_and_no_calendar_at_all_becomes_a_stub(context: Context) -> None:
    shown = await storeditems.render(context, FOLDER, [item(1, "garbage")], ItemOptions())
    assert any(one.tag is Calendar.StartTime for one in shown[1])


@pytest.mark.parametrize(("extra", "beside"), [("", False), ("X-LONG:" + 9000 * "x" + "\r\n", True)])
async def test_a_long_item_is_rendered_beside_the_event_loop(
    context: Context, extra: str, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    render = CalendarContent.render

    def noting(self: CalendarContent, one: Item, options: ItemOptions, scene: Scene) -> Sequence[Element]:
        threads.append(threading.current_thread())
        return render(self, one, options, scene)

    monkeypatch.setattr(CalendarContent, "render", noting)
    long = item(1, TEXT.replace("SUMMARY", f"{extra}SUMMARY"))
    rendered = await storeditems.render(context, FOLDER, [long], ItemOptions())
    assert [one.text() for one in rendered[1] if one.tag is Calendar.Subject] == ["event 1"]
    assert [one is not threading.main_thread() for one in threads] == [beside]
