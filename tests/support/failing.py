"""A PostgreSQL that stops storing in the middle of something, as on a full disk, and goes on when told to.

The error is raised by triggers: a gateway gets what the server says when its disk is full, at a moment that a
test chooses. To fill a real disk needs one that can be filled, and hits anywhere.
"""

from __future__ import annotations

from tests.support.postgres import Postgres

__all__ = ["FailingWrites"]

_SPARED = ("lease", "probe", "migration")
"""Tables not of requests: a lease that is not given back would keep the next attempt waiting."""
_SET_UP = """
    CREATE SCHEMA failing;
    CREATE SEQUENCE failing.writes;
    CREATE TABLE failing.beyond (number bigint);
    INSERT INTO failing.beyond VALUES (NULL);
    CREATE FUNCTION failing.write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('failing.writes') > (SELECT number FROM failing.beyond) THEN
            RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
        END IF;
        RETURN NULL;
    END $$;
    CREATE FUNCTION failing.after(writes bigint) RETURNS void LANGUAGE sql AS $$
        UPDATE failing.beyond SET number = writes;
        SELECT setval('failing.writes', 1, false);
    $$;
    DO $$
    DECLARE name text;
    BEGIN
        FOR name IN
            SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL ('{%s}')
        LOOP
            EXECUTE format('CREATE TRIGGER failing BEFORE INSERT OR UPDATE OR DELETE ON %%I'
                ' FOR EACH STATEMENT EXECUTE FUNCTION failing.write()', name);
        END LOOP;
    END $$;
"""


class FailingWrites:
    """The writes of one database, in which a gateway has made its tables."""

    def __init__(self, server: Postgres, database: str) -> None:
        self._server = server
        self._database = database
        server.query(_SET_UP % ",".join(_SPARED), database)

    def after(self, writes: int) -> None:
        """From now on so many statements write, and none after them."""
        self._run(f"SELECT failing.after({writes})")

    def never(self) -> None:
        """There is room again."""
        self._run("SELECT failing.after(NULL)")

    def _run(self, statement: str) -> None:
        self._server.query(statement, self._database)
