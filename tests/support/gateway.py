"""The real gateway as a process of its own, started as an administrator does: serve --config FILE."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from tests.support.ports import LOOPBACK, free_ports

START_SECONDS = 60.0
STOP_SECONDS = 60.0

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]
Section = Mapping[str, Value]


class ImapServer(Protocol):
    """Where the mail is, as a Dovecot says it."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class SmtpServer(Protocol):
    """Where mail is sent to, as an SmtpSink says it."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def security(self) -> str: ...

    @property
    def auth(self) -> bool: ...


class GatewayFailed(Exception):
    """The gateway did not start or did not stop; the message holds its log."""


class Gateway:
    """One gateway process with a store of its own. Use it as a context manager, or `start` and `close` it.

    `sections` lays values over the generated configuration: `sections={"eas": {"heartbeat_min": 1}}`.
    """

    host = LOOPBACK

    def __init__(
        self,
        imap: ImapServer,
        smtp: SmtpServer,
        *,
        sections: Mapping[str, Section] | None = None,
        workers: int = 1,
    ) -> None:
        self._workers = workers
        self._folder = Path(tempfile.mkdtemp(prefix="gateway-"))
        self.port = free_ports(1)[0]
        self.config = self._folder / "gateway.toml"
        self.database = self._folder / "gateway.db"
        self._log = self._folder / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.config.write_text(_toml(self._sections(imap, smtp, sections or {})))

    def _sections(
        self, imap: ImapServer, smtp: SmtpServer, more: Mapping[str, Section]
    ) -> dict[str, dict[str, object]]:
        made: dict[str, dict[str, object]] = {
            "server": {"listen": f"{self.host}:{self.port}"},
            "imap": {"host": imap.host, "port": imap.port, "security": "none"},
            "smtp": {
                "host": smtp.host,
                "port": smtp.port,
                "security": smtp.security,
                "auth": "user" if smtp.auth else "none",
            },
            "identity": {"email": "{user}@example.test"},
            "store": {"url": f"sqlite://{self.database}"},
            "log": {"level": "debug"},
        }
        for name, values in more.items():
            made.setdefault(name, {}).update(values)
        return made

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id; raises AssertionError when it does not run."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the process and waits until /healthz answers. Raises `GatewayFailed`."""
        with self._log.open("ab") as log:
            self._process = process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gateway", "serve"),
                    *("--config", str(self.config), "--workers", str(self._workers)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._healthy():
                return
            time.sleep(0.03)
        self.kill()
        raise GatewayFailed(self.log())

    def _healthy(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def metrics(self) -> str:
        """The page /metrics."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """A value of /metrics, by its name with labels; 0 where nothing was counted yet."""
        lines = (line.rpartition(" ") for line in self.metrics().splitlines())
        return next((float(value) for found, _, value in lines if found == name), 0.0)

    def terminate(self) -> int:
        """Asks it to stop (SIGTERM) and waits; returns the exit status. Raises `GatewayFailed`."""
        process = self._process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise GatewayFailed(f"it did not stop within {STOP_SECONDS} s\n{self.log()}") from None
        self._process = None
        return status

    def kill(self) -> None:
        """Ends it at once (SIGKILL), as a crash does. What it had acknowledged must survive."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def restart(self) -> None:
        """Stops it in order and starts it again on the same port and store."""
        self.terminate()
        self.start()

    def close(self) -> None:
        """Ends it and removes its folder."""
        self.kill()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Gateway:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def log(self) -> str:
        """What it wrote so far to standard output and error."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""


def _environment() -> dict[str, str]:
    """Ours, but for what keeps Python from keeping what it compiled, as it does of a gateway installed."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return ours | {"PYTHONUNBUFFERED": "1"}


def _toml(sections: Mapping[str, Mapping[str, object]]) -> str:
    lines: list[str] = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines.extend(f"{key} = {_written(value)}" for key, value in values.items())
    return "\n".join(lines) + "\n"


def _written(value: object) -> str:
    """A value in TOML, where strings, numbers and booleans look as they do in JSON."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(each) for each in value) + "]"
    return json.dumps(value)
