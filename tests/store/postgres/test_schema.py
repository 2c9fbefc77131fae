"""The schema of PostgreSQL: made by several at once, kept by older releases, refused when it is another's."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest

from gateway.errors import GatewayError, StoreUnavailable
from gateway.ports.examining import Verdict
from gateway.store.postgres import PostgresTransactions, parse_url, schema, schemawatch
from gateway.store.postgres.examine import examine
from gateway.store.postgres.schema import Migration, applied, migrate, migrations
from gateway.store.state import StoredState
from gateway.types import DeviceId, UserId
from tests.support.postgres import Postgres

ONE = Migration(1, "one", "-- works with 1\nCREATE TABLE one (id int);\nINSERT INTO one VALUES (1);\n")
TWO = Migration(2, "two", "-- works with 1\nALTER TABLE one ADD COLUMN more int;\n")
THREE = Migration(3, "three", "-- works with 2\nALTER TABLE one DROP COLUMN id;\n")


async def test_several_that_start_at_once_make_it_once(postgres: Postgres) -> None:
    location = parse_url(postgres.url(postgres.create()))
    opened = await asyncio.gather(*(PostgresTransactions.open(location) for _ in range(4)))
    for one in opened:
        await one.check_writable()
        await one.aclose()
    assert len({one.bus.secret for one in opened}) == 1


async def test_nodes_of_two_releases_side_by_side(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.url(postgres.create()))
    try:
        await migrate(connection, "it", [ONE])
        await migrate(connection, "it", [ONE, TWO])
        await migrate(connection, "it", [ONE])  # an older node that is started again
        assert [(*row,) for row in await connection.fetch("SELECT * FROM one")] == [(1, None)]
        await migrate(connection, "it", [ONE, TWO, THREE])
        assert await applied(connection, "it", [ONE, TWO]) == 3
        with pytest.raises(GatewayError, match=r"written by a newer gateway \(schema 3, this one knows 1\)"):
            await migrate(connection, "it", [ONE])
        other = Migration(2, "two", "-- works with 1\nSELECT 1;\n")
        with pytest.raises(GatewayError, match="made with another migration 0002_two"):
            await migrate(connection, "it", [ONE, other, THREE])
    finally:
        await connection.close()


async def test_a_migration_lets_others_pass_while_something_reads_its_tables(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pg_dump does, for hours: nobody may wait for its end behind a migration that waits for it."""
    monkeypatch.setattr(schema, "_PAUSE", 0.01)
    monkeypatch.setattr(schema, "_ATTEMPTS", 60)
    url = postgres.url(postgres.create())
    connection, dump, other = [await asyncpg.connect(url, command_timeout=30) for _ in range(3)]
    try:
        await migrate(connection, "it", [ONE])
        reading = dump.transaction()
        await reading.start()
        await dump.execute("LOCK TABLE one IN ACCESS SHARE MODE")
        migrating = asyncio.create_task(migrate(connection, "it", [ONE, TWO]))
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0)
        await other.execute("UPDATE one SET id = 2")
        await reading.rollback()
        await migrating
        assert [(*row,) for row in await other.fetch("SELECT * FROM one")] == [(2, None)]
        monkeypatch.setattr(schema, "_ATTEMPTS", 1)
        reading = dump.transaction()
        await reading.start()
        await dump.execute("LOCK TABLE one IN ACCESS SHARE MODE")
        with pytest.raises(GatewayError, match=r"its tables are in use and cannot be altered \(pg_dump\?\)"):
            await migrate(connection, "it", [ONE, TWO, THREE])
        await reading.rollback()
        await migrate(connection, "it", [ONE, TWO, THREE])
    finally:
        for each in (connection, dump, other):
            await each.close()


async def test_a_migration_that_waits_for_who_waits_for_it_begins_again(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a node of the release before that uses the same tables in another order."""
    monkeypatch.setattr(schema, "_PAUSE", 0.01)
    both = "CREATE TABLE two (id int);\nALTER TABLE one ADD COLUMN more int;\n"
    wider = "-- works with 1\nALTER TABLE one ADD COLUMN less int;\nALTER TABLE two ADD COLUMN less int;\n"
    known = [ONE, Migration(2, "both", f"-- works with 1\n{both}")]
    url = postgres.url(postgres.create())
    connection, other = [await asyncpg.connect(url, command_timeout=30) for _ in range(2)]
    try:
        await migrate(connection, "it", known)
        # It sees to it first that both wait, if the other one comes in time; else its patience ends.
        await connection.execute("SET deadlock_timeout = '500ms'")
        async with other.transaction():
            await other.execute("INSERT INTO two VALUES (1)")
            migrating = asyncio.create_task(migrate(connection, "it", [*known, Migration(3, "wider", wider)]))
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'two'::regclass"
            while not await other.fetchval(waiting):
                await asyncio.sleep(0)
            await other.execute("UPDATE one SET more = 2")
        await migrating
        assert [(*row,) for row in await other.fetch("SELECT * FROM one, two")] == [(1, 2, None, 1, None)]
    finally:
        await connection.close()
        await other.close()


async def test_a_migration_that_fails_leaves_the_one_before(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.url(postgres.create()))
    try:
        broken = Migration(2, "two", "-- works with 1\nDROP TABLE one;\nNONSENSE;\n")
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await migrate(connection, "it", [ONE, broken])
        assert await applied(connection, "it", [ONE]) == 1
        await migrate(connection, "it", [ONE, TWO])
        assert [(*row,) for row in await connection.fetch("SELECT * FROM one")] == [(1, None)]
    finally:
        await connection.close()


async def test_the_database_of_another_program_is_left_alone(postgres: Postgres) -> None:
    name = postgres.create()
    postgres.query("CREATE TABLE theirs (id int)", name)
    location = parse_url(postgres.url(name))
    with pytest.raises(GatewayError, match="this is the database of another program"):
        await PostgresTransactions.open(location)
    assert postgres.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name) == "theirs"
    worst = [one.text async for one in examine(location, 10) if one.verdict is Verdict.FAILURE]
    assert len(worst) == 1
    assert "another program" in worst[0]


async def test_a_database_that_can_have_no_schema_is_refused(postgres: Postgres) -> None:
    """By the gateway when it starts, and by check in the same words: not at the first name beyond Latin-1."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.query(f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    postgres.query(f"CREATE ROLE {name} LOGIN")
    pathless = f"{postgres.url(postgres.create())}?search_path=nowhere"
    foreign = postgres.create()
    postgres.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC", foreign)
    for url, why in (
        (postgres.url(name), "it keeps its text in LATIN1"),
        (pathless, "no schema of its search_path is there"),
        (postgres.url(foreign, user=name), "may not make tables in its schema public"),
    ):
        location = parse_url(url)
        with pytest.raises(GatewayError, match=why):
            await PostgresTransactions.open(location)
        (worst,) = [one.text async for one in examine(location, 10) if one.verdict is Verdict.FAILURE]
        assert why in worst


async def test_a_database_that_is_well(postgres: Postgres) -> None:
    location = parse_url(postgres.url(postgres.create()))
    assert {one.verdict async for one in examine(location, 10)} == {Verdict.OK}
    async with await PostgresTransactions.open(location):
        found = [one async for one in examine(location, 10)]
    assert {one.verdict for one in found} == {Verdict.OK}
    assert f"schema {migrations()[-1].number}, the newest" in [one.text for one in found]


async def test_a_database_that_may_forget_is_doubtful(postgres: Postgres) -> None:
    url = f"{postgres.url(postgres.create())}?synchronous_commit=off"
    (found,) = [one async for one in examine(parse_url(url), 10) if one.verdict is not Verdict.OK]
    assert found.verdict is Verdict.WARNING
    assert "synchronous_commit is off" in found.text


async def test_a_schema_beyond_what_a_node_knows_is_not_used_as_long_as_it_is_there(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemawatch, "LOOK_SECONDS", 0.01)
    name = postgres.create()
    async with await PostgresTransactions.open(parse_url(postgres.url(name))) as opened:
        state = StoredState(opened)
        ann, phone = UserId("ann"), DeviceId("p")

        async def is_used() -> bool:
            try:
                await state.save_memo(ann, phone, "m", b"v")
            except StoreUnavailable:
                return False
            return True

        newest = migrations()[-1].number
        insert = "INSERT INTO migration (number, name, sha256, works_with) VALUES"
        postgres.query(f"{insert} ({newest + 1}, 'more', '', {newest})", name)
        await opened.check_writable()
        postgres.query(f"{insert} ({newest + 2}, 'less', '', {newest + 1})", name)
        async with asyncio.timeout(30):
            while await is_used():
                await asyncio.sleep(0.01)
        for attempt in (opened.check_writable(), state.load_memo(ann, phone, "m")):
            with pytest.raises(StoreUnavailable, match="written by a newer gateway"):
                await attempt
        with pytest.raises(StoreUnavailable, match="written by a newer gateway"):
            async with state.lease(ann, phone, "m"):
                pytest.fail("nobody has it")
        postgres.query("DELETE FROM migration WHERE name = 'less'", name)
        async with asyncio.timeout(30):
            while not await is_used():
                await asyncio.sleep(0.01)
        await opened.check_writable()


def test_each_migration_says_what_it_works_with() -> None:
    scripts = migrations()
    assert [script.number for script in scripts] == [*range(1, len(scripts) + 1)]
    assert all(1 <= script.works_with <= script.number for script in scripts)
