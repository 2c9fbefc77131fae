"""A user, his folders, and those he shares them with."""

from __future__ import annotations

import plistlib

import pytest

from gateway.eas.addresslist import Reach
from gateway.items import Edit, ItemFolder, ItemKind, Right, StoredItem
from gateway.ports import Commit
from gateway.ports.audit import Wanted
from gateway.ports.directory import Entry
from gateway.types import CollectionId, UserId
from gateway.web.ways import TokenWay
from tests.web.pages.support import ANNA, BERT, Browser, World, fields_of
from tests.web.test_ways import Provider

CARL = UserId("carl@elsewhere.example")
EVENT = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTART:20261103T120000Z\r\n"
    "SUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nFN:Bert\r\nEND:VCARD\r\n"


async def anna(world: World) -> Browser:
    browser = world.browser()
    await browser.sign_in(ANNA)
    return browser


async def calendar(world: World, owner: UserId = ANNA, name: str = "Calendar") -> ItemFolder:
    return await world.items.create_item_folder(owner, ItemKind.CALENDAR, name)


async def store(world: World, folder: ItemFolder, text: str) -> None:
    (number,) = await world.items.new_item_numbers(1)
    await world.items.commit_items(Commit(folder.owner, folder.id, [Edit(number, 0, StoredItem("u1", text))]))


async def share(browser: Browser, folder: ItemFolder, address: str, right: str = "read") -> int:
    page = await browser.get(f"/account/folder?id={folder.id}")
    fields = fields_of(page.text, "/folder/share")
    answer = await browser.post("/account/folder/share", fields | {"with": address, "right": right})
    return answer.status_code


async def test_a_user_sees_what_is_his_and_what_is_shared_with_him(world: World) -> None:
    browser = await anna(world)
    assert "nothing here yet" in (await browser.get("/account/folders")).text
    await calendar(world, name="<b>Mine</b>")
    shared, hidden = await calendar(world, BERT, "Team"), await calendar(world, BERT, "Secret")
    await world.items.share_item_folder(shared.id, ANNA, Right.READ)
    await world.items.provide_item_folder(ANNA, ItemKind.RECIPIENTS, "Recipients")
    page = (await browser.get("/account/folders")).text
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    assert "Team" in page
    assert BERT in page
    assert "Secret" not in page
    assert "Recipients" not in page
    assert (await browser.get(f"/account/folder?id={hidden.id}")).status_code == 404
    assert (await browser.get("/account/folder?id=5")).status_code == 404


async def test_sharing_and_taking_it_back(world: World) -> None:
    folder = await calendar(world)
    browser = await anna(world)
    assert await share(browser, folder, "Bert@example.com", "write") == 303
    assert await world.items.item_folder_shares(folder.id) == {BERT: Right.WRITE}
    page = f"/account/folder?id={folder.id}"
    assert "may read and change" in (await browser.get(page)).text
    answer = await browser.submit(page, "/account/folder/unshare")
    assert answer.headers["location"].endswith("said=unshared")
    assert await world.items.item_folder_shares(folder.id) == {}
    acts = [(one.act.who, one.act.act) for one in await world.state.list_acts(Wanted(user=ANNA), 9)]
    assert acts == [(ANNA, "folder.share")] * 2


async def test_a_guest_looks_away_and_decides_nothing_else(world: World) -> None:
    folder = await calendar(world, BERT, "Team")
    await world.items.share_item_folder(folder.id, ANNA, Right.WRITE)
    browser = await anna(world)
    page = f"/account/folder?id={folder.id}"
    token = fields_of((await browser.get(page)).text, "/folder/leave")
    for path in ("share", "unshare"):
        answer = await browser.post(
            f"/account/folder/{path}", token | {"with": "x@example.com", "right": "read"}
        )
        assert answer.status_code == 403
    # What is private in it is not for guests, so neither is the whole as a file.
    assert (await browser.get(f"/account/folder/export?id={folder.id}")).status_code == 403
    assert await world.items.item_folder_shares(folder.id) == {ANNA: Right.WRITE}
    await browser.submit(page, "/account/folder/leave")
    assert await world.items.item_folder_shares(folder.id) == {}


@pytest.mark.parametrize(
    ("reach", "address", "code"),
    [
        (Reach.DOMAIN, "bert@example.com", 303),
        (Reach.DOMAIN, "bert", 303),
        (Reach.DOMAIN, "nobody-knows@example.com", 303),
        (Reach.DOMAIN, CARL, 403),
        (Reach.ALL, CARL, 303),
        (Reach.NONE, "bert@example.com", 403),
        (Reach.DOMAIN, "", 400),
        (Reach.DOMAIN, "a\nb@example.com", 400),
        (Reach.DOMAIN, "x" * 400 + "@example.com", 400),
        (Reach.DOMAIN, "anna@example.com", 409),
        (Reach.DOMAIN, "*@example.com", 400),
        (Reach.DOMAIN, "%", 400),
        (Reach.DOMAIN, "@example.com", 400),
        (Reach.ALL, "a b@example.com", 400),
        (Reach.ALL, "<b>@example.com", 400),
        (Reach.ALL, "a@b@example.com", 400),
    ],
)
async def test_with_whom_a_user_may_share(world: World, reach: Reach, address: str, code: int) -> None:
    """With whom he finds on his phone; whether there is such a user he does not learn."""
    folder = await calendar(world)
    world.reach = Reach.DOMAIN
    browser = await anna(world)
    fields = fields_of((await browser.get(f"/account/folder?id={folder.id}")).text, "/folder/share")
    world.reach = reach
    world.restart()
    other = world.browser()
    other.client.cookies = browser.client.cookies
    answer = await other.post("/account/folder/share", fields | {"with": address, "right": "read"})
    assert answer.status_code == code
    assert bool(await world.items.item_folder_shares(folder.id)) is (code == 303)


async def test_an_address_means_the_user_who_is_known_by_it(world: World) -> None:
    """Whose login is not his address."""
    await world.people.note_person(
        UserId("b77"), Entry("bert@example.com", "Bert"), "rules", world.clock.now()
    )
    folder = await calendar(world)
    await share(await anna(world), folder, "bert@example.com")
    assert await world.items.item_folder_shares(folder.id) == {UserId("b77"): Right.READ}


async def test_folders_are_taken_out_as_files(world: World) -> None:
    events = await calendar(world, name='Trips "2026" / Zürich')
    cards = await world.items.create_item_folder(ANNA, ItemKind.CONTACTS, "Book")
    await store(world, events, EVENT)
    await store(world, cards, CARD)
    browser = await anna(world)
    answer = await browser.get(f"/account/folder/export?id={events.id}")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    name = answer.headers["content-disposition"]
    assert name.startswith('attachment; filename="Trips _2026_ _ Z_rich.ics"; ')
    assert name.endswith("filename*=UTF-8''Trips%20%222026%22%20%2F%20Z%C3%BCrich.ics")
    assert "SUMMARY:Lunch" in answer.text
    answer = await browser.get(f"/account/folder/export?id={cards.id}")
    assert answer.headers["content-type"] == "text/vcard; charset=utf-8"
    assert answer.text == CARD
    assert answer.headers["cache-control"] == "no-store"
    assert (await browser.get("/account/folder/export?id=i99")).status_code == 404


async def test_a_folder_that_is_gone(world: World) -> None:
    folder = await calendar(world)
    browser = await anna(world)
    fields = fields_of((await browser.get(f"/account/folder?id={folder.id}")).text, "/folder/share")
    await world.items.delete_item_folder(CollectionId(folder.id))
    answer = await browser.post("/account/folder/share", fields | {"with": BERT, "right": "read"})
    assert answer.status_code == 404


async def test_what_to_type_into_a_phone(world: World) -> None:
    browser = await anna(world)
    page = (await browser.get("/account/set-up")).text
    for text in (ANNA, "sync.example.com"):
        assert f"<code>{text}</code>" in page
    answer = await browser.get("/account/set-up/activesync.mobileconfig")
    assert answer.headers["content-type"].startswith("application/x-apple-aspen-config")
    (account,) = plistlib.loads(answer.content)["PayloadContent"]
    assert (account["EmailAddress"], account["Host"], account["SSL"]) == (ANNA, "sync.example.com", True)
    assert "OAuth" not in account


async def test_the_profile_says_where_tokens_are(world: World) -> None:
    world.tokens = TokenWay(Provider(world.clock), world.clock)
    browser = await anna(world)
    answer = await browser.get("/account/set-up/activesync.mobileconfig")
    (account,) = plistlib.loads(answer.content)["PayloadContent"]
    told = [account[name] for name in ("OAuth", "OAuthSignInURL", "OAuthTokenRequestURL")]
    assert told == [True, "https://login.example/authorize", "https://login.example/token"]
