"""The gateway as the harness runs it: killed at any moment, started again within a tenth of a second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.convergence.fuse import ENVIRONMENT, Fuse
from tests.support.dovecot import Dovecot
from tests.support.gateway import START_SECONDS, Gateway, GatewayFailed, Section
from tests.support.smtp_sink import SmtpSink

ROOT = Path(__file__).parents[2]
SECTIONS: Mapping[str, Section] = {
    "imap": {"timeout": 10, "poll_interval": 0.5},
    "smtp": {"timeout": 10},
    "eas": {"heartbeat_min": 1},
    "log": {"level": "info"},
}
RELIST_SECONDS = 0.5
"""After which flags that another program changed are noticed at the latest on a server that tells nothing of
them; a minute outside of the harness."""


class FusedGateway(Gateway):
    """A `Gateway` with a fuse.

    `imap_port` is where it finds IMAP, when not at the Dovecot itself; `defects` are described in `fused`.
    With a `store` (a URL) and several `workers`, which share the fuse, the one dies that it burns in.
    """

    def __init__(
        self,
        imap: Dovecot,
        smtp: SmtpSink,
        *,
        imap_port: int | None = None,
        defects: Mapping[str, str] | None = None,
        store: str = "",
        workers: int = 1,
    ) -> None:
        sections = {name: dict(values) for name, values in SECTIONS.items()}
        sections["imap"]["port"] = imap.port if imap_port is None else imap_port
        if store:
            sections["store"] = {"url": store}
        super().__init__(imap, smtp, sections=sections, workers=workers)
        self.fuse = Fuse(self._folder / "fuse", create=True)
        self.newer: Path | None = None
        """Of a newer release: the script of its further migration of PostgreSQL."""
        self._child: int | None = None
        self._starter = self._new_starter(defects or {})

    def _new_starter(self, defects: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.convergence.fused"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, ENVIRONMENT: str(self.fuse.path), **defects},
        )

    def upgrade(self, defects: Mapping[str, str]) -> None:
        """Run another release on the same store; `defects` as in `fused`."""
        self._end()
        self._starter = self._new_starter(defects)
        self.start()

    def further(self, migration: str) -> None:
        """Be of a newer release from the next start on, which has a further migration of PostgreSQL."""
        self.newer = self._folder / "further.sql"
        self.newer.write_text(migration)

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child

    @property
    def alive(self) -> bool:
        """Whether it runs; it does not once its fuse has burnt, if it is one process."""
        if self._child is None or (self.fuse.burnt_at and self._workers == 1):
            return False
        try:
            os.kill(self._child, 0)
        except ProcessLookupError:
            return False
        return True

    def start(self) -> None:
        self.fuse.arm(0)
        assert self._starter.stdin is not None
        asked = f"{self.config} {self._log} {self._workers} {self.newer or '-'}\n"
        self._starter.stdin.write(asked.encode())
        self._starter.stdin.flush()
        self._child = self._line()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.alive:
            if self._healthy():
                return
            time.sleep(0.01)
        raise GatewayFailed(self.log())

    def _line(self) -> int:
        assert self._starter.stdout is not None
        return int(self._starter.stdout.readline() or b"-1")

    def wait(self) -> int:
        """Wait for it to end; returns its exit status, negative for a signal."""
        self._child = None
        return self._line()

    def terminate(self) -> int:
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        if self._child is not None:
            if self.alive:
                os.kill(self._child, signal.SIGKILL)
            self.wait()

    def close(self) -> None:
        self._end()
        super().close()

    def _end(self) -> None:
        self.kill()
        for pipe in (self._starter.stdin, self._starter.stdout):
            if pipe is not None:
                # Something may be unsent when all of it was interrupted.
                with suppress(BrokenPipeError):
                    pipe.close()
        self._starter.wait()
