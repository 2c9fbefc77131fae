"""A user and his app passwords."""

from __future__ import annotations

import re

import pytest

from gateway.eas.apppasswords import recognised
from gateway.types import DeviceId
from tests.web.pages.support import ANNA, BERT, Browser, World, fields_of

PAGE = "/account/app-passwords"


async def signed_in(world: World, user: str = ANNA) -> Browser:
    browser = world.browser()
    await browser.sign_in(user)
    return browser


async def test_one_is_made_shown_once_and_revoked(world: World) -> None:
    browser = await signed_in(world)
    fields = fields_of((await browser.get(PAGE)).text, PAGE)
    made = await browser.post(PAGE, fields | {"name": "<i>Tablet</i>", "bound": "1"})
    shown = re.search(r"class=\"secret\"><code>([a-z0-9-]+)</code>", made.text)
    assert shown
    assert made.headers["cache-control"] == "no-store"
    known = await recognised(world.state, world.clock, ANNA, shown[1], DeviceId("TABLET1"))
    assert known is not None
    assert (known.name, known.bound) == ("<i>Tablet</i>", True)
    page = (await browser.get(PAGE)).text
    assert shown[1] not in page
    assert "&lt;i&gt;Tablet&lt;/i&gt;" in page
    answer = await browser.submit(f"{PAGE}/revoke?number={known.number}", f"{PAGE}/revoke")
    assert answer.headers["location"] == f"{PAGE}?said=revoked"
    assert await recognised(world.state, world.clock, ANNA, shown[1], DeviceId("TABLET1")) is None


async def test_a_form_sent_again_makes_no_other_one(world: World) -> None:
    """As when somebody reloads the page that shows it."""
    browser = await signed_in(world)
    fields = fields_of((await browser.get(PAGE)).text, PAGE) | {"name": "Tablet"}
    assert (await browser.post(PAGE, fields)).status_code == 200
    again = await browser.post(PAGE, fields)
    assert (again.status_code, "of this name already" in again.text) == (409, True)
    assert 'class="secret"' not in again.text
    assert len(await world.state.app_passwords(ANNA)) == 1


async def test_nobody_sees_or_revokes_those_of_others(world: World) -> None:
    anna, bert = await signed_in(world), await signed_in(world, BERT)
    await anna.post(PAGE, fields_of((await anna.get(PAGE)).text, PAGE) | {"name": "Tablet"})
    (made,) = await world.state.app_passwords(ANNA)
    assert "Tablet" not in (await bert.get(PAGE)).text
    assert (await bert.get(f"{PAGE}/revoke?number={made.number}")).status_code == 404
    fields = fields_of((await bert.get(PAGE)).text, PAGE) | {"number": str(made.number)}
    assert (await bert.post(f"{PAGE}/revoke", fields)).status_code == 404
    assert len(await world.state.app_passwords(ANNA)) == 1


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 40, "٣"])
async def test_numbers_that_are_none(world: World, number: str) -> None:
    browser = await signed_in(world)
    answer = await browser.client.get(f"{PAGE}/revoke", params={"number": number})
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["", "  ", "x" * 200])
async def test_one_needs_a_name(world: World, name: str) -> None:
    browser = await signed_in(world)
    answer = await browser.post(PAGE, fields_of((await browser.get(PAGE)).text, PAGE) | {"name": name})
    assert answer.status_code == 409
    assert "needs a name" in answer.text


async def test_without_app_passwords_there_is_no_page_about_them(world: World) -> None:
    world.app_passwords = False
    browser = await signed_in(world)
    assert (await browser.get(PAGE)).status_code == 404
    assert "App passwords" not in (await browser.get("/account")).text


async def test_where_phones_need_one_the_page_about_new_phones_says_so(world: World) -> None:
    assert "Make an app password" not in (await (await signed_in(world)).get("/account/set-up")).text
    world.app_password_required = True
    world.restart()
    assert "Make an app password" in (await (await signed_in(world)).get("/account/set-up")).text
