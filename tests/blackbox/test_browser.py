"""The pages in Chromium: devices, wipes, app passwords, search; dark, narrow, without JavaScript."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.blackbox.conftest import MakePhone
from tests.blackbox.pages import ADMIN, PAGES
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Phone

PATIENCE = 50_000.0
"""Milliseconds to wait for what must come, on a machine that has much else to do."""
expect.set_options(timeout=PATIENCE)

_ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
"""Run as root, without a screen, and ask nothing of the network."""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def sections() -> Mapping[str, Section]:
    return PAGES


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "chromium is missing: make packages"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ALONE, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser, shared_gateway: Gateway) -> Iterator[Open]:
    """Opens windows with options, each with cookies of its own; nothing in them may be against the policy."""
    said: list[str] = []
    contexts: list[BrowserContext] = []

    def note(message: str) -> None:
        if "Content Security Policy" in message:
            said.append(message)

    def make(**options: object) -> Page:
        context = chromium.new_context(base_url=shared_gateway.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: note(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def phone(new_phone: MakePhone) -> Phone:
    made = new_phone("16.1", device="PHONE1")
    made.provision()
    made.folder_sync()
    return made


def sign_in(page: Page, user: str, password: str, at: str = "/account") -> None:
    page.goto(at)
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()


def background(page: Page) -> tuple[int, ...]:
    """The colour behind the page."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return tuple(map(int, re.findall(r"\d+", colour)))


def test_a_wipe_with_its_confirmation_by_keyboard_alone(
    window: Open, dovecot: Dovecot, user: str, phone: Phone
) -> None:
    page = window()
    sign_in(page, user, dovecot.password)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".tiles a")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("dl").get_by_text("PHONE1")).to_be_visible()
    page.get_by_role("link", name="Wipe the device…").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Wipe")
    page.get_by_role("link", name="Cancel").press("Enter")
    expect(page.get_by_text("To be wiped")).to_have_count(0)
    page.get_by_role("link", name="Wipe the device…").press("Enter")
    page.get_by_role("button", name="Delete everything on it").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("next time it asks")
    expect(page.get_by_text("To be wiped", exact=True)).to_be_visible()
    page.get_by_role("button", name="Take the wipe back").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("taken back")
    page.get_by_role("button", name="Sign out", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_app_password_is_shown_once(window: Open, dovecot: Dovecot, user: str) -> None:
    page = window()
    sign_in(page, user, dovecot.password)
    page.get_by_role("link", name="App passwords").click()
    page.get_by_label("What it is for").fill("<b>Tablet</b>")
    page.get_by_role("button", name="Make an app password").click()
    secret = page.locator(".secret code").text_content()
    assert secret
    page.goto("/account/app-passwords")
    expect(page.get_by_text("<b>Tablet</b>")).to_be_visible()
    assert secret not in page.content()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("None yet.")).to_be_visible()


def test_devices_are_found_while_one_types(
    window: Open, dovecot: Dovecot, user: str, new_phone: MakePhone
) -> None:
    for name in ("FINDME1", "OTHER2"):
        new_phone("16.1", device=name).provision()
    page = window()
    sign_in(page, ADMIN, dovecot.password, at="/admin")
    expect(page.locator("#live svg")).to_have_count(4)
    page.get_by_role("link", name="Devices", exact=True).click()
    expect(page.locator("form[data-htmx-powered]")).to_have_count(1)
    field = page.get_by_label("Search")
    field.press_sequentially(f"{user} findme")
    expect(page.locator("#found tbody tr")).to_have_count(1)
    expect(page.locator("#found tbody")).to_contain_text("FINDME1")
    expect(field).to_be_focused()
    assert page.url.endswith("/admin/devices")  # the page is the same, a part of it was replaced
    page.get_by_label("State").select_option("blocked")
    expect(page.get_by_text("No device is like that.")).to_be_visible()
    page.get_by_label("State").select_option("all")
    page.locator("#found tbody a").click()
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_role("status")).to_contain_text("blocked, whatever the rules say")
    expect(page.locator("table").get_by_text("device.block")).to_be_visible()


def test_without_javascript_everything_is_there(
    window: Open, dovecot: Dovecot, user: str, phone: Phone
) -> None:
    page = window(java_script_enabled=False)
    sign_in(page, ADMIN, dovecot.password, at="/admin/devices")
    page.get_by_label("Search").fill(user)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#found tbody tr")).to_have_count(1)
    page.locator("#found tbody a").click()
    page.get_by_role("link", name="Begin anew…").click()
    page.get_by_role("button", name="Begin anew").click()
    expect(page.get_by_role("status")).to_contain_text("begins anew")
    page.goto("/admin/devices")
    page.get_by_text("More filters").click()
    page.get_by_label("User", exact=True).fill("nobody-at-all")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("No device is like that.")).to_be_visible()


def test_on_a_narrow_screen_nothing_hangs_over(
    window: Open, dovecot: Dovecot, user: str, phone: Phone
) -> None:
    device = f"/admin/device?user={user}&id=PHONE1"
    for who, pages in (
        (user, ("/account", "/account/device?id=PHONE1", "/account/folders", "/account/set-up")),
        (ADMIN, ("/admin", "/admin/devices", device, "/admin/rules", "/admin/audit")),
    ):
        page = window(viewport={"width": 320, "height": 640})
        sign_in(page, who, dovecot.password, at=pages[0])
        for path in pages:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            sizes = [
                button.bounding_box() for button in page.locator("button:visible, a.button:visible").all()
            ]
            assert min(size["height"] for size in sizes if size) >= 36, path


def test_it_is_dark_where_the_user_wants_it_dark(window: Open) -> None:
    light, dark = window(color_scheme="light"), window(color_scheme="dark")
    for page in (light, dark):
        page.goto("/account")
    assert min(background(light)) > 200
    assert max(background(dark)) < 60


def test_a_link_from_another_site_finds_who_is_signed_in(
    window: Open, dovecot: Dovecot, user: str, shared_gateway: Gateway
) -> None:
    page = window()
    sign_in(page, user, dovecot.password)
    elsewhere = f"<a href='{shared_gateway.url}/account/set-up'>go</a>"
    page.route(
        "http://elsewhere.test/", lambda route: route.fulfill(body=elsewhere, content_type="text/html")
    )
    page.goto("http://elsewhere.test/")
    page.get_by_role("link", name="go").click()
    expect(page.get_by_role("heading", name="Set up a phone")).to_be_visible()
