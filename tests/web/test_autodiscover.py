"""The pages by which programs find their servers, asked as an ASGI application."""

from __future__ import annotations

import base64
import json
import plistlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from lxml import etree

from gateway.eas.identity import Identity
from gateway.errors import UpstreamUnavailable
from gateway.web.auth import Authentication
from gateway.web.autodiscover import Autodiscover, MailServer, Servers, is_autodiscover_path, public, reached
from gateway.web.brakes import Brakes, Budget
from gateway.web.client import Proxies
from gateway.web.http import Message, Scope
from gateway.web.loops import Loops
from gateway.web.ways import Master, TokenWay, Ways
from tests.web.support import LOGIN, NO_BOUND, Answer, Time, Users
from tests.web.test_ways import Provider

XML = "/autodiscover/autodiscover.xml"
JSON = "/autodiscover/autodiscover.json"
CONFIG = "/.well-known/autoconfig/mail/config-v1.1.xml"
PROFILE = "/autodiscover/activesync.mobileconfig"
BASE = "http://schemas.microsoft.com/exchange/autodiscover"
OUTER = f"{BASE}/responseschema/2006"
PHONE = f"{BASE}/mobilesync/responseschema/2006"
PROGRAM = f"{BASE}/outlook/responseschema/2006a"
URL = "https://sync.example.com"
IMAP = MailServer("imap.example.com", 993, "tls")
SMTP = MailServer("smtp.example.com", 587, "starttls")


class Pages:
    """The application, and whoever asks it."""

    def __init__(
        self,
        *,
        url: str | None = URL,
        imap: MailServer | None = IMAP,
        budget: Budget = NO_BOUND,
        master: Master | None = None,
        tokens: bool = False,
    ) -> None:
        self.brakes = Brakes(NO_BOUND, budget, Loops(0, 0))
        self.users = Users()
        identity = Identity(email="{local}@example.com", login="{local}", name="Jo Doe")
        moved = {"old.example": "example.com", "alt.example": "bücher.example"}
        servers = Servers(identity, url, imap, SMTP, moved)
        clock = Time()
        ways = Ways(tokens=TokenWay(Provider(clock), clock, master)) if tokens else Ways()
        authentication = Authentication(self.users, identity, max_delay=0, ways=ways)
        clock.value = datetime(2026, 3, 1, 9, 8, 7, 654321, tzinfo=UTC)
        self.app = Autodiscover(servers, authentication, Proxies(["127.0.0.1"]), self.brakes, clock)

    async def ask(
        self,
        path: str,
        query: str = "",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        peer: str = "127.0.0.1",
    ) -> Answer:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        given = {"Host": "sync.example.com", **(headers or {})}
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), text.encode()) for name, text in given.items()],
            "client": (peer, 1),
            "scheme": "http",
        }
        await self.app(scope, receive, send)
        told = {name.decode().lower(): text.decode() for name, text in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, b"".join(each.get("body", b"") for each in sent[1:]))

    async def post(
        self, body: bytes, *, login: str = LOGIN, peer: str = "127.0.0.1", **headers: str
    ) -> Answer:
        given = {"Authorization": login, "Content-Type": "text/xml", **headers}
        return await self.ask(XML, method="POST", headers=given, body=body, peer=peer)


def request(address: str = "jo@example.com", schema: str = PHONE, kind: str = "mobilesync") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{BASE}/{kind}/requestschema/2006">'
        f"<Request><EMailAddress>{address}</EMailAddress>"
        f"<AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()


def texts(document: bytes, namespace: str) -> dict[str, str]:
    """The texts below the Response by local name, which has to be in this namespace."""
    root = etree.fromstring(document)
    assert root.tag == f"{{{OUTER}}}Autodiscover"
    answer = root.find(f"{{{namespace}}}Response")
    assert answer is not None, document
    return {etree.QName(each).localname: each.text or "" for each in answer.iter() if not len(each)}


def error_code(answer: Answer) -> str:
    assert answer.code == 200
    root = etree.fromstring(answer.body)
    error = root.find(f"{{{OUTER}}}Response/{{{OUTER}}}Error")
    assert error is not None, answer.body
    assert error.get("Time") == "09:08:07.6543210"
    assert (error.get("Id") or "").isdigit()
    assert [etree.QName(child).localname for child in error] == ["ErrorCode", "Message", "DebugData"]
    return error[0].text or ""


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        (XML, True),
        ("/Autodiscover/Autodiscover.XML", True),
        ("/AutoDiscover/autodiscover.json/v1.0/jo@example.com", True),
        (CONFIG, True),
        ("/mail/config-v1.1.xml", True),
        (PROFILE, True),
        ("/autodiscover", False),
        ("/autodiscover/autodiscover.xml/more", False),
        ("/autodiscover/autodiscover.jsonp", False),
    ],
)
def test_paths(path: str, ours: bool) -> None:
    assert is_autodiscover_path(path) is ours


# --- XML ---------------------------------------------------------------------------------------------------


async def test_a_phone_is_told_where_the_gateway_is() -> None:
    answer = await Pages().post(request("JO@example.com"))
    assert answer.code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    endpoint = f"{URL}/Microsoft-Server-ActiveSync"
    assert texts(answer.body, PHONE) == {
        "Culture": "en:us",
        "DisplayName": "Jo Doe",
        "EMailAddress": "Jo@example.com",
        "Type": "MobileSync",
        "Url": endpoint,
        "Name": endpoint,
    }


async def test_without_a_public_url_it_is_as_the_request_names_it() -> None:
    pages = Pages(url=None)
    answer = await pages.post(request(), **{"Host": "eas.example.net:8443", "X-Forwarded-Proto": "https"})
    assert texts(answer.body, PHONE)["Url"] == "https://eas.example.net:8443/Microsoft-Server-ActiveSync"
    assert error_code(await pages.post(request(), Host='e"vil/<x>')) == "600"
    for proxies, scheme in (("https, http", "https"), ("gopher", "http")):
        answer = await pages.post(request(), **{"X-Forwarded-Proto": proxies, "X-Forwarded-Host": "evil"})
        assert texts(answer.body, PHONE)["Url"].startswith(f"{scheme}://sync.example.com/")
    # Whoever is no proxy says nothing of how he came.
    answer = await pages.post(request(), peer="192.0.2.1", **{"X-Forwarded-Proto": "https"})
    assert texts(answer.body, PHONE)["Url"].startswith("http://sync.example.com/")


async def test_a_mail_program_is_told_the_mail_servers() -> None:
    answer = await Pages().post(request("jo@example.com", PROGRAM, "outlook"))
    root = etree.fromstring(answer.body)
    inner = f"{{{PROGRAM}}}"
    account = root.find(f"{inner}Response/{inner}Account")
    assert account is not None
    told = [
        {etree.QName(each).localname: each.text for each in protocol}
        for protocol in account.findall(f"{inner}Protocol")
    ]
    common = {"LoginName": "Jo", "DomainRequired": "off", "SPA": "off", "AuthRequired": "on"}
    assert told == [
        common
        | {"Type": "IMAP", "Server": "imap.example.com", "Port": "993", "SSL": "on", "Encryption": "SSL"},
        common
        | {"Type": "SMTP", "Server": "smtp.example.com", "Port": "587", "SSL": "off", "Encryption": "TLS"},
    ]
    assert account.findtext(f"{inner}Action") == "settings"


async def test_mail_servers_nobody_reaches_are_not_told() -> None:
    assert error_code(await Pages(imap=None).post(request(schema=PROGRAM, kind="outlook"))) == "601"


async def test_a_domain_that_has_moved() -> None:
    pages = Pages()
    phone = texts((await pages.post(request("jo@OLD.example"))).body, PHONE)
    assert phone["Redirect"] == "jo@example.com"
    assert "Url" not in phone
    program = texts((await pages.post(request("jo@old.example", PROGRAM, "outlook"))).body, PROGRAM)
    assert program["Action"] == "redirectAddr"
    assert program["RedirectAddr"] == "jo@example.com"
    answer = await pages.ask(f"{JSON}/v1.0/jo@old.example", "Protocol=ActiveSync")
    assert answer.code == 302
    assert answer.headers["location"] == (
        "https://autodiscover.example.com/autodiscover/autodiscover.json/v1.0/jo%40example.com"
        "?Protocol=ActiveSync"
    )


async def test_a_domain_that_has_moved_to_one_with_letters_of_its_own() -> None:
    answer = await Pages().ask(f"{JSON}/v1.0/jo@alt.example", "Protocol=ActiveSync")
    assert answer.code == 302
    assert answer.headers["location"].startswith("https://autodiscover.xn--bcher-kva.example/")
    phone = texts((await Pages().post(request("jo@alt.example"))).body, PHONE)
    assert phone["Redirect"] == "jo@bücher.example"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
async def test_requests_in_other_encodings(encoding: str) -> None:
    text = request("jö@bücher.example").decode().partition("?>")[2]
    body = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>{text}".encode(encoding)
    assert "Url" in texts((await Pages().post(body)).body, PHONE)


SOAP = b"""<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetUserSettingsRequestMessage
xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"/></s:Body></s:Envelope>"""
TWO = request().replace(b"</Request>", b"</Request><Request><EMailAddress>b@c</EMailAddress></Request>")
BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + request().partition(
    b"?>"
)[2].replace(b"jo@", b"&b;@")
FILE = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + request().partition(b"?>")[2].replace(
    b"jo@", b"&a;@"
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "600"),
        (b"POST", "600"),
        (b"<a/>", "600"),
        (SOAP, "600"),
        (request('"jo doe"@example.com'), "600"),
        (request("jo\x9b@example.com"), "600"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a">' + request().partition(b"?>")[2], "600"),
        (b"\x03\x01\x6a\x00\x45\x01", "600"),
        (request()[:-20], "600"),
        (TWO, "600"),
        (BOMB, "600"),
        (FILE, "600"),
        (request("no address"), "600"),
        (request(""), "600"),
        (request("jo@example.com&#10;evil"), "600"),
        (request(schema=""), "600"),
        (request(schema="http://example.com/schema"), "601"),
        (b"<a>" * 100_000, None),
        (b"<Autodiscover>" + b"<a>" * 5_000, "600"),
    ],
)
async def test_bad_requests(body: bytes, code: str | None) -> None:
    answer = await Pages().post(body)
    if code is None:
        assert answer.code == 413
    else:
        assert error_code(answer) == code


async def test_only_who_logs_in_is_answered() -> None:
    pages = Pages()
    for login in ("", "Basic " + base64.b64encode(b"Jo:wrong").decode(), "Bearer x"):
        answer = await pages.post(request(), login=login)
        assert answer.code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
    pages.users.error = UpstreamUnavailable("it sleeps")
    answer = await pages.post(request())
    assert (answer.code, "retry-after" in answer.headers) == (503, True)


async def test_who_asks_without_end_is_put_off() -> None:
    pages = Pages(budget=Budget(3, 1))
    answers = [await pages.post(request()) for _ in range(4)]
    assert [answer.code for answer in answers] == [200, 200, 200, 503]
    assert int(answers[3].headers["retry-after"]) >= 30
    assert (await pages.ask(CONFIG, "emailaddress=jo@example.com")).code == 200  # which costs nothing


async def test_whoever_asks_elsewhere_is_sent_on() -> None:
    pages = Pages()
    for headers in ({"Host": "autodiscover.example.com"}, {"X-Forwarded-Proto": "http"}):
        answer = await pages.ask(XML, headers=headers)
        assert (answer.code, answer.headers["location"]) == (302, URL + XML)
    # Where it is, or may be, the gateway itself, nobody is sent round in circles.
    for headers in ({}, {"X-Forwarded-Proto": "https"}):
        assert (await pages.ask(XML, headers=headers)).code == 401
    assert (await pages.ask(XML, method="PUT")).code == 405


# --- JSON --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"{JSON}/v1.0/jo@example.com", "Protocol=ActiveSync"),
        (f"{JSON}/V1.0/jo@example.com", "protocol=activesync&RedirectCount=1"),
        (JSON, "Email=jo%40example.com&Protocol=ActiveSync"),
        (JSON, "Email=jo+mobile@example.com&Protocol=ActiveSync"),
        (JSON, "Email=o'brien%40b%C3%BCcher.example&Protocol=ActiveSync"),
    ],
)
async def test_json(path: str, query: str) -> None:
    answer = await Pages().ask(path, query)
    assert answer.code == 200
    assert answer.headers["content-type"].startswith("application/json")
    told = {"Protocol": "ActiveSync", "Url": f"{URL}/Microsoft-Server-ActiveSync"}
    assert json.loads(answer.body) == told


async def test_json_of_the_older_protocol() -> None:
    answer = await Pages().ask(f"{JSON}/v1.0/jo@example.com", "Protocol=AutodiscoverV1")
    assert json.loads(answer.body) == {"Protocol": "AutodiscoverV1", "Url": URL + XML}


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (JSON, "", "MandatoryParameterMissing"),
        (f"{JSON}/v1.0/jo@example.com", "", "MandatoryParameterMissing"),
        (f"{JSON}/v1.0/", "Protocol=ActiveSync", "MandatoryParameterMissing"),
        (f"{JSON}/v2.0/jo@example.com", "Protocol=ActiveSync", "InvalidVersion"),
        (f"{JSON}/v1.0/jo@example.com", "Protocol=Ews", "InvalidProtocol"),
        (f"{JSON}/v1.0/jo@ex ample", "Protocol=ActiveSync", "InvalidEmailAddress"),
    ],
)
async def test_json_errors(path: str, query: str, code: str) -> None:
    answer = await Pages().ask(path, query)
    assert answer.code == 400
    told = json.loads(answer.body)
    assert told["ErrorCode"] == code
    assert told["ErrorMessage"]


# --- mail programs and Apple's -----------------------------------------------------------------------------


async def test_autoconfig() -> None:
    answer = await Pages().ask(CONFIG, "emailaddress=ann%40example.com")
    root = etree.fromstring(answer.body)
    assert (root.tag, root.get("version")) == ("clientConfig", "1.1")
    assert root.xpath("string(emailProvider/domain)") == "example.com"
    incoming, outgoing = root.find("emailProvider/incomingServer"), root.find("emailProvider/outgoingServer")
    assert incoming is not None
    assert outgoing is not None
    told = [
        [
            server.get("type"),
            *(server.findtext(name) for name in ("hostname", "port", "socketType", "username")),
        ]
        for server in (incoming, outgoing)
    ]
    assert told == [
        ["imap", "imap.example.com", "993", "SSL", "ann"],
        ["smtp", "smtp.example.com", "587", "STARTTLS", "ann"],
    ]


async def test_autoconfig_offers_tokens_where_the_mail_servers_take_them() -> None:
    root = etree.fromstring((await Pages(tokens=True).ask(CONFIG, "emailaddress=ann%40example.com")).body)
    ways = [one.text for one in root.findall("emailProvider/*/authentication")]
    assert ways == ["OAuth2", "password-cleartext"] * 2
    assert [(child.tag, child.text) for child in root.findall("oAuth2/*")] == [
        ("issuer", "login.example"),
        ("scope", "openid mail"),
        ("authURL", "https://login.example/authorize"),
        ("tokenURL", "https://login.example/token"),
    ]
    for pages in (Pages(), Pages(tokens=True, master=Master("boss", "secret"))):
        answer = await pages.ask(CONFIG, "emailaddress=ann%40example.com")
        assert b"password-cleartext" in answer.body
        assert b"auth2" not in answer.body.lower()


async def test_autoconfig_for_a_whole_domain() -> None:
    answer = await Pages().ask("/mail/config-v1.1.xml", headers={"Host": "autoconfig.example.com"})
    assert b"<username>%EMAILLOCALPART%</username>" in answer.body
    assert b"<domain>example.com</domain>" in answer.body
    assert (await Pages(imap=None).ask(CONFIG)).code == 404
    for address in ("<b>", "%EF%BF%BE@example.com", "a%C2%9B@example.com", "%00@example.com"):
        assert (await Pages().ask(CONFIG, f"emailaddress={address}")).code == 400
        assert (await Pages().ask(PROFILE, f"email={address}")).code == 400
    assert (await Pages().ask(CONFIG, headers={"Host": "[::1]:8080"})).code == 404


async def test_a_profile_for_apple() -> None:
    pages = Pages()
    answer = await pages.ask(PROFILE, "email=ann%40example.com")
    assert answer.headers["content-type"] == "application/x-apple-aspen-config"
    whole = plistlib.loads(answer.body)
    [account] = whole["PayloadContent"]
    assert account["PayloadType"] == "com.apple.eas.account"
    told = (account["EmailAddress"], account["UserName"], account["Host"], account["SSL"])
    assert told == ("ann@example.com", "ann", "sync.example.com", True)
    names = {whole["PayloadUUID"], account["PayloadUUID"]}
    assert len(names) == 2
    assert all(re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", name) for name in names)
    assert (await pages.ask(PROFILE, "email=ann%40example.com")).body == answer.body
    assert (await pages.ask(PROFILE)).code == 400
    assert (await pages.ask(PROFILE, method="DELETE")).code == 405


# --- what is told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "security", "told"),
    [
        ("imap.example.com", "tls", True),
        ("imap.example.com", "none", False),
        ("localhost", "tls", False),
        ("dovecot", "starttls", False),
        ("mail.internal", "tls", False),
        ("127.0.0.1", "tls", False),
        ("10.0.0.3", "tls", False),
        ("::1", "tls", False),
        ("9.9.9.9", "starttls", True),
    ],
)
def test_servers_that_others_reach_too(host: str, security: str, told: bool) -> None:
    assert (public(host, 993, security) is not None) is told


def test_servers_as_configured() -> None:
    assert reached("") is None
    assert reached("imap.example.com:993") == IMAP
    assert reached("smtp.example.com:587") == SMTP


@pytest.mark.parametrize(
    ("email", "address", "login"),
    [
        ("{user}", "ann@example.com", "ann@example.com"),
        ("{user}@example.com", "ANN@Example.com", "ANN"),
        ("{local}@example.com", "ann@example.com", "ann"),
        ("{local}@{domain}", "ann@example.com", "ann@example.com"),
        ("{user}@example.com", "ann@example.org", None),
        ("all@example.com", "all@example.com", None),
    ],
)
def test_the_login_behind_an_address(email: str, address: str, login: str | None) -> None:
    assert Identity(email=email).login_of(address) == login
