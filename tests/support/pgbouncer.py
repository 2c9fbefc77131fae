"""A private, real PgBouncer in transaction mode before a PostgreSQL of the tests."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from tests.support.ports import LOOPBACK, free_ports, wait_for_port
from tests.support.postgres import Postgres
from tests.support.unpacked import as_owner, end

__all__ = ["PgBouncer"]

_START_SECONDS = 60.0
_PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


class PgBouncer:
    """One pooler, a context manager: for all databases of a server, with few connections to it."""

    def __init__(self, server: Postgres, *, connections: int = 3) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        (self._folder / "users").write_text('"gateway" ""\n')
        self._settings = self._folder / "pgbouncer.ini"
        self._settings.write_text(
            f"""[databases]
* = host={LOOPBACK} port={server.port}
[pgbouncer]
listen_addr = {LOOPBACK}
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {self._folder / "users"}
pool_mode = transaction
default_pool_size = {connections}
logfile = {self._folder / "log"}
"""
        )
        owner = as_owner()
        if owner:
            for path in (self._folder, *self._folder.iterdir()):
                shutil.chown(path, owner["user"], owner["group"])

    def url(self, database: str) -> str:
        """Where a database of the server is, through the pooler."""
        return f"postgresql://gateway@{LOOPBACK}:{self.port}/{database}"

    def __enter__(self) -> PgBouncer:
        self._process = process = subprocess.Popen(
            [_PROGRAM, "-q", str(self._settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self._folder,
            **as_owner(),
        )
        if not wait_for_port(self.port, seconds=_START_SECONDS, alive=lambda: process.poll() is None):
            log = self._folder / "log"
            said = log.read_text() if log.exists() else ""
            self.__exit__(None, None, None)
            raise RuntimeError(f"PgBouncer did not start: {said}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._process)
        shutil.rmtree(self._folder, ignore_errors=True)
