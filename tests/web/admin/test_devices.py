"""What administrators see of devices and decide of them."""

from __future__ import annotations

import re

import pytest

from gateway.eas.admission import AccessRule, Admission
from gateway.ports.audit import Wanted
from gateway.ports.sessions import EVERY_DEVICE
from gateway.types import Access, DeviceId, UserId, Visit, Wipe, WipeStage
from gateway.web.admin.listing import PAGE, Search, find
from tests.web.pages.support import ANNA, BERT, ROOT, Browser, World, fields_of

PHONE = DeviceId("PHONE1")
DEVICE = f"/admin/device?user={ANNA}&id=PHONE1".replace("@", "%40")


async def root(world: World) -> Browser:
    browser = world.browser()
    await browser.sign_in(ROOT, at="/admin")
    return browser


async def found(browser: Browser, **query: str) -> list[str]:
    """The ids of the devices that a search shows."""
    page = await browser.client.get("/admin/devices", params=query)
    assert page.status_code == 200
    return re.findall(r"<small><code>([^<]*)</code></small>", page.text)


async def test_devices_are_searched_and_filtered(world: World) -> None:
    world.admission = Admission(rules=(AccessRule(Access.QUARANTINE, type="Android"),))
    await world.device(information={"FriendlyName": "Anna’s phone", "Model": "iPhone15C2"})
    await world.device(
        "PHONE2", BERT, type="Android", agent="Android-Mail/9", information={"Model": "Pixel 10"}
    )
    await world.device("PHONE3", BERT)
    await world.state.note_visits({(BERT, DeviceId("PHONE3")): Visit("203.0.113.9", world.clock.now())})
    await world.state.set_access(BERT, DeviceId("PHONE3"), Access.BLOCK)
    await world.state.set_access(UserId("carl@example.com"), DeviceId("AWAITED"), Access.BLOCK)
    browser = await root(world)
    assert sorted(await found(browser)) == ["AWAITED", "PHONE1", "PHONE2", "PHONE3"]
    for query, wanted in (
        ({"q": "pixel BERT"}, ["PHONE2"]),
        ({"q": "Anna’s"}, ["PHONE1"]),
        ({"q": "203.0.113.9"}, ["PHONE3"]),
        ({"q": "phone2"}, ["PHONE2"]),
        ({"state": "quarantine"}, ["PHONE2"]),
        ({"state": "allow"}, ["PHONE1"]),
        ({"state": "decided", "user": "bert"}, ["PHONE3"]),
        ({"state": "nonsense", "model": "15c2"}, ["PHONE1"]),
        ({"type": "android"}, ["PHONE2"]),
        ({"agent": "mail/9"}, ["PHONE2"]),
        ({"q": "nobody"}, []),
    ):
        assert await found(browser, **query) == wanted, query
    page = (await browser.client.get("/admin/devices", params={"q": "nobody", "agent": '"><script>'})).text
    assert "No device is like that" in page
    assert "<script>" not in page.replace("<script src", "")


async def test_devices_are_shown_page_by_page(world: World) -> None:
    devices = [await world.device(f"D{number}") for number in range(2 * PAGE + 1)]
    pages = [await find(world.state, Search(page=page), Admission()) for page in (1, 2, 3, 99)]
    assert [(one.page, len(one.devices)) for one in pages] == [(1, PAGE), (2, PAGE), (3, 1), (3, 1)]
    assert {one.id for page in pages[:3] for one in page.devices} == {one.id for one in devices}
    assert Search(text="a&b", state="allow").query(2) == "q=a%26b&state=allow&page=2"
    assert Search(text="a").query(1) == "q=a"


@pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "²"])
async def test_pages_that_are_none(world: World, page: str) -> None:
    await world.device()
    assert await found(await root(world), page=page) == ["PHONE1"]


async def test_what_a_device_may_do_is_decided_and_noted(world: World) -> None:
    await world.device()
    browser = await root(world)
    for wanted, access in (
        ("block", Access.BLOCK),
        ("quarantine", Access.QUARANTINE),
        ("allow", Access.ALLOW),
    ):
        page = await browser.get(DEVICE)
        fields = fields_of(page.text, "/device/decide", access=wanted)
        answer = await browser.post("/admin/device/decide", fields)
        assert answer.headers["location"].endswith(f"said=decided-{wanted}")
        stored = await world.state.load_device(ANNA, PHONE)
        assert stored is not None
        assert stored.control.access is access
        assert f'value="{wanted}"' not in (await browser.get(DEVICE)).text
    fields = fields_of((await browser.get(DEVICE)).text, "/device/decide", access="undecide")
    await browser.post("/admin/device/decide", fields)
    acts = [(one.act.who, one.act.act) for one in await world.state.list_acts(Wanted(device=PHONE), 9)]
    names = ("undecide", "allow", "quarantine", "block")
    assert acts == [(ROOT, f"device.{name}") for name in names]
    assert (await browser.get(DEVICE)).text.count("<code>device.") == len(acts)
    answer = await browser.post("/admin/device/decide", fields | {"access": "explode"})
    assert answer.status_code == 400


async def test_those_that_wait_are_decided_of_from_the_list(world: World) -> None:
    """One by one, without a look at each."""
    world.admission = Admission(access=Access.QUARANTINE)
    for name in ("PHONE1", "PHONE2"):
        await world.device(name)
    browser = await root(world)
    assert "/device/decide" not in (await browser.get("/admin/devices")).text
    waiting = "/admin/devices?q=anna&state=quarantine"
    answer = await browser.submit(waiting, "/admin/device/decide", id="PHONE2", access="allow")
    assert answer.headers["location"] == f"{waiting}&said=decided-allow"
    page = await browser.get(answer.headers["location"])
    assert "is allowed, whatever the rules say" in page.text
    assert re.findall(r"<small><code>([^<]*)</code></small>", page.text) == ["PHONE1"]
    fields = fields_of(page.text, "/device/decide", access="block")
    for evil in ("//evil.example", "x=1\r\nSet-Cookie: a=b", "said=removed&q=%0d%0aX:"):
        answer = await browser.post("/admin/device/decide", fields | {"list": evil})
        assert answer.headers["location"].startswith("/admin/devices?")
        assert "said=decided-block" in answer.headers["location"]
        assert "\n" not in answer.headers["location"]


async def test_a_device_is_wiped_and_cleared(world: World) -> None:
    await world.device()
    browser = await root(world)
    wipe = DEVICE.replace("/device?", "/device/wipe?kind=device&")
    assert "Delete everything on it" in (await browser.get(wipe)).text
    assert (await browser.submit(wipe, "/admin/device/wipe")).status_code == 303
    assert await found(browser, state="wipe") == ["PHONE1"]
    await browser.submit(DEVICE, "/admin/device/unwipe")
    assert await found(browser, state="wipe") == []
    await browser.submit(wipe, "/admin/device/wipe")
    await world.state.note_wipe(ANNA, PHONE, Wipe.DEVICE, WipeStage.DONE, world.clock.now())
    assert await found(browser, state="wiped") == ["PHONE1"]
    remove = DEVICE.replace("/device?", "/device/remove?")
    answer = await browser.submit(remove, "/admin/device/remove")
    assert answer.headers["location"] == "/admin/devices?said=removed"
    assert await found(browser) == []
    assert (await browser.get(DEVICE)).status_code == 404


async def test_a_device_begins_anew(world: World) -> None:
    await world.device()
    browser = await root(world)
    resync = DEVICE.replace("/device?", "/device/resync?")
    assert (await browser.submit(resync, "/admin/device/resync")).status_code == 303
    (act,) = await world.state.list_acts(Wanted(device=PHONE), 9)
    assert (act.act.act, act.act.who, act.act.user) == ("device.resync", ROOT, ANNA)


async def test_who_is_no_administrator_decides_nothing(world: World) -> None:
    await world.device()
    admin, anna = await root(world), world.browser()
    await anna.sign_in(ANNA)
    fields = fields_of((await admin.get(DEVICE)).text, "/device/decide", access="block")
    for browser in (anna, world.browser()):
        assert (await browser.get("/admin/devices")).headers["location"].startswith("/admin/sign-in")
        for act in ("decide", "wipe", "resync", "remove"):
            answer = await browser.post(f"/admin/device/{act}", fields | {"kind": "device"})
            assert answer.headers["location"] == "/admin/sign-in?over=1"
    stored = await world.state.load_device(ANNA, PHONE)
    assert stored is not None
    assert (stored.control.access, stored.control.wipe) == (None, None)


async def test_a_user_is_signed_out_everywhere(world: World) -> None:
    await world.device()
    browser, his = await root(world), world.browser()
    await his.sign_in(ANNA)
    newest, _ = await world.state.decided_devices(0)
    page = f"/admin/user/sign-out?user={ANNA}".replace("@", "%40")
    assert page in (await browser.get(DEVICE)).text
    done = await browser.submit(page, "/admin/user/sign-out")
    assert "was signed out" in (await browser.get(done.headers["location"])).text
    assert (await his.get("/account")).status_code == 303
    assert (await world.state.decided_devices(newest))[1] == [(ANNA, EVERY_DEVICE)]
    (noted,) = await world.state.list_acts(Wanted(act="user.sign-out"), 9)
    assert (noted.act.who, noted.act.user, noted.act.device) == (ROOT, ANNA, "")
    assert await found(browser) == ["PHONE1"]
    assert (await browser.get("/admin/user/sign-out?user=nobody")).status_code == 404
