"""A real Dovecot that filters mail and answers it, and other programs' view of a user's scripts."""

from __future__ import annotations

import base64
import itertools
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.smtp_sink import SmtpSink

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class FilteringServer:
    """Dovecot with Sieve, and the SMTP server that gets what it sends by itself."""

    dovecot: Dovecot
    sink: SmtpSink

    def mail(self, user: str, sender: str, *fields: str) -> list[Message]:
        """Deliver a mail to a user; returns what its sender is answered."""
        before = len(self.sink.received)
        header = (
            f"From: <{sender}>",
            f"To: <{user}@example.test>",
            "Subject: A question",
            f"Message-ID: <{next(_numbers)}@example.test>",
            *fields,
        )
        self.dovecot.hand_in(user, sender, "".join(f"{line}\r\n" for line in (*header, "", "?")).encode())
        answers = self.sink.received[before:]
        assert all(one.rcpt_tos == (sender,) for one in answers)
        return [message_from_bytes(one.data) for one in answers]

    def answer(self, user: str, sender: str, *fields: str) -> str | None:
        """The text of the one answer; None when there is none."""
        answers = self.mail(user, sender, *fields)
        assert len(answers) <= 1
        return text_of(answers[0]) if answers else None

    def scripts(self, user: str) -> Scripts:
        """What another program sees and does."""
        return Scripts(self.dovecot, user)


def text_of(message: Message) -> str:
    """The (first) text of a message, without blanks around it."""
    part = next(part for part in message.walk() if not part.is_multipart())
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode().strip()


@contextmanager
def filtering_server(options: Options | None = None) -> Iterator[FilteringServer]:
    """Start both."""
    with SmtpSink() as sink:
        base = options or Options()
        chosen = Options(sieve=True, no_sieve=base.no_sieve, replies=sink.port)
        with Dovecot(chosen) as dovecot:
            yield FilteringServer(dovecot, sink)


class Scripts:
    """The scripts of a user, by a plain ManageSieve client that is not the gateway's."""

    def __init__(self, dovecot: Dovecot, user: str) -> None:
        self._dovecot = dovecot
        self._user = user

    def put(self, name: str, text: str) -> None:
        self._ask(f'PUTSCRIPT "{name}" {{{len(text.encode())}+}}\r\n{text}')

    def activate(self, name: str) -> None:
        self._ask(f'SETACTIVE "{name}"')

    def delete(self, name: str) -> None:
        self._ask(f'DELETESCRIPT "{name}"')

    def get(self, name: str) -> str:
        reply = self._ask(f'GETSCRIPT "{name}"')
        found = re.match(r"\{(\d+)\}\r\n", reply)
        assert found
        return reply[found.end() :].encode()[: int(found[1])].decode()

    @property
    def names(self) -> set[str]:
        return set(re.findall(r'^"([^"]*)"', self._ask("LISTSCRIPTS"), re.MULTILINE))

    @property
    def active(self) -> str:
        """The name of the active script, "" for none."""
        found = re.search(r'^"([^"]*)" ACTIVE', self._ask("LISTSCRIPTS"), re.MULTILINE)
        return found[1] if found else ""

    def _ask(self, command: str) -> str:
        token = base64.b64encode(f"\0{self._user}\0{self._dovecot.password}".encode()).decode()
        with socket.create_connection((self._dovecot.host, self._dovecot.sieve_port), timeout=60) as line:
            line.sendall(f'AUTHENTICATE "PLAIN" "{token}"\r\n{command}\r\nLOGOUT\r\n'.encode())
            reply = b"".join(iter(lambda: line.recv(65536), b"")).decode()
        _, _, rest = reply.partition('OK "Logged in."\r\n')
        assert re.search(r"^OK", rest, re.MULTILINE), reply
        assert not re.search(r"^NO", rest, re.MULTILINE), reply
        return rest
