"""What an address book costs: `python -m tests.bench.bench_contacts [COUNT]`; the last line is JSON.

Contacts as another program exports them are read from a file, stored, and told to a phone of the first sync,
in windows of 100: the engine and the store without HTTP and WBXML. One in ten has a picture of 20 kB, and one
in a hundred one of 200 kB, each its own, which has to be made smaller.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from gateway.app import SystemClock
from gateway.eas.content.contacts import ContactsContent
from gateway.eas.content.items import Scene
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.versions import Version
from gateway.items import Edit, ItemKind
from gateway.pim.exchange.cards import CardEntry, card_entries
from gateway.ports import Commit
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.sync.conflict import Policy
from gateway.sync.itemexchange import ItemRequest
from gateway.sync.items import ItemSync
from gateway.types import DeviceId, Password, Principal, UserId

COUNT = 5000
WINDOW = 100
ANN = UserId("ann@example.test")


def main() -> None:
    """Measure, print a table, and all figures as JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measured(Path(folder), count))
    for name, value in figures.items():
        print(f"{name:30} {value:10.0f}")
    print(json.dumps({"bench": "contacts", **{name: round(value) for name, value in figures.items()}}))


async def measured(folder: Path, count: int) -> dict[str, float]:
    """Contacts in a second, by what is done with them."""
    began = time.process_time()
    entries = [one for one in card_entries(io.BytesIO(book(count))) if isinstance(one, CardEntry)]
    figures = {"count": float(count), "read_from_file_per_s": count / (time.process_time() - began)}
    async with await Database.open(folder / "gateway.db") as database:
        state, items = SqliteState(database), SqliteItems(database, SystemClock())
        kept = await items.provide_item_folder(ANN, ItemKind.CONTACTS, "Contacts")
        began = time.perf_counter()
        for start in range(0, count, WINDOW):
            batch = entries[start : start + WINDOW]
            numbers = await items.new_item_numbers(len(batch))
            edits = [Edit(number, 0, one.contact) for number, one in zip(numbers, batch, strict=True)]
            await items.commit_items(Commit(ANN, kept.id, edits))
        figures["stored_per_s"] = count / (time.perf_counter() - began)
        scene = Scene(
            Version.V16_1,
            Principal(ANN, ANN, Password(ANN, ""), "Ann"),
            kept,
            ANN,
            SystemClock().now(),
            {ANN}.__contains__,
        )
        engine = ItemSync(
            state,
            items,
            user=ANN,
            device=DeviceId("PHONE1"),
            collection=kept.id,
            release="1",
            clock=SystemClock(),
        )
        content, options, key, told = ContactsContent(), ItemOptions(), "0", 0
        wall, processor = time.perf_counter(), time.process_time()
        while told < count:
            reply = await engine.run(request(key))
            for item in reply.told.added:
                content.render(item, options, scene)
            key, told = reply.key, told + len(reply.told.added)
        figures["first_sync_per_s"] = count / (time.perf_counter() - wall)
        figures["first_sync_cpu_us_each"] = (time.process_time() - processor) / count * 1e6
    return figures


def request(key: str) -> ItemRequest:
    return ItemRequest(
        key=key,
        operations=[],
        get_changes=key != "0",
        limit=WINDOW,
        answered=False,
        options=lambda stored: stored or ItemOptions().pack(),
        since=lambda _: None,
        policy=lambda _: Policy.SERVER_WINS,
        supported=lambda _: None,
    )


def book(count: int) -> bytes:
    """A file of so many contacts."""
    return "".join(line + "\r\n" for at in range(count) for line in card(at)).encode()


def card(at: int) -> Iterator[str]:
    yield from ("BEGIN:VCARD", "VERSION:3.0", f"UID:{at}", f"N:Lee {at};Ann;B.;;", f"FN:Ann B. Lee {at}")
    yield from (f"EMAIL;TYPE=INTERNET;TYPE=HOME:ann{at}@example.test", f"EMAIL:ann{at}@work.example")
    yield from (
        f"TEL;TYPE=CELL:+1 555 {at}",
        f"TEL;TYPE=HOME:+1 556 {at}",
        f"TEL;TYPE=WORK;TYPE=FAX:+1 557 {at}",
    )
    yield from (f"ADR;TYPE=HOME:;;{at} Main St\\nUnit 2;Springfield;IL;62701;USA", "ORG:Example;Research")
    yield from ("BDAY:1980-02-29", "item1.URL:https://example.test", "item1.X-ABLabel:_$!<HomePage>!$_")
    yield from ("NOTE:Met in Paris.\\nLikes tea\\, no milk.", "CATEGORIES:Friends,Work", "X-CUSTOM:kept")
    size = 200 if at % 100 == 1 else 20 if at % 10 == 0 else 0
    if size:
        octets = picture(size) + str(at).encode()
        yield f"PHOTO;ENCODING=b;TYPE=JPEG:{base64.b64encode(octets).decode()}"
    yield "END:VCARD"


def picture(size: int) -> bytes:
    """A JPEG of about so many kB."""
    if size not in _PICTURES:
        made = io.BytesIO()
        side = 130 if size == 20 else 410
        Image.effect_noise((side, side), 90).convert("RGB").save(made, "JPEG", quality=95)
        _PICTURES[size] = made.getvalue()
    return _PICTURES[size]


_PICTURES: dict[int, bytes] = {}


if __name__ == "__main__":
    main()
