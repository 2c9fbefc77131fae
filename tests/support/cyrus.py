"""A private, real Cyrus IMAP for the tests: any user, the password "pw", on loopback, in its own folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.support.dovecot_config import PASSWORD, mail_owner
from tests.support.ports import LOOPBACK, free_ports, wait_for_greeting
from tests.support.unpacked import as_owner, end, libraries, open_to_owner, unpack

_START_SECONDS = 60.0
_STATE = ("db", "proc", "socket", "lock", "log", "msg", "user", "quota", "sasl")

_IMAPD_CONF = """\
configdirectory: {place}/conf
defaultpartition: default
partition-default: {place}/mail
servername: localhost
admins: cyrus
cyrus_user: {owner}
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: {place}/conf/sasl/mux
sasl_mech_list: PLAIN
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
idlesocket: {place}/conf/socket/idle
"""

_CYRUS_CONF = """\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {place}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{programs}/imapd -C {place}/imapd.conf" listen="{host}:{port}" prefork=2
}}
DAEMON {{
  idled cmd="{programs}/idled -C {place}/imapd.conf"
}}
"""


class CyrusFailed(Exception):
    """Cyrus did not start; the message holds what it printed."""


class Cyrus:
    """One instance, a context manager."""

    host = LOOPBACK

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cyrus-"))
        self._folder.chmod(0o711)
        self._root = open_to_owner(
            unpack("cyrus", "cyrus-imapd", "cyrus-common", "libsasl2-modules"), self._folder
        )
        [self.port] = free_ports(1)
        self._logins = _Logins(self._place / "conf/sasl/mux")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _place(self) -> Path:
        return self._folder / "run"

    def __enter__(self) -> Cyrus:
        self._prepare()
        self._logins.start()
        master = self._root / "usr/sbin/cyrmaster"
        settings = ("-C", self._place / "imapd.conf", "-M", self._place / "cyrus.conf")
        output = self._folder / "output"
        with output.open("wb") as log:
            self._process = process = subprocess.Popen(
                [master, *settings, "-p", self._place / "pid"],
                env={**os.environ, "LD_LIBRARY_PATH": libraries(self._root)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_owner(),
            )
        if not wait_for_greeting(self.port, seconds=_START_SECONDS, alive=lambda: process.poll() is None):
            self.close()
            raise CyrusFailed(output.read_text(errors="replace"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        shutil.rmtree(self._folder)

    def _prepare(self) -> None:
        user, group = mail_owner()
        for name in ("mail", *(f"conf/{name}" for name in _STATE)):
            (self._place / name).mkdir(parents=True)
        values = {
            "place": self._place,
            "owner": pwd.getpwuid(user).pw_name,
            "programs": self._root / "usr/lib/cyrus/bin",
            "host": self.host,
            "port": self.port,
        }
        (self._place / "imapd.conf").write_text(_IMAPD_CONF.format(**values))
        (self._place / "cyrus.conf").write_text(_CYRUS_CONF.format(**values))
        if os.geteuid() == 0:
            for path in (self._place, *self._place.rglob("*")):
                os.chown(path, user, group)

    def close(self) -> None:
        """Ends the server."""
        end(self._process)
        self._process = None
        self._logins.close()


class _Logins:
    """What Cyrus asks whether a password is right, in the place of saslauthd: four strings in, one out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self._socket.bind(str(self._path))
        self._path.chmod(0o777)
        self._socket.listen(64)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):  # wakes `accept`, which closing alone does not
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                asked, _ = self._socket.accept()
            except OSError:
                return
            with asked, asked.makefile("rwb") as stream:
                told = [stream.read(struct.unpack("!H", stream.read(2))[0]) for _ in range(4)]
                answer = b"OK" if told[1] == PASSWORD.encode() else b"NO"
                stream.write(struct.pack("!H", len(answer)) + answer)
