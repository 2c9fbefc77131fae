"""Users divided among several databases, as the page on sizes has HAProxy do it."""

from __future__ import annotations

import base64
import http.client
import re
import textwrap
from collections.abc import Iterator, Mapping

import pytest

from tests.deploy.proxies import EXAMPLES, HAProxy, Proxy
from tests.support.ports import LOOPBACK

PATH = "/Microsoft-Server-ActiveSync?Cmd=Ping&User=somebody&DeviceId=1&DeviceType=x"
MAP = "/etc/haproxy/parts.map"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """The example with the lines of the page, and parts that say which they are."""
    page = (EXAMPLES.parent / "sizing.md").read_text()
    found = re.search(r"^  ```\n(.*set-var.*?)^  ```\n", page, re.MULTILINE | re.DOTALL)
    assert found
    parts = (
        f'backend {name}\n    http-request return status 200 content-type text/plain string "{name}"\n'
        for name in ("first", "second")
    )
    changes = {
        "    default_backend gateway\n": textwrap.indent(textwrap.dedent(found[1]), "    "),
        "backend gateway\n": f"{''.join(parts)}backend gateway\n",
    }
    with Divided(changes) as running:
        yield running


class Divided(HAProxy):
    """HAProxy with a file of users."""

    def __init__(self, changes: Mapping[str, str]) -> None:
        super().__init__(1, changes)
        users = self.folder / "parts.map"
        users.write_text("anna@example.com second\n")
        self._changes = {old: new.replace(MAP, str(users)) for old, new in changes.items()}


@pytest.mark.parametrize(
    ("login", "part"),
    [
        ("anna@example.com:pw", "second"),
        ("Anna@Example.com:p:w", "second"),
        ("anna@example.org:pw", "first"),
        (":", "first"),
        (None, "first"),
    ],
)
def test_a_user_comes_to_his_part(proxy: Proxy, login: str | None, part: str) -> None:
    headers = {"Host": "localhost"}
    if login is not None:
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    connection = http.client.HTTPSConnection(LOOPBACK, proxy.port, timeout=60, context=proxy.tls)
    connection.request("POST", PATH, headers=headers)
    assert connection.getresponse().read().decode() == part
    connection.close()
