"""One SQLite file behind asyncio: a writer with group commit, reader threads, and look-ups on the spot.

Callers hand over closures that get a connection. A look-up of a few rows by their key runs in the event loop:
in WAL mode no writer makes it wait, it takes microseconds, and handing it to a thread and back takes ten
times as long. What reads more goes to a reader thread.

A write closure is a whole transaction. All closures that came in the same round of the event loop, or while
the last commit was on its way to the disk, are handed to the writer together and become one transaction. If
one of them raises, which is rare, all is taken back and done again, each in a savepoint of its own: then one
that raises takes back its own changes only. All are answered after the one COMMIT, which `synchronous=FULL`
makes wait for the disk; so what was answered survives a power cut, and a busy store needs few disk flushes.
If the COMMIT fails, all fail.

A closure that was queued runs, whether or not somebody still waits for it, before the database is closed.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from gateway.errors import GatewayError, StoreUnavailable
from gateway.store.sqlite.failures import explain
from gateway.store.sqlite.location import create_file
from gateway.store.sqlite.schema import migrate

__all__ = ["Database"]

T = TypeVar("T")

_OLDEST_SQLITE = (3, 37, 0)
_LARGEST_GROUP = 256
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)
_OTHERS = "PRAGMA data_version"


@dataclass(slots=True)
class _Job(Generic[T]):
    """A closure, and where its outcome goes."""

    work: Callable[[sqlite3.Connection], T]
    future: asyncio.Future[T]
    after: Callable[[T], None] | None = None
    value: T | None = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Tell the waiter, in the event loop; a cancelled one is not told."""
        if self.after is not None and self.error is None:
            # Before the waiter goes on, which the loop calls later; what it raises is its own affair.
            self.future.get_loop().call_soon(self.after, self.value)  # type: ignore[arg-type]
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)  # type: ignore[arg-type]


class Database:
    """An open database. Made by `open`, ended by `aclose`; bound to the event loop that opened it."""

    def __init__(
        self,
        path: Path,
        writer: sqlite3.Connection,
        nearby: sqlite3.Connection,
        readers: Iterable[sqlite3.Connection],
    ) -> None:
        self.path = path
        self._nearby = nearby
        self._loop = asyncio.get_running_loop()
        self._reads: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._groups: queue.SimpleQueue[list[_Job[Any]] | None] = queue.SimpleQueue()
        self._waiting: list[_Job[Any]] = []
        """Writes for the next group."""
        self._grouping = False
        """Whether the next group is handed over anyway: soon, or when the writer is done with one."""
        self._closed = False
        self._others: int | None = None
        self._files = {each: each.stat().st_ino for each in (path, path.with_name(f"{path.name}-wal"))}
        self.transactions = 0
        """Writes done since it was opened."""
        self.commits = 0
        """Commits that made them durable, each of one or more."""
        self._readers = [
            threading.Thread(
                target=self._run_reader, args=(reader,), name=f"sqlite-reader-{number}", daemon=True
            )
            for number, reader in enumerate(readers)
        ]
        self._writer = threading.Thread(
            target=self._run_writer, args=(writer,), name="sqlite-writer", daemon=True
        )
        for thread in (*self._readers, self._writer):
            thread.start()

    @classmethod
    async def open(cls, path: Path, *, readers: int = 2, busy_timeout: float = 5.0) -> Self:
        """Create the file if it is missing, bring its schema up to date and start the threads.

        `busy_timeout` (seconds) is how long to wait for another process that writes. Raises `GatewayError`.
        """
        writer, nearby, *others = await asyncio.to_thread(_connect_all, path, 2 + readers, busy_timeout)
        nearby.execute("PRAGMA busy_timeout = 0")
        return cls(path, writer, nearby, others)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Run what is queued, then end the threads and close the file. May be called again.

        Leaves the one file, unless another process has it open.
        """
        if not self._closed:
            self._closed = True
            while self._waiting:
                self._hand_over()
            self._groups.put(None)
            self._reads.put(None)
        await asyncio.to_thread(self._writer.join)

    async def write(
        self, work: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None = None
    ) -> T:
        """Run `work` as one transaction; durable on return.

        What it raises undoes its changes and is raised here; `GatewayError` when the database fails. `work`
        must not commit or roll back, and may be run again from its beginning. `after` is called in the event
        loop with what it returned, once that is durable, whether or not somebody still waits for it.
        """
        self._check_open()
        job: _Job[T] = _Job(work, self._loop.create_future(), after)
        self._waiting.append(job)
        if not self._grouping:
            self._grouping = True
            self._loop.call_soon(self._hand_over)
        return await job.future

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, which makes one SELECT, beside the writer; it sees all writes that returned.

        Raises `GatewayError`.
        """
        self._check_open()
        job: _Job[T] = _Job(work, self._loop.create_future())
        self._reads.put(job)
        return await job.future

    async def look_up(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, one SELECT of a few rows by their key, at once; it sees all writes that returned.

        Raises `GatewayError`.
        """
        self._check_open()
        try:
            return work(self._nearby)
        except (sqlite3.Error, MemoryError) as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                return await self.read(work)  # in a thread one can wait
            raise explain(error, self.path) from error

    async def was_written_by_others(self) -> bool:
        """Whether another process wrote to the file since this was asked last; False the first time.

        Raises `GatewayError`.
        """
        # SQLite counts what other connections commit, and the writer's is the only one here that does.
        (version,) = await self.write(lambda connection: connection.execute(_OTHERS).fetchone())
        before, self._others = self._others, version
        return before is not None and before != version

    def _check_in_place(self) -> None:
        """Raises `StoreUnavailable` when the file at the path, or its log, is not the one that is open.

        What would be written to that one would be gone with it.
        """
        try:
            replaced = any(each.stat().st_ino != inode for each, inode in self._files.items())
        except OSError:
            replaced = True
        if replaced:
            why = "the file was moved or replaced while in use: restart the gateway"
            raise StoreUnavailable(f"database {self.path}: {why}", why)

    def _check_open(self) -> None:
        if self._closed:
            why = "the gateway is shutting down"
            raise StoreUnavailable(f"database {self.path}: closed, {why}", why)

    def _hand_over(self) -> None:
        """Give the writer, which has nothing else to do, what has come."""
        group = self._waiting[:_LARGEST_GROUP]
        del self._waiting[:_LARGEST_GROUP]
        self._grouping = bool(group)
        if group:
            self._groups.put(group)

    def _settle(self, jobs: list[_Job[Any]], then: Callable[[], None] | None = None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._settle_all, jobs, then)
        except RuntimeError:
            # The event loop is closed: nobody waits any more.
            return

    def _settle_all(self, jobs: list[_Job[Any]], then: Callable[[], None] | None) -> None:
        try:
            for job in jobs:
                job.settle()
        finally:
            if then is not None:
                # After those who waited: what they write next comes along.
                self._loop.call_soon(then)

    def _run_writer(self, connection: sqlite3.Connection) -> None:
        while (jobs := self._groups.get()) is not None:
            self._write_group(connection, jobs)
            self._settle(jobs, self._hand_over)
        # The last connection to close writes the log back into the file and removes it. Of two that close at
        # the same moment each may take the other for the last.
        for reader in self._readers:
            reader.join()
        _close(self._nearby)
        _close(connection)

    def _write_group(self, connection: sqlite3.Connection, jobs: list[_Job[Any]]) -> None:
        try:
            self._check_in_place()
            connection.execute("BEGIN IMMEDIATE")
            if not self._write_all(connection, jobs):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if len(jobs) == 1:
                    return
                connection.execute("BEGIN IMMEDIATE")
                for job in jobs:
                    self._write_one(connection, job)
            connection.execute("COMMIT")
            self.commits += 1
            self.transactions += sum(job.error is None for job in jobs)
        except (sqlite3.Error, MemoryError, StoreUnavailable) as error:
            # Disk full or the like: SQLite may have taken back everything, so nobody is told of success.
            for job in jobs:
                job.error = error if isinstance(error, StoreUnavailable) else explain(error, self.path)
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")

    def _write_all(self, connection: sqlite3.Connection, jobs: list[_Job[Any]]) -> bool:
        """Run closures up to the first that raises; returns whether there was none.

        There are no savepoints: each statement gives the interpreter away, and has to wait for it again.
        """
        for job in jobs:
            self._work(connection, job)
            if job.error is not None:
                return False
        return True

    def _write_one(self, connection: sqlite3.Connection, job: _Job[Any]) -> None:
        connection.execute("SAVEPOINT one")
        self._work(connection, job)
        if job.error is not None:
            cause = job.error.__cause__
            if isinstance(cause, (sqlite3.Error, MemoryError)) and not connection.in_transaction:
                # SQLite has ended the transaction by itself, and with it what others in the group did.
                raise cause
            connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")

    def _run_reader(self, connection: sqlite3.Connection) -> None:
        while (job := self._reads.get()) is not None:
            self._work(connection, job)
            self._settle([job])
        self._reads.put(None)
        _close(connection)

    def _work(self, connection: sqlite3.Connection, job: _Job[Any]) -> None:
        job.error = None  # of an attempt before
        try:
            job.value = job.work(connection)
        except (sqlite3.Error, MemoryError) as error:
            job.error = explain(error, self.path)
            job.error.__cause__ = error
        except Exception as error:  # noqa: BLE001 - handed to the waiter; the thread lives on
            job.error = error


def _connect_all(path: Path, count: int, busy_timeout: float) -> list[sqlite3.Connection]:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise GatewayError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed")
    create_file(path)
    connections: list[sqlite3.Connection] = []
    try:
        # Handed to one thread each and used there only.
        connections.extend(
            sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
            for _ in range(count)
        )
        _use_wal(connections[0], path, busy_timeout)
        for connection in connections:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            # SQLite's own knows the letters of ASCII alone, and rules and people know others.
            connection.create_function("lower", 1, _lower, deterministic=True)
        migrate(connections[0], path)
        for connection in connections[1:]:
            connection.execute("PRAGMA query_only = ON")
    except BaseException as error:
        for connection in connections:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise explain(error, path) from error
        raise
    return connections


def _lower(text: str | None) -> str | None:
    return text and text.lower()


def _use_wal(connection: sqlite3.Connection, path: Path, busy_timeout: float) -> None:
    """Switch to WAL. SQLite does not wait for others that do the same at this moment, so we do."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise GatewayError(
                f"database {path}: this file system cannot share memory between processes: use a local disk"
            )
        return


def _close(connection: sqlite3.Connection) -> None:
    try:
        connection.close()
    except sqlite3.Error:
        # Nothing is lost: what was committed is in the write-ahead log.
        return
