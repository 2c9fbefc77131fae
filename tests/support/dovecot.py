"""A private, real Dovecot for the tests: any user name, the password "pw", on loopback, in its own folder."""

from __future__ import annotations

import functools
import imaplib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from tests.support.dovecot_config import PASSWORD, Options, Place, mail_owner, render
from tests.support.ports import LOOPBACK, free_ports, wait_for_greeting
from tests.support.tls import make_certificate

START_SECONDS = 30.0
STOP_SECONDS = 3.0


class DovecotFailed(Exception):
    """Dovecot did not start; the message holds its log."""


@functools.cache
def dovecot_version() -> tuple[int, int]:
    """The major and minor version of the installed Dovecot. Raises `FileNotFoundError` when there is none."""
    answer = subprocess.run(
        [_program(), "--version"], check=True, capture_output=True, text=True, timeout=10
    ).stdout
    major, minor = answer.split(".")[:2]
    return int(major), int(minor)


def _program() -> str:
    # Debian puts it where the PATH of an ordinary user does not look.
    found = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError("dovecot is not installed (Debian package dovecot-imapd)")
    return found


def _runs(master: subprocess.Popen[bytes]) -> bool:
    """Whether it or a process of its group is there, which may still serve a connection."""
    if master.poll() is None:
        return True
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, _, group = path.read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
            if int(group) == master.pid and state != "Z":
                return True
    return False


class Dovecot:
    """One instance. Use it as a context manager, or `start` and `stop` it; `restart` keeps ports and mail.

    `mail` is a folder whose mail is there already, and which stays; its path must be open to Dovecot's user.
    """

    host = LOOPBACK

    def __init__(self, options: Options | None = None, *, mail: Path | None = None) -> None:
        self.options = options or Options()
        self._process: subprocess.Popen[bytes] | None = None
        # Short, because names of Unix sockets may have about 100 characters.
        self.password = PASSWORD
        self._folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self._folder.chmod(0o711)
        if mail is not None:
            (self._folder / "mail").symlink_to(mail, target_is_directory=True)
        self._certificate = make_certificate(self._folder)
        self.place = self._prepare()

    def _prepare(self) -> Place:
        imap_port, imaps_port, sieve_port = free_ports(3)
        place = Place(self._folder, imap_port, imaps_port, sieve_port, self._certificate)
        place.mail.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(place.mail, *mail_owner())
        (self._folder / "dovecot.conf").write_text(render(dovecot_version(), self.options, place))
        return place

    @property
    def pid(self) -> int:
        """The process id of the master; raises AssertionError when it does not run."""
        assert self._process is not None
        return self._process.pid

    @property
    def port(self) -> int:
        """Plain IMAP with STARTTLS."""
        return self.place.imap_port

    @property
    def tls_port(self) -> int:
        """IMAP over TLS."""
        return self.place.imaps_port

    @property
    def sieve_port(self) -> int:
        """ManageSieve with STARTTLS, where `Options.sieve` says so."""
        return self.place.sieve_port

    @property
    def ca_file(self) -> Path:
        """The certificate to trust for both ports."""
        return self._certificate.certificate

    def start(self) -> None:
        """Starts the server and waits until it accepts. Raises `DovecotFailed`."""
        for _ in range(3):
            if self._try_start():
                return
            # Somebody may have taken a port between the choice and the start.
            self.place = self._prepare()
        raise DovecotFailed(self.log())

    def _try_start(self) -> bool:
        with self.place.log.open("ab") as log:
            self._process = process = subprocess.Popen(
                [_program(), "-F", "-c", str(self._folder / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        if wait_for_greeting(self.port, seconds=START_SECONDS, alive=lambda: process.poll() is None):
            return True
        self.stop()
        return False

    def stop(self) -> None:
        """Ends the server and every connection to it; the mail stays."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # The whole group, which is ours alone: the master waits about a second for its children otherwise.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        deadline = time.monotonic() + STOP_SECONDS
        while _runs(process):
            if time.monotonic() > deadline:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.005)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Stops it from answering, while its connections stay open (SIGSTOP)."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def restart(self, *, down_seconds: float = 0.0) -> None:
        """Ends the server and starts it on the same ports, `down_seconds` later."""
        self.stop()
        time.sleep(down_seconds)
        for _ in range(100):
            if self._try_start():
                return
            time.sleep(0.1)
        raise DovecotFailed(self.log())

    def change_password(self, password: str) -> None:
        """Gives every user another password, which takes a restart."""
        config = self._folder / "dovecot.conf"
        config.write_text(re.sub(r"(password ?= ?).*", rf"\g<1>{password}", config.read_text()))
        self.password = password
        self.restart()

    def close(self) -> None:
        """Ends the server at once and removes its folder."""
        self._end(signal.SIGKILL)
        shutil.rmtree(self._folder)

    def __enter__(self) -> Dovecot:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def log(self) -> str:
        """What the server logged so far."""
        return self.place.log.read_text(errors="replace") if self.place.log.exists() else ""

    def mailbox(self, name: str) -> str:
        """The full name of a personal mailbox: "Sent" is "INBOX.Sent" where "INBOX." is the prefix."""
        return name if name.upper() == "INBOX" else self.options.prefix + name

    def imap(self, user: str) -> imaplib.IMAP4:
        """A client, logged in as `user`. Use it in a `with` statement, which logs out."""
        with ExitStack() as stack:
            client = imaplib.IMAP4(self.host, self.port, timeout=60)
            stack.callback(client.shutdown)
            client.login(user, self.password)
            stack.pop_all()
        return client

    def hand_in(self, user: str, sender: str, message: bytes, recipient: str = "") -> None:
        """Has `dovecot-lda` deliver a message as a mail server does, through the user's filters."""
        subprocess.run(
            [
                "/usr/lib/dovecot/dovecot-lda", "-c", str(self._folder / "dovecot.conf"), "-e",
                "-d", user, "-f", sender, "-a", recipient or f"{user}@example.test",
            ],
            input=message,
            check=True,
            capture_output=True,
            timeout=60,
        )  # fmt: skip

    def deliver(
        self,
        user: str,
        message: bytes,
        mailbox: str = "INBOX",
        *,
        flags: Iterable[str] = (),
        received: datetime | None = None,
    ) -> int:
        """Appends `message` (CRLF line ends) to a mailbox given by its full name; returns the UID."""
        with self.imap(user) as client:
            when = imaplib.Time2Internaldate(received) if received else ""
            status, answer = client.append(f'"{mailbox}"', f"({' '.join(flags)})", when, message)
        found = re.search(rb"APPENDUID \d+ (\d+)", answer[0])
        if status != "OK" or found is None:
            raise AssertionError(f"APPEND to {mailbox}: {status} {answer!r}")
        return int(found[1])
