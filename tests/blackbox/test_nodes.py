"""What is decided at one of two gateways on one PostgreSQL, or beside them, counts at the other at once."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import asyncpg
import httpx
import pytest

from gateway.app import SystemClock, open_store
from gateway.config import load
from gateway.eas.apppasswords import AppPasswordBook
from gateway.ports import State
from gateway.types import DeviceId, UserId, Wipe
from tests.blackbox.pages import ADMIN, PAGES
from tests.blackbox.test_pages import Visitor, told_to_wipe
from tests.blackbox.test_ping import ready
from tests.blackbox.test_postgres import Waiting
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import MASTER, MASTER_PASSWORD, Options
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.postgres import Postgres
from tests.support.smtp_sink import SmtpSink
from tests.web.pages.support import fields_of

Nodes = tuple[Gateway, Gateway]


@pytest.fixture(scope="module")
def mail() -> Iterator[Dovecot]:
    """A mail server that a master user may open every mailbox of."""
    with Dovecot(Options(master=True)) as running:
        yield running


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    return postgres.url(postgres.create())


@pytest.fixture(scope="module")
def nodes(database: str, mail: Dovecot, shared_sink: SmtpSink) -> Iterator[Nodes]:
    sections = {
        **PAGES,
        "store": {"url": database},
        "master": {"login": MASTER, "password": MASTER_PASSWORD},
    }
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        made = [Gateway(mail, shared_sink, sections=sections) for _ in range(2)]
        for node in made:
            stack.callback(node.close)
        list(pool.map(Gateway.start, made))
        yield made[0], made[1]


def phone_at(node: Gateway, user: str, password: str) -> Phone:
    return Phone(node.host, node.port, user, password)


def beside(node: Gateway, work: Callable[[State], Awaitable[None]]) -> None:
    """Do something with the store, as the command line does."""

    async def run() -> None:
        async with open_store(load(node.config, {})) as (state, _):
            await work(state)

    asyncio.run(run())


def test_an_app_password_ends_at_all_nodes(nodes: Nodes, user: str) -> None:
    made: list[tuple[str, int]] = []

    async def make(state: State) -> None:
        new = await AppPasswordBook(state, SystemClock(), "cli:root").create(UserId(user), "phone")
        made.append((new.text, new.password.number))

    async def revoke(state: State) -> None:
        await AppPasswordBook(state, SystemClock(), "cli:root").revoke(UserId(user), made[0][1])

    beside(nodes[0], make)
    here, there = (phone_at(node, user, made[0][0]) for node in nodes)
    there.provision()
    (inbox,) = ready(there, "Inbox")
    here.policy_key = there.policy_key
    assert here.folders()
    held = Waiting(nodes[1], there, (inbox, "Email"))
    beside(nodes[0], revoke)
    assert held.answer().code == 401
    for phone in (here, there):
        assert phone.raw(phone.query("Ping")).code == 401


def test_a_wipe_reaches_a_phone_that_waits_at_either(nodes: Nodes, mail: Dovecot, user: str) -> None:
    async def wipe(state: State) -> None:
        await state.ask_wipe(UserId(user), DeviceId("PHONE1"), Wipe.DEVICE, SystemClock().now())

    async def take_back(state: State) -> None:
        await state.ask_wipe(UserId(user), DeviceId("PHONE1"), None, SystemClock().now())

    for node, other in (nodes, nodes[::-1]):
        phone = phone_at(node, user, mail.password)
        phone.provision()
        (inbox,) = ready(phone, "Inbox")
        held = Waiting(node, phone, (inbox, "Email"))
        beside(other, wipe)
        held.answer()
        assert told_to_wipe(phone)
        beside(other, take_back)


def test_sessions_of_pages_are_those_of_all_nodes(nodes: Nodes, mail: Dovecot, user: str) -> None:
    """With the forms that another node made; who signs out everywhere is out everywhere."""
    with (
        closing(Visitor(nodes[0], user, mail.password).client) as here,
        closing(httpx.Client(base_url=nodes[1].url, cookies=here.cookies, timeout=50)) as there,
    ):
        page = here.get("/account")
        assert there.get("/account").status_code == page.status_code == 200
        out = fields_of(page.text, "/account/sign-out") | {"everywhere": "1"}
        assert there.post("/account/sign-out", data=out).status_code == 303
        assert here.get("/account").status_code == 303


def test_the_admin_page_says_what_its_charts_are_of(nodes: Nodes, mail: Dovecot) -> None:
    with closing(Visitor(nodes[0], ADMIN, mail.password, at="/admin").client) as admin:
        assert f"of this machine ({platform.node()})" in admin.get("/admin").text


async def test_a_wrong_password_is_told_to_the_other_nodes(nodes: Nodes, database: str, user: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    connection = await asyncpg.connect(database)
    try:
        await connection.add_listener("activesync_gateway", lambda *said: heard.put_nowait(str(said[3])))
        phone = phone_at(nodes[0], user, "wrong")
        assert (await asyncio.to_thread(phone.raw, phone.query("Ping"))).code == 401
        while "logins" not in (said := json.loads(await heard.get())):
            continue
        assert user not in str(said)
    finally:
        await connection.close()
