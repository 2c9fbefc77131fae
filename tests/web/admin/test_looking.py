"""What administrators see: health, rules, poison items, who decided what."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.eas.admission import AccessRule, Admission
from gateway.groups import Groups
from gateway.policies import Policies, read_policy
from gateway.ports import Act
from gateway.types import Access, CollectionId, DeviceId, Wipe
from gateway.web.admin import looking
from tests.web.pages.support import ANNA, ROOT, Browser, World


async def root(world: World) -> Browser:
    browser = world.browser()
    await browser.sign_in(ROOT, at="/admin")
    return browser


async def test_the_overview_says_what_needs_looking_at(world: World) -> None:
    world.admission = Admission(access=Access.QUARANTINE)
    await world.device()
    await world.device("PHONE2")
    await world.state.ask_wipe(ANNA, DeviceId("PHONE2"), Wipe.DEVICE, world.clock.now())
    await world.state.note_poison(ANNA, CollectionId("2"), "2:9", "0.1", "no header")
    browser = await root(world)
    page = (await browser.get("/admin")).text
    counts = re.findall(r"<strong>(\d+)</strong> ([a-z ]+)", page)
    assert counts == [
        ("2", "devices of "),
        ("2", "waiting for a decision"),
        ("1", "to be wiped"),
        ("1", "poison item"),
    ]
    assert "store ok" in page
    assert "imap failing" in page
    live = (await browser.get("/admin/live")).text
    assert live.count("<svg") == 4
    assert "<html" not in live
    assert 'hx-get="/admin/live"' in live  # it goes on


async def test_rules_and_policies_are_shown(world: World) -> None:
    strict = read_policy(
        "strict",
        {
            "users": ["anna*"],
            "DevicePasswordEnabled": True,
            "AllowBluetooth": 1,
            "MinDevicePasswordLength": 6,
        },
    )
    rules = (AccessRule(Access.BLOCK, type="Android", model="<Old>*", group="temps"),)
    world.admission = Admission(
        Policies((strict,)),
        rules=rules,
        limit=3,
        barred=("guest*",),
        barred_groups=("left",),
        notice="Ask Ann.",
    )
    await world.device(policy_key=7, policy=strict.digest)
    await world.device("PHONE2")
    page = (await (await root(world)).get("/admin/rules")).text
    for text in (
        "&lt;Old&gt;*",
        "guest*",
        "temps",
        "left",
        "Ask Ann.",
        "1 of 2 devices",
        "hands-free",
        "<dd>yes</dd>",
        "<dd>6</dd>",
    ):
        assert text in page, text


async def test_why_a_device_has_its_policy_and_what_it_says_of_it(world: World) -> None:
    strict = read_policy("strict", {"groups": ["staff"], "DevicePasswordEnabled": True})
    world.admission = Admission(Policies((strict,), Groups({"staff": ("anna*",)})))
    await world.device(policy_key=7, policy=strict.digest, compliance=2, refused=2)
    await world.device("PHONE2")
    browser = await root(world)
    page = (await browser.get(f"/admin/device?user={ANNA}&id=PHONE1")).text
    assert "strict (group staff): applied in part; refused since it was applied in part" in page
    page = (await browser.get(f"/admin/device?user={ANNA}&id=PHONE2")).text
    assert "strict (group staff): not acknowledged yet" in page
    assert "<dd>staff</dd>" in (await browser.get("/admin/rules")).text


async def test_of_very_many_poison_items_the_first_are_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_ITEMS", 2)
    browser = await root(world)
    for number in range(3):
        page = (await browser.get("/admin/poison")).text
        assert (page.count('<th scope="row">'), "of 3" in page) == (number, False)
        await world.state.note_poison(ANNA, CollectionId("2"), f"2:{number}", "0.1", "no header")
    page = (await browser.get("/admin/poison")).text
    assert (page.count('<th scope="row">'), "the first 2 of 3" in page) == (2, True)


async def test_poison_items_are_shown_as_text(world: World) -> None:
    browser = await root(world)
    assert "None." in (await browser.get("/admin/poison")).text
    await world.state.note_poison(ANNA, CollectionId("2"), "2:9", "0.1", "<script>alert(1)</script>")
    await world.state.note_poison(ANNA, CollectionId("2"), "2:9", "0.2", "again")
    page = (await browser.get("/admin/poison")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


async def test_the_audit_log_is_looked_through(world: World) -> None:
    then = world.clock.now()
    for number in range(60):
        who = ROOT if number % 2 else "cli:ann"
        at = then + timedelta(minutes=number)
        await world.state.note_act(
            Act(at, who, "device.block", ANNA, DeviceId(f"D{number}"), f"<i>{number}</i>")
        )
    browser = await root(world)
    page = (await browser.get("/admin/audit")).text
    assert re.findall(r"&lt;i&gt;(\d+)", page) == [str(number) for number in range(59, 9, -1)]
    older = re.search(r"name=\"before\" value=\"(\d+)\"", page)
    assert older
    page = (await browser.get(f"/admin/audit?before={older[1]}")).text
    assert re.findall(r"&lt;i&gt;(\d+)", page) == [str(number) for number in range(9, -1, -1)]
    page = (await browser.client.get("/admin/audit", params={"who": "cli:ann", "device": "D4"})).text
    assert re.findall(r"&lt;i&gt;(\d+)", page) == ["4"]
    assert (await browser.get("/admin/audit?before=x&act=nothing")).status_code == 200
