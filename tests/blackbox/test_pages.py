"""The pages for users and administrators, over HTTP, with phones beside and a real mail server behind."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing

import httpx
import pytest

from tests.blackbox.conftest import MakePhone
from tests.blackbox.pages import ADMIN, PAGES
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Phone, policy_request
from tests.support.waiting import eventually
from tests.web.pages.support import fields_of
from wbxml import element
from wbxml.pages import FolderHierarchy, Provision


@pytest.fixture(scope="module")
def sections() -> Mapping[str, Section]:
    return PAGES


class Visitor:
    """A browser that keeps cookies and knows no JavaScript."""

    def __init__(self, gateway: Gateway, user: str, password: str, *, at: str = "/account") -> None:
        self.client = httpx.Client(base_url=gateway.url, timeout=50)
        page = self.client.get(f"{at}/sign-in")
        fields = fields_of(page.text, "/sign-in") | {"user": user, "password": password}
        self.entered = self.client.post(f"{at}/sign-in", data=fields)

    def page(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("location"))
        return answer.text

    def submit(self, path: str, action: str, **known: str) -> str:
        """Post the form with this action on a page; returns the page it leads to."""
        answer = self.client.post(action, data=fields_of(self.page(path), action, **known))
        assert answer.status_code == 303, answer.text
        return self.page(answer.headers["location"])


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(shared_gateway: Gateway, dovecot: Dovecot) -> Iterator[Visit]:
    """Makes browsers of users who sign in with a password, the right one if none is given."""
    with ExitStack() as stack:

        def make(user: str, password: str = dovecot.password, *, at: str = "/account") -> Visitor:
            visitor = Visitor(shared_gateway, user, password, at=at)
            stack.enter_context(closing(visitor.client))
            return visitor

        yield make


@pytest.fixture
def browser(visit: Visit, user: str) -> Visitor:
    """The user of the test, signed in."""
    return visit(user)


@pytest.fixture
def admin(visit: Visit) -> Visitor:
    return visit(ADMIN, at="/admin")


def told_to_wipe(phone: Phone) -> bool:
    """Whether the phone is told to, as it asks for its policy."""
    root = phone.post("Provision", policy_request(phone.version)).root
    return any(child.tag is Provision.RemoteWipe for child in root)


@pytest.mark.parametrize("version", ["14.1", "16.1"])
def test_a_user_has_his_phone_wiped_and_takes_it_back(
    browser: Visitor, new_phone: MakePhone, version: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    assert "PHONE1" in browser.page("/account/device?id=PHONE1")
    browser.submit("/account/device/wipe?kind=device&id=PHONE1", "/account/device/wipe")
    assert told_to_wipe(phone)
    page = browser.submit("/account/device?id=PHONE1", "/account/device/unwipe")
    assert "was taken back" in page
    phone.provision()
    assert phone.folders()


def test_the_sign_in_asks_the_mail_server(
    shared_gateway: Gateway, dovecot: Dovecot, user: str, browser: Visitor, visit: Visit
) -> None:
    assert browser.entered.headers["location"] == "/account"
    assert visit(user, f"not {dovecot.password}").entered.status_code == 403
    assert visit(user, at="/admin").entered.status_code == 403
    said = ("/account/sign-in", "http=403", f"wrong credentials for '{user}'")
    # The line follows the answer.
    eventually(lambda: any(all(one in line for one in said) for line in shared_gateway.log().splitlines()))
    assert f"not {dovecot.password}" not in shared_gateway.log()


def test_a_session_outlives_the_process_and_ends_at_the_sign_out(
    shared_gateway: Gateway, browser: Visitor, admin: Visitor
) -> None:
    shared_gateway.restart()
    assert "Your devices" in browser.page("/account")
    assert "Overview" in admin.page("/admin")
    secret = dict(browser.client.cookies)
    browser.submit("/account", "/account/sign-out")
    browser.client.cookies.update(secret)
    assert browser.client.get("/account").status_code == 303
    with closing(sqlite3.connect(f"file:{shared_gateway.database}?mode=ro", uri=True)) as store:
        (text,) = store.execute(
            "SELECT group_concat(quote(key) || user || email) FROM web_session"
        ).fetchone()
    assert all(value not in (text or "") for value in secret.values())


def test_an_app_password_made_on_the_page_opens_no_page(
    shared_gateway: Gateway, browser: Visitor, user: str, visit: Visit
) -> None:
    page = "/account/app-passwords"
    answer = browser.client.post(page, data=fields_of(browser.page(page), page) | {"name": "Tablet"})
    shown = re.search(r"class=\"secret\"><code>([a-z0-9-]+)</code>", answer.text)
    assert shown
    # It opens the phone's way and not this one.
    assert visit(user, shown[1]).entered.status_code == 403
    assert shown[1] not in browser.page(page)
    assert shown[1] not in shared_gateway.log()


def test_a_calendar_is_shared_and_taken_out(browser: Visitor, new_phone: MakePhone, visit: Visit) -> None:
    phone = new_phone()
    phone.provision()
    phone.folder_sync()
    page = browser.page("/account/folders")
    (calendar,) = re.findall(r"href=\"(/account/folder\?id=i\d+)\"><bdi>Calendar<", page)
    fields = fields_of(browser.page(calendar), "/folder/share") | {"with": "guest-of-pages@example.test"}
    answer = browser.client.post("/account/folder/share", data=fields | {"right": "read"})
    assert answer.status_code == 303
    guest = visit("guest-of-pages")
    assert "you may read it" in guest.page("/account/folders")
    exported = browser.client.get(calendar.replace("folder?", "folder/export?"))
    assert exported.text.startswith("BEGIN:VCALENDAR\r\n")


def test_an_administrator_decides_and_the_phone_meets_it(
    admin: Visitor, new_phone: MakePhone, user: str
) -> None:
    phone = new_phone("16.1", device="DECIDED1")
    phone.provision()
    page = admin.client.get("/admin/devices", params={"q": f"{user} decided1"}).text
    assert "1 of " in page
    device = f"/admin/device?user={user}&id=DECIDED1"
    admin.submit(device, "/admin/device/decide", access="block")
    request = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
    assert phone.post("FolderSync", request).root.child_text(FolderHierarchy.Status) == "129"
    acts = re.findall(r"<code>(device\.\w+)</code>", admin.page(f"/admin/audit?user={user}"))
    assert acts == ["device.block"]
    admin.submit(device, "/admin/device/decide", access="undecide")
    phone.folder_sync()
    charts = admin.page("/admin/live")
    assert charts.count("<figure") == 4
    assert "imap ok" in charts
