"""A user and his own devices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.eas.admission import Admission
from gateway.ports import Act
from gateway.ports.audit import Wanted
from gateway.types import Access, Control, DeviceId, Visit, Wipe, WipeStage
from tests.web.pages.support import ANNA, BERT, ROOT, Browser, World, fields_of

PHONE = DeviceId("PHONE1")
PAGE = "/account/device?id=PHONE1"


async def anna(world: World) -> Browser:
    browser = world.browser()
    await browser.sign_in(ANNA)
    return browser


async def control(world: World, device: str = PHONE) -> Control:
    found = await world.state.load_device(ANNA, DeviceId(device))
    assert found is not None
    return found.control


async def test_a_user_sees_his_own_devices_and_no_others(world: World) -> None:
    told = {"FriendlyName": "Anna’s iPhone", "Model": "iPhone15C2", "OS": "iOS 19.1"}
    await world.device(information=told)
    await world.state.note_visits({(ANNA, PHONE): Visit("203.0.113.7", world.clock.now())})
    await world.device("OTHER1", BERT)
    browser = await anna(world)
    world.clock.forward(minutes=5)
    page = (await browser.get("/account")).text
    assert "Anna’s iPhone" in page
    assert "5 minutes ago" in page
    assert "OTHER1" not in page
    shown = (await browser.get(PAGE)).text
    for text in (
        "iPhone15C2",
        "iOS 19.1",
        "Apple-iPhone15C2/2101.1",
        "16.1",
        "203.0.113.7",
        "2026-11-03 12:00 UTC",
    ):
        assert text in shown
    for path in ("/account/device", "/account/device/wipe", "/account/device/remove"):
        assert (await browser.get(f"{path}?id=OTHER1&kind=device")).status_code == 404


@pytest.mark.parametrize(
    ("access", "said"),
    [
        (Access.QUARANTINE, "has to allow this device"),
        (Access.BLOCK, "does not allow it"),
        (Access.ALLOW, ""),
    ],
)
async def test_whoever_has_to_wait_is_told_for_what(world: World, access: Access, said: str) -> None:
    await world.device()
    await world.state.set_access(ANNA, PHONE, access)
    page = (await (await anna(world)).get(PAGE)).text
    assert said in page
    assert ('class="notice"' in page) is bool(said)


async def test_the_name_of_a_device_turns_no_text_around(world: World) -> None:
    """The question before a wipe stays to be read, whatever a device is called."""
    await world.device(information={"FriendlyName": "\u202eabc\u2066 \u05d0"})
    page = (await (await anna(world)).get("/account/device/wipe?kind=device&id=PHONE1")).text
    assert "Wipe abc \u05d0?" in page


async def test_no_devices(world: World) -> None:
    assert "Set up a phone" in (await (await anna(world)).get("/account")).text


@pytest.mark.parametrize("kind", [Wipe.DEVICE, Wipe.ACCOUNT])
async def test_a_wipe_is_asked_for_and_taken_back(world: World, kind: Wipe) -> None:
    await world.device()
    browser = await anna(world)
    asking = f"/account/device/wipe?kind={kind.value}&id=PHONE1"
    answer = await browser.submit(asking, "/account/device/wipe")
    assert answer.headers["location"] == f"{PAGE}&said=wipe-asked"
    assert (await control(world)).wipe is kind
    page = (await browser.get(answer.headers["location"])).text
    assert "next time it asks" in page
    assert "To be wiped" in page
    answer = await browser.submit(PAGE, "/account/device/unwipe")
    assert answer.headers["location"] == f"{PAGE}&said=wipe-taken-back"
    assert (await control(world)).wipe is None
    fields = fields_of((await browser.get("/account")).text, "/sign-out") | {"id": PHONE}
    assert (
        await browser.post("/account/device/unwipe", fields)
    ).status_code == 409  # as somebody did already
    acts = [one.act for one in await world.state.list_acts(Wanted(device=PHONE), 9)]
    assert [(one.who, one.act) for one in acts] == [(ANNA, "device.unwipe"), (ANNA, "device.wipe")]


async def test_the_account_alone_is_wiped_since_16_1_only(world: World) -> None:
    await world.device(version="14.1")
    browser = await anna(world)
    assert "kind=account" not in (await browser.get(PAGE)).text
    answer = await browser.submit("/account/device/wipe?kind=account&id=PHONE1", "/account/device/wipe")
    assert answer.status_code == 409
    assert (await control(world)).wipe is None


@pytest.mark.parametrize("kind", ["", "everything", "device\0x"])
async def test_only_what_there_is_can_be_wiped(world: World, kind: str) -> None:
    await world.device()
    browser = await anna(world)
    answer = await browser.client.get("/account/device/wipe", params={"id": "PHONE1", "kind": kind})
    assert answer.status_code == 400


async def test_a_user_undoes_nothing_that_an_administrator_decided(world: World) -> None:
    await world.device()
    await world.device("PHONE2")
    now = world.clock.now()
    await world.state.ask_wipe(ANNA, PHONE, Wipe.DEVICE, now, Act(now, ROOT, "device.wipe", ANNA, PHONE))
    await world.state.set_access(ANNA, DeviceId("PHONE2"), Access.BLOCK)
    browser = await anna(world)
    assert (await browser.submit(PAGE, "/account/device/unwipe")).status_code == 409
    again = await browser.submit("/account/device/wipe?kind=account&id=PHONE1", "/account/device/wipe")
    assert again.status_code == 409
    assert (await browser.submit(PAGE, "/account/device/unwipe")).status_code == 409
    assert (await control(world)).wipe is Wipe.DEVICE
    for device in ("PHONE1", "PHONE2"):
        path = f"/account/device/remove?id={device}"
        assert (await browser.submit(path, "/account/device/remove")).status_code == 409
        assert (await control(world, device)).access is not Access.ALLOW


async def test_a_device_is_removed_from_the_list(world: World) -> None:
    await world.device()
    browser = await anna(world)
    answer = await browser.submit("/account/device/remove?id=PHONE1", "/account/device/remove")
    assert answer.headers["location"] == "/account?said=removed"
    assert "removed from the list" in (await browser.get("/account?said=removed")).text
    assert await world.state.list_devices(ANNA) == []
    assert (await browser.get(PAGE)).status_code == 404


async def test_what_devices_say_of_themselves_is_text(world: World) -> None:
    hostile = "<script>alert(1)</script>"
    name = "a&b\"'/../?id=x#"
    told = {"FriendlyName": hostile, "Model": "\u202eevil\r\n", "OS": "</dd><img src=x onerror=alert(1)>"}
    await world.device(name, type=hostile, agent=hostile, information=told)
    browser = await anna(world)
    page = await browser.get("/account")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    link = page.text.split('<h2><a href="')[1].partition('"')[0]
    shown = await browser.get(link)
    assert shown.status_code == 200
    for text in (page.text, shown.text):
        assert "<script>alert" not in text
        assert "<img" not in text
    answer = await browser.submit(
        link.replace("/device?", "/device/wipe?kind=device&"), "/account/device/wipe"
    )
    assert answer.status_code == 303
    assert (await control(world, name)).wipe is Wipe.DEVICE


@pytest.mark.parametrize(
    ("stage", "access", "admission", "told"),
    [
        (None, None, Admission(access=Access.QUARANTINE), "Waits for a decision"),
        (None, Access.BLOCK, Admission(), "Blocked"),
        (None, None, Admission(barred=("*",)), "Blocked"),
        (WipeStage.TOLD, None, Admission(), "was told to wipe"),
        (WipeStage.FAILED, None, Admission(), "could not wipe"),
        (WipeStage.DONE, None, Admission(), "Wiped"),
    ],
)
async def test_how_a_device_is(
    world: World, stage: WipeStage | None, access: Access | None, admission: Admission, told: str
) -> None:
    world.admission = replace(admission)
    await world.device()
    now = world.clock.now()
    if access is not None:
        await world.state.set_access(ANNA, PHONE, access)
    if stage is not None:
        await world.state.ask_wipe(ANNA, PHONE, Wipe.DEVICE, now)
        await world.state.note_wipe(ANNA, PHONE, Wipe.DEVICE, stage, now)
    browser = await anna(world)
    for path in ("/account", PAGE):
        assert told in (await browser.get(path)).text
