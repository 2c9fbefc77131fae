"""A private, real OpenLDAP server for the tests: on loopback, in its own folder, empty but for its base."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from types import TracebackType

import ldap3

from tests.support.ports import LOOPBACK, free_ports, wait_for_port
from tests.support.tls import Certificate, make_certificate
from tests.support.unpacked import as_owner, end, libraries, open_to_owner, unpack

BASE = "dc=example,dc=test"
MANAGER = f"cn=manager,{BASE}"
PASSWORD = "manager's"
_START_SECONDS = 60.0
_CONFIG = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/nis.schema
include {schema}/inetorgperson.schema
include {folder}/ad.schema
modulepath {modules}
moduleload back_mdb.so
pidfile {folder}/pid
argsfile {folder}/args
TLSCACertificateFile {certificate}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
sizelimit {sizelimit}
database mdb
directory {folder}/data
maxsize 104857600
dbnosync
suffix "{base}"
rootdn "{manager}"
rootpw "{password}"
index objectClass,mail,uid eq
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
_AD = """
attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch
    SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch
    SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( member $ objectSid ) )
"""
"""What Active Directory has and OpenLDAP's own schemas have not, or cannot be searched by."""
_CONTENT = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example
"""


class Slapd:
    """One instance, a context manager. Logged in as somebody one may read all, as nobody nothing."""

    host = LOOPBACK

    def __init__(self, *, sizelimit: int = 500) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="slapd-"))
        self._folder.chmod(0o755)
        self._root = open_to_owner(unpack("slapd", "slapd"), self._folder)
        self.tls: Certificate = make_certificate(self._folder)
        self.port, self.tls_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        (self._folder / "data").mkdir()
        (self._folder / "ad.schema").write_text(_AD)
        (self._folder / "content.ldif").write_text(_CONTENT)
        (self._folder / "slapd.conf").write_text(
            _CONFIG.format(
                schema=self._root / "etc/ldap/schema",
                modules=self._root / "usr/lib/ldap",
                folder=self._folder,
                certificate=self.tls.certificate,
                key=self.tls.key,
                sizelimit=sizelimit,
                base=BASE,
                manager=MANAGER,
                password=PASSWORD,
            )
        )
        self._own()
        self._run("slapadd", "-q", "-l", str(self._folder / "content.ldif"))

    @property
    def url(self) -> str:
        return f"ldap://{self.host}:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it listens."""
        urls = f"{self.url}/ ldaps://{self.host}:{self.tls_port}/"
        self._process = process = subprocess.Popen(
            [self._program("slapd"), "-d", "0", "-h", urls, "-f", str(self._folder / "slapd.conf")],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **as_owner(),
        )
        for port in (self.port, self.tls_port):
            if not wait_for_port(port, seconds=_START_SECONDS, alive=lambda: process.poll() is None):
                raise RuntimeError("slapd did not start")

    def add(self, dn: str, **attributes: str | bytes | list[str] | list[bytes]) -> None:
        """Puts in an entry. Raises RuntimeError when the server does not want it."""
        server = ldap3.Server(self.host, port=self.port, get_info=ldap3.NONE)
        with ldap3.Connection(server, MANAGER, PASSWORD, check_names=False) as connection:
            if not connection.add(dn, attributes=attributes):
                raise RuntimeError(f"{dn}: {connection.result}")

    def branch(self) -> str:
        """Makes a branch that nobody else uses; returns its DN."""
        dn = f"ou={uuid.uuid4().hex},{BASE}"
        self.add(dn, objectClass="organizationalUnit")
        return dn

    def kill(self) -> None:
        """Ends it as a crash does; `start` begins again."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def __enter__(self) -> Slapd:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._process)
        shutil.rmtree(self._folder)

    def _own(self) -> None:
        ownership = as_owner()
        if ownership:
            for path in (self._folder / "data", self.tls.key):
                os.chown(path, ownership["user"], ownership["group"])
            os.chown(self._folder, ownership["user"], ownership["group"])

    def _program(self, name: str) -> str:
        return str(self._root / "usr/sbin" / name)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "LD_LIBRARY_PATH": libraries(self._root)}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._program(program), "-f", str(self._folder / "slapd.conf"), *arguments],
            env=self._environment(),
            capture_output=True,
            timeout=60,
            check=False,
            **as_owner(),
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace"))
