"""What an administrator should know of the database file: its disk, its schema, whether it can be written."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile

from gateway.errors import GatewayError
from gateway.ports.examining import Finding, bad, doubtful, good
from gateway.store.sqlite.failures import explain
from gateway.store.sqlite.schema import APPLICATION_ID, migrations

__all__ = ["examine", "file_system"]

_ENOUGH = 1 << 30
_LITTLE = 100 << 20
_BUSY_SECONDS = 5.0
_REMOTE = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "fuse.sshfs",
        "fuse.glusterfs",
    }
)
_USER = "have it, and its folder, owned by the user the gateway runs as, on a disk that can be written"


async def examine(path: Path) -> AsyncIterator[Finding]:
    """Look at the file, and change nothing; it need not be there yet."""
    for finding in await asyncio.to_thread(lambda: [*_look(path)]):
        yield finding


def _look(path: Path) -> Iterator[Finding]:
    folder = _existing(path.parent)
    kind = file_system(folder, _mounts())
    if kind in _REMOTE:
        yield doubtful(
            f"{folder} is on a network file system ({kind}), where locks may not hold",
            "put the file on a local disk (store.url)",
        )
    yield _room(folder)
    if path.exists():
        yield from _inside(path)
        return
    try:
        with TemporaryFile(dir=folder):
            yield good(f"{path} is not there yet, and can be made")
    except OSError as error:
        yield bad(f"{path} is not there, and {folder} cannot be written: {error.strerror}", _USER)


def _existing(folder: Path) -> Path:
    """The folder, or the one above it that is there."""
    return next((one for one in (folder, *folder.resolve().parents) if one.is_dir()), Path("/"))


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text, remedy = f"{free / (1 << 30):.1f} GiB free on the disk of {folder}", "free some space"
    if free < _LITTLE:
        return bad(text, remedy)
    return doubtful(text, remedy) if free < _ENOUGH else good(text)


def file_system(folder: Path, mounts: str) -> str:
    """The kind of file system a folder is on, by a table of what is mounted where; "": it is not said."""
    found = ("", "")
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split(" ")
        place = place.replace("\\040", " ")
        if folder.resolve().is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, kind)
    return found[1]


def _mounts() -> str:
    """That table; nothing where there is none."""
    try:
        return Path("/proc/self/mounts").read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _inside(path: Path) -> Iterator[Finding]:
    """Whether the file is ours, of which schema, and can be written."""
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
        yield bad(f"{path} cannot be written", _USER)
        return
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", timeout=_BUSY_SECONDS, uri=True)
        ) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            yield _schema(path, application, version)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            yield good(f"{path} can be written")
    except sqlite3.Error as error:
        said: GatewayError = explain(error, path)
        yield bad(str(said), _USER)


def _schema(path: Path, application: int, version: int) -> Finding:
    newest = migrations()[-1].number
    if application not in {APPLICATION_ID, 0}:
        return bad(f"{path} is the database of another program", "change store.url")
    if version > newest:
        return bad(
            f"{path} was written by a newer gateway (schema {version}, this one knows {newest})",
            "upgrade the gateway, or restore the backup made before the upgrade",
        )
    if version < newest:
        return good(f"schema {version}; the gateway makes it {newest} at its next start")
    return good(f"schema {version}, the newest")
