"""Where the database file is: its URL, and its creation with rights for the owner alone."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from gateway.errors import ConfigError, GatewayError

__all__ = ["create_file", "parse_url", "put_on_disk"]

_SCHEME = "sqlite:"

# SQLite's locks belong to the process: closing any descriptor of the file drops them all. So within one
# process nobody may open the database while somebody else is still creating the file.
_creating = threading.Lock()


def parse_url(url: str) -> Path:
    """The path a store URL names.

    `sqlite:///var/lib/x.db` is absolute; `sqlite://x.db` and `sqlite:x.db` are relative to the working
    directory. Percent escapes are undone. Raises `ConfigError` for anything that does not name a file.
    """
    allowed = f"store.url = {url!r}: allowed is sqlite:///absolute/path.db or sqlite:relative/path.db"
    if url[: len(_SCHEME)].lower() != _SCHEME:
        raise ConfigError(allowed)
    rest = url[len(_SCHEME) :]
    rest = rest.removeprefix("//")
    if rest.startswith("//"):
        rest = "/" + rest.lstrip("/")
    path = unquote(rest)
    if not path or path.endswith("/") or path.startswith(":") or "\0" in path or {"?", "#"} & set(rest):
        raise ConfigError(allowed)
    return Path(path)


def create_file(path: Path) -> None:
    """Make sure the file exists, in a folder that exists, both made for their owner alone.

    SQLite gives its companions (-wal, -shm) the rights of the database file. Raises `GatewayError`.
    """
    try:
        with _creating:
            _make_folder(path.parent)
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            except FileExistsError:
                # Not ours to change when the file belongs to someone else who lets us write it.
                with suppress(PermissionError):
                    path.chmod(0o600)
            else:
                put_on_disk(path.parent)  # its name, too
    except OSError as error:
        raise GatewayError(
            f"cannot create the database {path}: {error.strerror}; "
            "the folder must exist or be creatable, and be writable for the user the gateway runs as"
        ) from error


def _make_folder(folder: Path) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def put_on_disk(path: Path) -> None:
    """Make a file durable, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
