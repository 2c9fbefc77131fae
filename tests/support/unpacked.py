"""Servers of which Debian installs one only: unpacked beside it, and run as the owner of the mail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from tests.support.dovecot_config import mail_owner

_HERE = Path(__file__).resolve()
_SERVERS = _HERE.parents[2] / ".servers"
_STOP_SECONDS = 3.0


class Ownership(TypedDict, total=False):
    """The arguments of `Popen` that make a program run as the owner of the mail."""

    user: int
    group: int
    extra_groups: list[int]


def unpack(name: str, *packages: str) -> Path:
    """The folder with the files of Debian packages and of the libraries they need.

    Raises `CalledProcessError` when they cannot be had; the script has said why.
    """
    folder = _SERVERS / name
    subprocess.run(["sh", _HERE.parent / "debian-extract.sh", folder, *packages], check=True, timeout=300)
    return folder


def open_to_owner(folder: Path, private: Path) -> Path:
    """The folder, or a copy in `private` that the owner of the mail can read when we are root."""
    if os.geteuid() != 0:
        return folder
    copy = private / folder.name
    shutil.copytree(folder, copy, symlinks=True)
    return copy


def as_owner() -> Ownership:
    """How a program is run as the owner of the mail."""
    if os.geteuid() != 0:
        return {}
    user, group = mail_owner()
    return {"user": user, "group": group, "extra_groups": []}


def libraries(folder: Path) -> str:
    """The LD_LIBRARY_PATH of what was unpacked into a folder."""
    return ":".join(str(found) for found in sorted({path.parent for path in folder.rglob("lib*.so.*")}))


def end(process: subprocess.Popen[bytes] | None) -> None:
    """Ends a process that leads a group of its own, with the group."""
    if process is None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
