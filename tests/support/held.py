"""Requests that a gateway holds until there is news."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from contextlib import closing

from tests.support.phone import Answer, Phone
from tests.support.waiting import eventually

__all__ = ["SECONDS", "Held"]

SECONDS = 150.0
"""How long a phone waits for the answer to a request that is held for a minute."""
_COUNT = "\neas_requests_held "
_AGAIN_SECONDS = 10.0


class Held:
    """A request under way in a thread, which the gateway of the phone holds by now unless it is answered."""

    _all: list[Held] = []  # noqa: RUF012  # of this process

    def __init__(self, phone: Phone, ask: Callable[[], Answer]) -> None:
        self.answers: list[Answer] = []
        self._phone = phone
        self._thread = threading.Thread(target=lambda: self.answers.append(ask()), daemon=True)
        self._thread.start()
        Held._all = [one for one in (*Held._all, self) if one._thread.is_alive()]
        eventually(self._arrived)
        time.sleep(0.2)  # in which it looks for the first time

    def _arrived(self) -> bool:
        gateway = self._gateway
        under_way = [one for one in Held._all if one._gateway == gateway and one._thread.is_alive()]
        return _held_by(*gateway) >= len(under_way)

    @property
    def _gateway(self) -> tuple[str, int]:
        """Where the phone was last; it may go from one to the other."""
        return self._phone.host, self._phone.port

    def answer(self) -> Answer:
        """Wait for the answer."""
        self._thread.join()
        assert self.answers, "there was none"
        return self.answers[0]

    def answer_to(self, change: Callable[[], object]) -> Answer:
        """The answer to a change, which is made again every now and then until there is one.

        That it tells of each is the mail server's own affair: Dovecot 2.3 has passed over one on a machine
        full of work.
        """
        while self._thread.is_alive():
            change()
            self._thread.join(_AGAIN_SECONDS)
        return self.answer()


def _held_by(host: str, port: int) -> int:
    with closing(http.client.HTTPConnection(host, port, timeout=SECONDS)) as connection:
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
    return int(float(page.partition(_COUNT)[2].partition("\n")[0]))
