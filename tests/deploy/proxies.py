"""The reverse proxies of Debian, run with the example files of `deploy/proxy`.

Only addresses, certificates and users are put into them, and times shortened where a test says so; what
runs is what an administrator copies.
"""

from __future__ import annotations

import http.client
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.support.ports import LOOPBACK, free_ports
from tests.support.tls import make_certificate

EXAMPLES = Path(__file__).parent.parent.parent / "deploy" / "proxy"
START_SECONDS = 60.0
STOP_SECONDS = 5.0
GATEWAY = "127.0.0.1:8080"
"""Where all examples say that the gateway is."""
_UNPRIVILEGED = "nobody"


class ProxyFailed(Exception):
    """The proxy did not start; the message holds what it said."""


class Proxy(ABC):
    """One proxy process, before the gateway at a port; a context manager.

    `changes` are texts of the example, each put in the place of another one that must be there.
    """

    name: str
    waits: str
    """What its example says of how long an answer is waited for, with 3700 for the seconds."""

    def __init__(self, gateway: int, changes: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.certificate = make_certificate(self.folder)
        self._gateway = gateway
        self._changes = changes or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = self.plain_port = 0

    @abstractmethod
    def _write(self) -> list[str]:
        """Write the files into the folder; returns the command that serves in the foreground."""

    @property
    def url(self) -> str:
        """What phones call it."""
        return f"https://localhost:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        """What trusts its certificate."""
        return self.certificate.client_context()

    def __enter__(self) -> Proxy:
        for _ in range(3):
            if self._try_start():
                return self
        log = self.log()
        self._remove()
        raise ProxyFailed(log)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._remove()

    def _try_start(self) -> bool:
        """Start it at other ports each time: somebody may have taken one meanwhile."""
        self.port, self.plain_port = free_ports(2)
        command = self._write()
        # An administrator's proxy has only what is in the folder, whoever runs the tests.
        nobody = pwd.getpwnam(_UNPRIVILEGED) if os.geteuid() == 0 else None
        if nobody is not None:
            for each in (self.folder, *self.folder.rglob("*")):
                os.chown(each, nobody.pw_uid, nobody.pw_gid)
        with (self.folder / "log").open("ab") as log:
            self._process = process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder)},
                user=nobody.pw_uid if nobody else None,
                group=nobody.pw_gid if nobody else None,
                extra_groups=[] if nobody else None,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.03)
        self._end()
        return False

    def _answers(self) -> bool:
        connection = http.client.HTTPSConnection(LOOPBACK, self.port, timeout=5, context=self.tls)
        try:
            connection.request("GET", "/", headers={"Host": "localhost"})
            return bool(connection.getresponse().status)
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def processes(self) -> list[int]:
        """All its processes, by id: those of its group."""
        assert self._process is not None
        group = []
        for one in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = one.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self._process.pid:
                    group.append(int(one.parent.name))
        return group

    def log(self) -> str:
        """What it said so far."""
        return "\n".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("*log")))

    def _example(self, name: str, changes: Mapping[str, str]) -> str:
        """An example file with what has to be another one here; every text must be there to be replaced."""
        text = (EXAMPLES / name).read_text()
        named = {old: new for old, new in self._changes.items() if old in text}
        for old, new in {GATEWAY: f"{LOOPBACK}:{self._gateway}", **changes, **named}.items():
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new)
        return text

    def _put(self, name: str, text: str) -> Path:
        file = self.folder / name
        file.write_text(text)
        return file


class Nginx(Proxy):
    """nginx, the example among the sites of a configuration as Debian has it."""

    name = "nginx"
    waits = "proxy_read_timeout 3700s"

    def _write(self) -> list[str]:
        site = self._example(
            "nginx.conf",
            {
                "    listen 80;\n    listen [::]:80;": f"    listen {LOOPBACK}:{self.plain_port};",
                "    listen 443 ssl;\n    listen [::]:443 ssl;": f"    listen {LOOPBACK}:{self.port} ssl;",
                "/etc/ssl/certs/sync.example.com.pem": str(self.certificate.certificate),
                "/etc/ssl/private/sync.example.com.key": str(self.certificate.key),
            },
        )
        kept = "".join(
            f"{kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = self._put(
            "main.conf",
            f"daemon off;\npid {self.folder}/pid;\nerror_log {self.folder}/error.log;\n"
            "events { worker_connections 768; }\n"
            f"http {{\naccess_log off;\n{kept}include {self._put('site.conf', site)};\n}}\n",
        )
        return ["/usr/sbin/nginx", "-e", str(self.folder / "error.log"), "-c", str(main)]


class HAProxy(Proxy):
    """HAProxy, the example as its whole configuration."""

    name = "haproxy"
    waits = "timeout server 3700s"

    def _write(self) -> list[str]:
        both = self.folder / "both.pem"
        both.write_bytes(self.certificate.certificate.read_bytes() + self.certificate.key.read_bytes())
        text = self._example(
            "haproxy.cfg",
            {
                "    user haproxy\n    group haproxy\n": "",  # it is nobody already
                "log /dev/log local0": "log stderr format raw local0",
                "bind :80": f"bind {LOOPBACK}:{self.plain_port}",
                "bind :443": f"bind {LOOPBACK}:{self.port}",
                "/etc/haproxy/sync.example.com.pem": str(both),
                "maxconn 20000": "maxconn 500",
            },
        )
        return ["/usr/sbin/haproxy", "-db", "-f", str(self._put("haproxy.cfg", text))]


class Balancer(HAProxy):
    """HAProxy before several gateways, as its example says in comments; it also serves without TLS.

    It looks at the gateways more often than the example says.
    """

    def __init__(self, gateways: Sequence[int]) -> None:
        servers = [f"server node{number} {LOOPBACK}:{port}" for number, port in enumerate(gateways)]
        super().__init__(
            gateways[0],
            {
                "    server gateway": "    #server gateway",
                "    #server one 192.0.2.11:8080\n    #server two 192.0.2.12:8080\n": "".join(
                    f"    {server}\n" for server in servers
                ),
                "#balance": "balance",
                "#option": "option",
                "#default-server check inter 2s": "default-server check inter 300ms",
                "Retry-After 10 if { status 502:503 }": "Retry-After 2 if { status 503 }",
                "    http-request redirect prefix https://sync.example.com code 302 unless { ssl_fc }\n": "",
            },
        )


class Apache(Proxy):
    """Apache, the example among its sites, with the modules the example names."""

    name = "apache"
    waits = "timeout=3700"

    def _write(self) -> list[str]:
        site = self._example(
            "apache.conf",
            {
                "*:80>": f"{LOOPBACK}:{self.plain_port}>",
                "*:443>": f"{LOOPBACK}:{self.port}>",
                "/etc/ssl/certs/sync.example.com.pem": str(self.certificate.certificate),
                "/etc/ssl/private/sync.example.com.key": str(self.certificate.key),
            },
        )
        # What Debian loads by itself, and what the example says is to be enabled.
        enabled = re.search(r"a2enmod ([\w ]+);", site)
        assert enabled is not None
        modules = ["alias", "authz_core", "reqtimeout", *enabled[1].split()]
        loaded = "".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules
        )
        main = self._put(
            "main.conf",
            f"{loaded}ServerName localhost\nPidFile {self.folder}/pid\nDefaultRuntimeDir {self.folder}\n"
            f"ErrorLog {self.folder}/error.log\nDocumentRoot {self.folder}\n"
            f"Listen {LOOPBACK}:{self.port}\nListen {LOOPBACK}:{self.plain_port}\n"
            "StartServers 1\nThreadsPerChild 25\nMaxRequestWorkers 25\n"
            f"Include {self._put('site.conf', site)}\n",
        )
        return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(main)]


class Caddy(Proxy):
    """Caddy, the example as its whole configuration, with a certificate of ours instead of ACME's."""

    name = "caddy"
    waits = "response_header_timeout 3700s"

    def _write(self) -> list[str]:
        names = "sync.example.com, autodiscover.example.com, autoconfig.example.com {"
        text = self._example(
            "Caddyfile",
            {
                names: f"https://localhost:{self.port} {{\n"
                f"\ttls {self.certificate.certificate} {self.certificate.key}"
            },
        )
        head = (
            "{\n\tadmin off\n"
            f"\thttp_port {self.plain_port}\n\thttps_port {self.port}\n\tdefault_bind {LOOPBACK}\n}}\n"
        )
        file = self._put("Caddyfile", head + text)
        return ["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", str(file)]


PROXIES: tuple[type[Proxy], ...] = (Nginx, HAProxy, Apache, Caddy)
