"""Autodiscover over HTTP, as a phone uses it before anything else (MS-ASCMD 2.2.1.1)."""

from __future__ import annotations

import base64
import http.client
import json
from email.message import Message

from lxml import etree

from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway

BASE = "http://schemas.microsoft.com/exchange/autodiscover"


def ask(
    gateway: Gateway, method: str, path: str, body: bytes = b"", login: str = ""
) -> tuple[int, Message, bytes]:
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=30)
    headers = {"Content-Type": "text/xml"}
    if login:
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_from_an_address_to_the_endpoint(shared_gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    request = (
        f'<Autodiscover xmlns="{BASE}/mobilesync/requestschema/2006"><Request>'
        f"<EMailAddress>{user}@example.test</EMailAddress>"
        f"<AcceptableResponseSchema>{BASE}/mobilesync/responseschema/2006</AcceptableResponseSchema>"
        "</Request></Autodiscover>"
    ).encode()
    path = "/Autodiscover/Autodiscover.xml"
    code, headers, _ = ask(shared_gateway, "POST", path, request)
    assert code == 401
    assert headers["WWW-Authenticate"].startswith("Basic")
    code, headers, body = ask(shared_gateway, "POST", path, request, f"{user}:{dovecot.password}")
    assert code == 200
    root = etree.fromstring(body)
    assert root.xpath("string(//*[local-name()='EMailAddress'])") == f"{user}@example.test"
    url = root.xpath("string(//*[local-name()='Url'])")
    assert url == f"{shared_gateway.url}/Microsoft-Server-ActiveSync"
    # What it was sent to is there.
    place = url.removeprefix(shared_gateway.url)
    code, headers, _ = ask(shared_gateway, "OPTIONS", place, login=f"{user}:{dovecot.password}")
    assert code == 200
    assert "16.1" in headers["MS-ASProtocolVersions"]


def test_in_json(shared_gateway: Gateway, user: str) -> None:
    path = f"/autodiscover/autodiscover.json/v1.0/{user}%40example.test?Protocol=ActiveSync"
    code, headers, body = ask(shared_gateway, "GET", path)
    assert code == 200
    assert headers["Content-Type"].startswith("application/json")
    url = f"{shared_gateway.url}/Microsoft-Server-ActiveSync"
    assert json.loads(body) == {"Protocol": "ActiveSync", "Url": url}
