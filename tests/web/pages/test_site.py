"""Who gets in, what forms are believed, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import re
from unittest.mock import ANY

import httpx
import pytest
from cryptography.fernet import Fernet, InvalidToken
from starlette.responses import Response

from gateway.eas.apppasswords import AppPasswordBook
from gateway.errors import GatewayError, UpstreamUnavailable
from gateway.web.account.devices import DevicePages
from gateway.web.pages.sessions import form_token
from tests.web.pages.support import ANNA, BERT, COOKIE, PASSWORD, ROOT, URL, World, fields_of

VISITOR = f"{COOKIE}-visitor"


def said(page: httpx.Response) -> str:
    """What a page says is wrong."""
    found = re.search(r"role=\"alert\"[^>]*>(.*?)<", page.text, re.DOTALL)
    assert found, page.text
    return found[1]


async def test_a_page_is_for_who_is_signed_in_and_shown_after_that(world: World) -> None:
    browser = world.browser()
    sent_away = await browser.get("/account/device?id=a%26b")
    assert sent_away.status_code == 303
    assert sent_away.headers["location"] == "/account/sign-in?next=/account/device%3Fid%3Da%2526b"
    page = await browser.get(sent_away.headers["location"])
    fields = fields_of(page.text, "/sign-in") | {"user": ANNA, "password": PASSWORD}
    inside = await browser.post("/account/sign-in", fields)
    assert (inside.status_code, inside.headers["location"]) == (303, "/account/device?id=a%26b")
    assert (await browser.get("/account")).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example/account", "https://evil.example", "/account\\@evil.example", "/admin", "/accounts"],
)
async def test_signing_in_leads_nowhere_else(world: World, wanted: str) -> None:
    browser = world.browser()
    page = await browser.client.get("/account/sign-in", params={"next": wanted})
    fields = fields_of(page.text, "/sign-in") | {"user": ANNA, "password": PASSWORD}
    assert (await browser.post("/account/sign-in", fields)).headers["location"] == "/account"
    fields = fields_of((await browser.get("/account/sign-in")).text, "/sign-in")
    posted = await browser.post(
        "/account/sign-in", fields | {"user": ANNA, "password": PASSWORD, "next": wanted}
    )
    assert posted.headers["location"] == "/account"


async def test_no_one_learns_whether_a_user_a_password_or_a_right_is_missing(world: World) -> None:
    answers = [
        await world.browser().sign_in(user, password, at=at)
        for user, password, at in (
            (ANNA, "wrong", "/account"),
            ("nobody@example.com", PASSWORD, "/account"),
            (ANNA, PASSWORD, "/admin"),
            (ROOT, "wrong", "/admin"),
        )
    ]
    assert {one.status_code for one in answers} == {403}
    assert len({said(one) for one in answers}) == 1
    assert all(COOKIE not in one.cookies for one in answers)


async def test_an_app_password_opens_no_page(world: World) -> None:
    """It is for a device: who finds it there must not rule the others."""
    made = await AppPasswordBook(world.state, world.clock, ANNA).create(ANNA, "Tablet")
    answer = await world.browser().sign_in(ANNA, made.text)
    assert (answer.status_code, COOKIE in answer.cookies) == (403, False)


async def test_wrong_passwords_are_slowed_as_those_of_phones_are(world: World) -> None:
    world.max_delay = 0.2
    browser = world.browser()
    for _ in range(2):
        assert (await browser.sign_in(ANNA, "wrong")).status_code == 403
    page = await browser.get("/account/sign-in")
    fields = fields_of(page.text, "/sign-in") | {"user": ANNA, "password": "wrong"}
    many = await asyncio.gather(*(browser.post("/account/sign-in", fields) for _ in range(12)))
    put_off = [one for one in many if one.status_code == 429]
    assert put_off
    assert int(put_off[0].headers["retry-after"]) > 0
    assert "Wait" in said(put_off[0])


async def test_an_outage_of_the_mail_server_is_told_as_one(world: World) -> None:
    world.users.error = UpstreamUnavailable("secret detail")
    answer = await world.browser().sign_in(ANNA)
    assert answer.status_code == 503
    assert "Try again" in said(answer)
    assert "secret detail" not in answer.text


# --- sessions ----------------------------------------------------------------------------------------------


async def test_the_cookies_are_for_this_server_alone(world: World) -> None:
    browser = world.browser()
    page = await browser.get("/account/sign-in")
    answer = await browser.sign_in(ANNA)
    for cookie in (page.headers["set-cookie"], answer.headers.get_list("set-cookie")[0]):
        assert cookie.startswith(COOKIE)
        assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(cookie.split("; ")[1:])
        assert "Max-Age" not in cookie


@pytest.mark.parametrize(
    ("url", "headers", "secure"),
    [
        (None, {}, False),
        (None, {"X-Forwarded-Proto": "https"}, True),
        ("http://sync.example.com", {"X-Forwarded-Proto": "https"}, False),
        ("https://sync.example.com", {}, True),
    ],
)
async def test_cookies_are_secure_where_the_server_is(
    world: World, url: str | None, headers: dict[str, str], *, secure: bool
) -> None:
    world.url = url
    browser = world.browser(client="127.0.0.1", base="http://sync.example.com")
    answer = await browser.client.get("/account/sign-in", headers=headers)
    assert ("Secure" in answer.headers["set-cookie"]) is secure
    assert answer.headers["set-cookie"].startswith("__Host-") is secure


async def test_signing_in_makes_a_new_session_and_ends_the_one_before(world: World) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)
    first = browser.client.cookies[COOKIE]
    await browser.sign_in(BERT)
    second = browser.client.cookies[COOKIE]
    assert first != second
    other = world.browser()
    other.client.cookies.set(COOKIE, first, domain="sync.example.com", path="/")
    assert (await other.get("/account")).status_code == 303
    assert BERT in (await browser.get("/account")).text


async def test_a_planted_secret_is_no_session(world: World) -> None:
    browser = world.browser()
    browser.client.cookies.set(COOKIE, "planted", domain="sync.example.com", path="/")
    await browser.sign_in(ANNA)
    assert browser.client.cookies[COOKIE] != "planted"
    victim = world.browser()
    victim.client.cookies.set(COOKIE, "planted", domain="sync.example.com", path="/")
    assert (await victim.get("/account")).status_code == 303


async def test_the_store_holds_nothing_to_sign_in_with(world: World) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)
    stored = await world.state._database.read(
        lambda connection: connection.execute("SELECT * FROM web_session").fetchall()
    )
    assert stored == [(ANY, ANNA, ANNA, ANY, ANY, ANY)]
    secret, sealed = browser.client.cookies[COOKIE], browser.client.cookies[f"{COOKIE}-proof"]
    assert json.loads(Fernet(stored[0][5]).decrypt(sealed)) == [ANNA, PASSWORD]
    with pytest.raises(InvalidToken):
        Fernet(Fernet.generate_key()).decrypt(sealed)
    assert secret.encode() not in stored[0][0]
    assert PASSWORD not in repr(stored)
    assert form_token(secret) != stored[0][0].hex()


async def test_a_session_ends_when_its_password_is_not_right_any_more(world: World) -> None:
    browser, other = world.browser(), world.browser()
    await browser.sign_in(ANNA)
    await other.sign_in(ANNA)
    other.client.cookies.delete(f"{COOKIE}-proof")
    assert (await other.get("/account")).status_code == 303
    world.users.error = UpstreamUnavailable("away")
    assert (await browser.get("/account")).status_code == 200
    world.users.error = None
    world.users.passwords[ANNA] = "another"
    assert (await browser.get("/account")).status_code == 303
    world.users.passwords[ANNA] = PASSWORD
    assert (await browser.get("/account")).status_code == 303


async def test_a_cookie_that_opens_with_no_seal_ends_the_session(world: World) -> None:
    owner, other = world.browser(), world.browser()
    await owner.sign_in(BERT)
    foreign = owner.client.cookies[f"{COOKIE}-proof"]
    for forged in (foreign.encode(), b"gA\xff\xe4", b"\0", b"A" * 4000):
        await other.sign_in(ANNA)
        own = other.client.cookies[COOKIE].encode()
        shown = COOKIE.encode() + b"=" + own + b"; " + COOKIE.encode() + b"-proof=" + forged
        stranger = world.browser()
        for _ in range(2):
            answer = await stranger.client.get("/account", headers=[(b"cookie", shown)])
            assert answer.status_code == 303
        assert (await other.get("/account")).status_code == 303
    assert (await owner.get("/account")).status_code == 200


async def test_a_session_ends_when_it_is_not_used(world: World) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)
    for _ in range(3):
        world.clock.forward(minutes=29)
        assert (await browser.get("/account")).status_code == 200
    world.clock.forward(minutes=30)
    assert (await browser.get("/account")).status_code == 303


async def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(world: World) -> None:
    browser = world.browser()
    await browser.sign_in(ROOT, at="/admin")
    for _ in range(29):
        world.clock.forward(minutes=1)
        assert (await browser.get("/admin/live", hx_request="true")).status_code == 200
    world.clock.forward(minutes=1)
    assert "hx-refresh" in (await browser.get("/admin/live", hx_request="true")).headers


async def test_who_was_signed_out_meanwhile_is_told_that_nothing_was_done(world: World) -> None:
    """Else he takes the page after signing in for a sign that his phone is wiped."""
    await world.device()
    browser = world.browser()
    await browser.sign_in(ANNA)
    page = await browser.get("/account/device/wipe?kind=device&id=PHONE1")
    world.clock.forward(minutes=31)
    sent_away = await browser.post("/account/device/wipe", fields_of(page.text, "/device/wipe"))
    shown = await browser.get(sent_away.headers["location"])
    assert "nothing was done. Sign in" in said(shown)
    elsewhere = await browser.post("/account/device/wipe", {}, sec_fetch_site="cross-site")
    assert "another site" in said(elsewhere)
    assert (await world.state.list_devices(ANNA))[0].control.wipe is None


async def test_a_slash_too_many_leads_to_the_first_page(world: World) -> None:
    for typed in ("/account/", "/admin/"):
        answer = await world.browser().get(typed)
        assert (answer.status_code, answer.headers["location"]) == (303, typed.rstrip("/"))


async def test_a_session_ends_after_half_a_day_however_it_is_used(world: World) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)
    for _ in range(35):
        world.clock.forward(minutes=20)
        assert (await browser.get("/account")).status_code == 200
    world.clock.forward(minutes=20)
    assert (await browser.get("/account")).status_code == 303


async def test_signing_out_ends_the_session_and_not_the_cookie_alone(world: World) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)
    secret = browser.client.cookies[COOKIE]
    answer = await browser.submit("/account", "/account/sign-out")
    assert answer.headers["location"] == "/account/sign-in?said=signed-out"
    assert COOKIE not in browser.client.cookies
    browser.client.cookies.set(COOKIE, secret, domain="sync.example.com", path="/")
    assert (await browser.get("/account")).status_code == 303


async def test_signing_out_everywhere_ends_those_of_the_user_alone(world: World) -> None:
    anna, elsewhere, bert = world.browser(), world.browser(), world.browser()
    for browser, user in ((anna, ANNA), (elsewhere, ANNA), (bert, BERT)):
        await browser.sign_in(user)
    page = await anna.get("/account/set-up")
    await anna.post("/account/sign-out", fields_of(page.text, "/sign-out") | {"everywhere": "1"})
    assert (await elsewhere.get("/account")).status_code == 303
    assert (await bert.get("/account")).status_code == 200


async def test_an_administrator_stays_one_only_as_long_as_the_configuration_says(world: World) -> None:
    browser = world.browser()
    await browser.sign_in(ROOT, at="/admin")
    assert (await browser.get("/admin")).status_code == 200
    world.admins = ()
    world.restart()
    other = world.browser()
    other.client.cookies = browser.client.cookies
    assert (await other.get("/admin")).status_code == 303
    assert (await other.get("/account")).status_code == 200


# --- forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example", "sec-fetch-site": ""},
        {"origin": "null", "sec-fetch-site": ""},
        {"origin": URL, "sec-fetch-site": "same-site"},
        {"origin": URL, "sec-fetch-site": "cross-site"},
    ],
)
async def test_forms_of_other_sites_are_refused_even_with_the_token(
    world: World, headers: dict[str, str]
) -> None:
    await world.device()
    browser = world.browser()
    await browser.sign_in(ANNA)
    page = await browser.get("/account/device/wipe?kind=device&id=PHONE1")
    fields = fields_of(page.text, "/device/wipe")
    answer = await browser.client.post(
        "/account/device/wipe", data=fields, headers={name: text for name, text in headers.items() if text}
    )
    assert answer.status_code == 403
    assert "another site" in said(answer)
    assert (await world.state.list_devices(ANNA))[0].control.wipe is None


async def test_a_proxy_may_hide_what_browsers_call_the_server(world: World) -> None:
    world.url = None
    browser = world.browser(base="http://127.0.0.1:8080")
    page = await browser.get("/account/sign-in")
    fields = fields_of(page.text, "/sign-in") | {"user": ANNA, "password": PASSWORD}
    origin = {"origin": "http://sync.example.com"}
    answer = await browser.client.post("/account/sign-in", data=fields, headers=origin)
    assert answer.status_code == 403
    answer = await browser.client.post(
        "/account/sign-in", data=fields, headers=origin | {"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "of bert"])
async def test_forms_without_the_token_of_this_browser_are_refused(world: World, token: str) -> None:
    await world.device()
    browser, bert = world.browser(), world.browser()
    await browser.sign_in(ANNA)
    await bert.sign_in(BERT)
    shown = form_token(bert.client.cookies[COOKIE]) if token == "of bert" else token
    fields = {"token": shown, "id": "PHONE1", "kind": "device"}
    answer = await browser.post("/account/device/wipe", fields)
    assert answer.status_code == 403
    assert (await world.state.list_devices(ANNA))[0].control.wipe is None
    by_header = {"X_CSRF_Token": form_token(browser.client.cookies[COOKIE])}
    assert (await browser.post("/account/device/wipe", fields, **by_header)).status_code == (
        403 if shown else 303
    )


async def test_nobody_is_signed_in_by_a_form_of_another_site(world: World) -> None:
    fields = {"user": ANNA, "password": PASSWORD, "next": "", "token": form_token("")}
    for token in (form_token(""), form_token("guess"), ""):
        answer = await world.browser().post("/account/sign-in", fields | {"token": token})
        assert (answer.status_code, COOKIE in answer.cookies) == (403, False)


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"f%d=1" % number for number in range(60)), "application/x-www-form-urlencoded", 400),
        (b'{"id": "PHONE1"}', "application/json", 415),
        (b"\xff\xfe%ff%00\0", "application/x-www-form-urlencoded", 403),
    ],
)
async def test_forms_are_bounded(world: World, content: bytes, kind: str, code: int) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)
    headers = {"content-type": kind}
    answer = await browser.client.post("/account/device/wipe", content=content, headers=headers)
    assert answer.status_code == code


# --- answers -----------------------------------------------------------------------------------------------


async def test_every_answer_has_the_headers_that_keep_browsers_strict(world: World) -> None:
    browser = world.browser()
    paths = (
        "/account/sign-in",
        "/account",
        "/account/nothing",
        "/account/static/style.css",
        "/account/static/x",
    )
    for path in (*paths, "/admin/sign-in"):
        headers = (await browser.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        if "static" not in path:
            assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        (f"{URL}/account/app-passwords?a=%22&b=1", "/account/app-passwords?a=%22&amp;b=1"),
        ("https://evil.example/elsewhere", "/account"),
        ("//[", "/account"),
        ("javascript:alert(1)", "/account"),
        ("", "/account"),
    ],
)
async def test_who_is_signed_in_comes_back_from_what_did_not_work(
    world: World, referer: str, back: str
) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)
    page = "/account/app-passwords"
    fields = fields_of((await browser.get(page)).text, page) | {"name": ""}
    failed = await browser.client.post(page, data=fields, headers={"referer": referer})
    assert failed.status_code == 409
    assert f'<a class="button" href="{back}">' in failed.text
    for known in ('action="/account/sign-out"', 'href="/account/set-up"'):
        assert known in failed.text


async def test_pages_need_nothing_that_the_policy_forbids(world: World) -> None:
    """No script, style or handler stands in a page, and nothing comes from elsewhere."""
    await world.device()
    account, admin = world.browser(), world.browser()
    await account.sign_in(ANNA)
    await admin.sign_in(ROOT, at="/admin")
    pages = [
        await account.get(f"/account{path}") for path in ("", "/device?id=PHONE1", "/folders", "/set-up")
    ]
    pages += [await admin.get(f"/admin{path}") for path in ("", "/devices", "/rules", "/poison", "/audit")]
    for page in pages:
        assert page.status_code == 200
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page.text)
        assert re.search(r"<html lang=\"en\">", page.text)
        assert len(re.findall(r"<h1", page.text)) == 1
        for name in re.findall(r"<(?:input|select)(?![^>]*hidden)[^>]* id=\"(\w+)\"", page.text):
            assert f'<label for="{name}"' in page.text


async def test_static_files_are_kept_by_browsers_under_their_digest(world: World) -> None:
    browser = world.browser()
    page = (await browser.get("/account/sign-in")).text
    for path in re.findall(r"(?:src|href)=\"(/account/static/[^\"]+)\"", page):
        answer = await browser.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "immutable" not in (await browser.get(path.partition("?")[0])).headers["cache-control"]
    assert (await browser.get("/account/static/..%2Fsite.py")).status_code == 404


async def test_a_link_from_elsewhere_finds_the_session(world: World) -> None:
    """The browser keeps the cookie back at first; asked again by our own page, it sends it."""
    answer = await world.browser().get("/account/device?id=a", sec_fetch_site="cross-site")
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/account/device?id=a"' in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_part_of_a_page_is_not_replaced_by_the_sign_in_page(world: World) -> None:
    answer = await world.browser().get("/admin/live", hx_request="true")
    assert (answer.headers["hx-refresh"], answer.text) == ("true", "")


async def test_what_goes_wrong_is_told_without_details(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = world.browser()
    await browser.sign_in(ANNA)

    async def broken(*_: object) -> None:
        raise GatewayError("disk /var/lib is full")

    monkeypatch.setattr(world.state, "list_devices", broken)
    answer = await browser.get("/account")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "/var/lib" not in answer.text

    async def wrong(*_: object) -> Response:
        raise ValueError("secret")

    monkeypatch.setattr(DevicePages, "_list", wrong)
    world.restart()
    other = world.browser()
    other.client.cookies = browser.client.cookies
    answer = await other.get("/account")
    assert answer.status_code == 500
    assert re.search(r"this number: [0-9a-f]{8}\.", answer.text)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("host", ["[", "a b", "x" * 300, ""])
async def test_any_host_header_is_answered(world: World, host: str) -> None:
    world.url = None
    browser = world.browser(base="http://sync.example.com")
    answer = await browser.client.get("/account/sign-in", headers={"host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PROPFIND"])
async def test_methods_without_meaning_are_answered_as_everything_is(world: World, method: str) -> None:
    """And tell nobody of the pages of administrators who may not reach them."""
    for path, allowed in (("", "GET, HEAD"), ("/device/wipe", "GET, HEAD, POST"), ("/sign-out", "POST")):
        answer = await world.browser().client.request(method, f"/account{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    world.networks = ("10.0.0.0/8",)
    world.restart()
    for path in ("/admin", "/admin/devices", "/admin/device/decide"):
        answer = await world.browser().client.request(method, path)
        assert (answer.status_code, answer.headers.get("allow")) == (404, None)


async def test_administrators_may_have_to_come_from_certain_networks(world: World) -> None:
    world.networks = ("10.0.0.0/8", "2001:db8::/32")
    for client, code in (
        ("10.1.2.3", 200),
        ("2001:db8::1", 200),
        ("::ffff:10.1.2.3", 200),
        ("192.0.2.1", 404),
    ):
        answer = await world.browser(client=client).get("/admin/sign-in")
        assert answer.status_code == code, client
        assert (await world.browser(client=client).get("/account/sign-in")).status_code == 200
