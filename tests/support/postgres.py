"""A private, real PostgreSQL for the tests: on loopback, in its own folder, with databases as wanted."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType

from tests.support.ports import LOOPBACK, free_ports, wait_for_port
from tests.support.unpacked import as_owner

__all__ = ["Postgres"]

_PROGRAMS = Path("/usr/lib/postgresql")
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_USER = "gateway"
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "16MB",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "logging_collector": "off",
}


class Postgres:
    """One server, a context manager. Everybody who comes from this machine is let in.

    One that `follows` another, which runs, is its standby until it is promoted.
    """

    def __init__(self, follows: Postgres | None = None, **settings: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._settings = _SETTINGS | settings
        self._process: subprocess.Popen[bytes] | None = None
        (self.port,) = free_ports(1)
        self.programs = _newest()
        """The folder with its programs."""
        owner = as_owner()
        if owner:
            shutil.chown(self._folder, owner["user"], owner["group"])
        if follows is None:
            how: tuple[str, ...] = (
                "initdb",
                "--auth=trust",
                f"--username={_USER}",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            )
        else:
            how = ("pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", f"--dbname={follows.url()}")
        self._run(*how, "--no-sync")

    def url(self, database: str = "postgres", *, user: str = _USER) -> str:
        """Where a database is."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """Makes a database that nobody else uses; returns its name."""
        name = f"test_{uuid.uuid4().hex}"
        self.query(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def query(self, statement: str, database: str = "postgres") -> str:
        """Runs a statement and returns what it says. Raises `CalledProcessError`."""
        done = subprocess.run(
            [
                self.programs / "psql",
                "-qXAt",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                self.url(database),
                "-c",
                statement,
            ],
            check=True,
            capture_output=True,
            timeout=_START_SECONDS,
        )
        return done.stdout.decode().strip()

    def start(self) -> None:
        """Starts it and waits until it lets clients in."""
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = process = subprocess.Popen(
                [self.programs / "postgres", "-D", self._data, "-p", str(self.port), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._folder,
                **as_owner(),
            )
        if not wait_for_port(self.port, seconds=_START_SECONDS, alive=lambda: process.poll() is None):
            raise RuntimeError(f"PostgreSQL did not start: {self.log[-2000:]}")
        deadline = time.monotonic() + _START_SECONDS
        while not self._lets_in():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not let anybody in: {self.log[-2000:]}")
            time.sleep(0.02)

    def resume(self) -> None:
        """Starts it if it does not run."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def stop(self) -> None:
        """Stops it as it is stopped for a restart: connections are cut, nothing is lost."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Stops it at once, as after a power cut; what was committed is recovered at the next start."""
        self._end(signal.SIGQUIT)

    @property
    def pid(self) -> int:
        """The process all others of the server descend from; raises AssertionError when it does not run."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text("utf-8", "replace")

    def __enter__(self) -> Postgres:
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.crash()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        more = ["-D", str(self._data)] if program in {"initdb", "pg_basebackup"} else []
        subprocess.run(
            [self.programs / program, *more, *arguments],
            check=True,
            capture_output=True,
            timeout=_START_SECONDS,
            cwd=self._folder,
            **as_owner(),
        )

    def _lets_in(self) -> bool:
        ready = [str(self.programs / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self.port)]
        return subprocess.run(ready, check=False, timeout=_START_SECONDS).returncode == 0

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _newest() -> Path:
    """The folder with the programs of the newest PostgreSQL that is installed."""
    found = [folder for folder in _PROGRAMS.glob("*/bin") if (folder / "initdb").exists()]
    if not found:
        raise RuntimeError(f"there is no PostgreSQL in {_PROGRAMS}: make packages")
    return max(found, key=lambda folder: int(folder.parent.name))
