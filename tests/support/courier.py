"""A private, real Courier IMAP for the tests: any user, the password "pw", on loopback, in its own folder.

Courier's imapd serves a connection that has logged in already. What stands before it here greets, takes the
login and hands the connection over.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.support.dovecot_config import PASSWORD, mail_owner
from tests.support.ports import LOOPBACK
from tests.support.unpacked import as_owner, end, libraries, open_to_owner, unpack

_CAPABILITIES = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
_LOGIN = re.compile(rb'(?i)(\S+) LOGIN "?([a-z0-9@._-]+)"? "?([^" \r\n]*)"?\s*')
_COMMAND = re.compile(rb"(\S+) (\S+)")
_WAIT_SECONDS = 60.0


class Courier:
    """One instance, a context manager."""

    host = LOOPBACK

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="courier-"))
        self._folder.chmod(0o711)
        self._root = open_to_owner(
            unpack("courier", "courier-imap", "courier-base", "courier-authlib", "gamin"), self._folder
        )
        self._mail = self._folder / "mail"
        self._environment = {
            "LD_LIBRARY_PATH": libraries(self._root),
            "GAM_CLIENT_ID": self._folder.name,
            "PROTOCOL": "IMAP",
            "IMAP_CAPABILITY": _CAPABILITIES,
            "IMAP_KEYWORDS": "1",
            "IMAP_USELOCKS": "1",
            "IMAP_ENHANCEDIDLE": "1",
            "IMAP_IDLE_TIMEOUT": "60",
            "TCPREMOTEIP": LOOPBACK,
            "TCPREMOTEPORT": "1",
        }
        self._socket = socket.create_server((LOOPBACK, 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._watcher: subprocess.Popen[bytes] | None = None
        self._making = threading.Lock()
        self._serving: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Courier:
        self._mail.mkdir()
        if os.geteuid() == 0:
            os.chown(self._mail, *mail_owner())
        # Without it each connection looks for one for a second.
        self._watcher = subprocess.Popen(
            [str(self._root / "usr/libexec/gam_server"), "--notimeout", self._environment["GAM_CLIENT_ID"]],
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **as_owner(),
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # wakes `accept`, which closing alone does not
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(_WAIT_SECONDS)
        for process in (*self._serving, self._watcher):
            end(process)
        shutil.rmtree(self._folder)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        """Answer commands until one is a login that is right."""
        connection.settimeout(_WAIT_SECONDS)
        with connection, suppress(OSError):
            connection.sendall(f"* OK [CAPABILITY {_CAPABILITIES}] ready\r\n".encode())
            while line := _line(connection):
                if login := _LOGIN.fullmatch(line):
                    if login[3].decode() == PASSWORD:
                        connection.settimeout(None)
                        self._serve(connection, login[1].decode(), login[2].decode())
                        return
                    connection.sendall(login[1] + b" NO Login failed.\r\n")
                elif command := _COMMAND.match(line):
                    if command[2].upper() == b"CAPABILITY":
                        connection.sendall(f"* CAPABILITY {_CAPABILITIES}\r\n".encode())
                    connection.sendall(command[1] + b" OK done\r\n")

    def _serve(self, connection: socket.socket, tag: str, user: str) -> None:
        home = self._home(user)
        process = subprocess.Popen(
            [str(self._root / "usr/bin/imapd"), "Maildir"],
            cwd=home,
            env={**os.environ, **self._environment, "AUTHENTICATED": user, "IMAPLOGINTAG": tag},
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **as_owner(),
        )
        self._serving.append(process)

    def _home(self, user: str) -> Path:
        home = self._mail / user
        with self._making:
            if not home.exists():
                for name in ("cur", "new", "tmp"):
                    (home / "Maildir" / name).mkdir(parents=True)
                if os.geteuid() == 0:
                    for path in (home, *home.rglob("*")):
                        os.chown(path, *mail_owner())
        return home


def _line(connection: socket.socket) -> bytes:
    """The next line, read no further: what follows is imapd's."""
    line = b""
    while not line.endswith(b"\r\n"):
        octet = connection.recv(1)
        if not octet:
            return b""
        line += octet
    return line
