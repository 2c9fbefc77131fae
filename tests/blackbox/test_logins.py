"""Logins without the mail password: whole sessions by each kind, and what is none (MS-ASHTTP 3.1.5)."""

from __future__ import annotations

import asyncio
import base64
import plistlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc.jwk import RSAKey

from gateway.app import SystemClock, login_examinations
from gateway.config import load
from gateway.eas.apppasswords import AppPasswordBook, NewPassword
from gateway.store.sqlite import SqliteState
from gateway.types import AppPassword, UserId
from tests.blackbox.test_ping import folder, request
from tests.blackbox.test_sendmail import mime, send
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import MASTER, MASTER_PASSWORD, Options
from tests.support.gateway import Gateway, Section
from tests.support.openid import AUDIENCE, OpenIdProvider
from tests.support.phone import Answer, Phone
from tests.support.smtp_logins import LoginSink
from tests.support.waiting import eventually
from wbxml import element
from wbxml.pages import Email, Ping, Settings

DEADLINE = 60


@dataclass(slots=True)
class Client(Phone):
    """A phone that proves who its user is by other headers than a password."""

    proof: Mapping[str, str] = field(default_factory=dict)

    def headers(self) -> dict[str, str]:
        sent = Phone.headers(self)
        del sent["Authorization"]
        return sent | dict(self.proof)


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway with every kind of login turned on, and the servers behind it."""

    gateway: Gateway
    dovecot: Dovecot
    sink: LoginSink
    provider: OpenIdProvider

    def client(
        self, user: str, proof: Mapping[str, str], *, device: str = "PHONE1", source: str = ""
    ) -> Client:
        gateway = self.gateway
        return Client(gateway.host, gateway.port, user, "", device=device, source=source, proof=proof)

    def make(self, user: str) -> NewPassword:
        """An app password, made beside the gateway as the command line does."""

        async def make() -> NewPassword:
            async with await SqliteState.open(self.gateway.database) as state:
                book = AppPasswordBook(state, SystemClock(), "cli:root")
                return await book.create(UserId(user), "phone", bound=True)

        return asyncio.run(make())

    def revoke(self, made: AppPassword) -> None:
        """Have it end, likewise."""

        async def revoke() -> None:
            async with await SqliteState.open(self.gateway.database) as state:
                await AppPasswordBook(state, SystemClock(), "cli:root").revoke(made.user, made.number)

        asyncio.run(revoke())

    def refused(self, client: Phone, secret: str = "") -> str:
        """The reason that the log has for a 401, which does not have the secret."""
        _, reason = self.turned_away(client)
        assert not secret or secret not in self.gateway.log()
        return reason

    def turned_away(self, client: Phone) -> tuple[Answer, str]:
        """An answer 401, and the reason that the log has for it."""
        before = self.reasons()
        answer = client.raw(client.query("Ping"))
        assert answer.code == 401
        return answer, self.newest_reason(before)

    def reasons(self) -> list[str]:
        """Why requests were answered 401 so far."""
        lines = [line for line in self.gateway.log().splitlines() if re.search(r"http=.{0,9}401", line)]
        return [line.partition("reason=")[2] for line in lines]

    def newest_reason(self, before: list[str]) -> str:
        """The reason that was added; the line is written after the answer was sent."""
        deadline = time.monotonic() + DEADLINE
        while len(found := self.reasons()) <= len(before):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found[-1]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        provider = stack.enter_context(OpenIdProvider())
        sink = stack.enter_context(LoginSink(provider))
        options = Options(sieve=True, replies=sink.port, master=True, issuer=provider.issuer)
        dovecot = stack.enter_context(Dovecot(options))
        provider.leave_keys(dovecot.place.keys)
        sections: dict[str, Section] = {
            "eas": {"heartbeat_min": 1},
            "imap": {"login": "{local}"},
            "identity": {"email": "{local}@example.test"},
            "sieve": {"host": "127.0.0.1", "port": dovecot.sieve_port, "ca_file": str(dovecot.ca_file)},
            "auth": {"max_delay": 0},
            "master": {"login": MASTER, "password": MASTER_PASSWORD},
            "passwords": {"enabled": True},
            "oauth": {"issuer": provider.issuer, "audience": [AUDIENCE], "leeway": 0, "timeout": 20},
            "client_certificates": {},
        }
        gateway = stack.enter_context(Gateway(dovecot, sink, sections=sections))
        yield Site(gateway, dovecot, sink, provider)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def certified(user: str) -> dict[str, str]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a phone")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(f"{user}@example.test")]), critical=False)
        .sign(key, SHA256())
    )
    shown = quote(made.public_bytes(Encoding.PEM).decode())
    return {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-Cert": shown}


KINDS: dict[str, Callable[[Site, str], Mapping[str, str]]] = {
    "mail password": lambda site, user: basic(user, site.dovecot.password),
    "app password": lambda site, user: basic(user, site.make(user).text),
    "token": lambda site, user: bearer(site.provider.token(user)),
    "certificate": lambda _site, user: certified(user),
}


class Held:
    """A Ping that the gateway holds."""

    def __init__(self, site: Site, client: Phone, inbox: str) -> None:
        self.answers: list[Answer] = []
        body = request(900, folder(inbox))
        self._thread = threading.Thread(
            target=lambda: self.answers.append(client.post("Ping", body, seconds=DEADLINE)), daemon=True
        )
        self._thread.start()
        while not site.gateway.metric('eas_requests_open{command="Ping"}') and self._thread.is_alive():
            time.sleep(0.02)

    def answer(self) -> Answer:
        self._thread.join()
        assert self.answers, "the Ping is still held"
        return self.answers[0]

    def answer_to_mail(self, site: Site, user: str, subject: str) -> Answer:
        """The answer to mail, which comes until Dovecot tells of it."""
        while self._thread.is_alive():
            site.dovecot.deliver(user, messages.plain(subject=subject))
            self._thread.join(10)
        return self.answer()


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_session(site: Site, user: str, kind: str) -> None:
    site.dovecot.deliver(user, messages.plain(subject="first"))
    phone = site.client(user, KINDS[kind](site, user))
    phone.provision()
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    phone.sync(inbox).named(Email.Subject, "first")

    site.sink.clear()
    assert send(phone, mime(phone), f"c-{kind}").empty
    (sent,) = site.sink.received
    assert (sent.login, sent.mail_from) == (user, f"{user}@example.test")

    oof = element(Settings.Oof, element(Settings.Get, element(Settings.BodyType, "Text")))
    shown = phone.post("Settings", element(Settings.Settings, oof)).root.find(Settings.Oof)
    assert shown is not None
    assert shown.child_text(Settings.Status) == "1"

    held = Held(site, phone, inbox)
    assert held.answer_to_mail(site, user, "second").root.child_text(Ping.Status) == "2"
    assert {data.child_text(Email.Subject) for data in phone.sync(inbox).added.values()} == {"second"}


def ready(site: Site, user: str, proof: Mapping[str, str], *, device: str = "PHONE1") -> tuple[Client, str]:
    """A phone that has synchronised its INBOX, and the id of that."""
    phone = site.client(user, proof, device=device)
    phone.provision()
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    return phone, inbox


def test_an_app_password_is_bound_used_and_revoked_while_its_device_waits(site: Site, user: str) -> None:
    made = site.make(user)
    text = made.text
    phone, inbox = ready(site, user, basic(user, text))
    other = site.client(user, basic(user, text), device="OTHER")
    assert f"wrong credentials for '{user}'" in site.refused(other, text)
    held, before = Held(site, phone, inbox), site.reasons()
    site.revoke(made.password)
    assert held.answer().code == 401
    assert "revoked meanwhile" in site.newest_reason(before)
    assert f"wrong credentials for '{user}'" in site.refused(phone, text)
    assert text.replace("-", "") not in site.gateway.log()
    phone.proof = basic(user, site.dovecot.password)
    assert phone.folders()["Inbox"] == inbox


def test_a_token_that_ends_ends_a_ping_and_its_successor_goes_on(site: Site, user: str) -> None:
    def logins() -> int:
        return len(re.findall(rf"imap-login: (Info: )?Login: user=<{user}>", site.dovecot.log()))

    phone, inbox = ready(site, user, bearer(site.provider.token(user)))
    for life in (700, 800, 900, 1000):
        phone.proof = bearer(site.provider.token(user, exp=int(time.time()) + life))
        assert phone.folders()["Inbox"] == inbox
    eventually(lambda: logins() > 0)  # Dovecot has another process write its log
    first = logins()
    assert first == 1
    phone.proof = bearer(site.provider.token(user, exp=int(time.time()) + 4))
    before = site.reasons()
    assert Held(site, phone, inbox).answer().code == 401
    assert "token: expired" in site.newest_reason(before)
    phone.proof = bearer(site.provider.token(user))
    held = Held(site, phone, inbox)
    assert held.answer_to_mail(site, user, "news").root.child_text(Ping.Status) == "2"
    watching, delivering = 1, len(phone.sync(inbox).added)
    assert logins() <= first + watching + delivering


def test_tokens_that_are_none(site: Site, user: str) -> None:
    provider, now = site.provider, int(time.time())
    head, body, signature = provider.token(user).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    thief = RSAKey.generate_key(2048, {"kid": str(provider.keys[0].kid)})
    for token, reason in (
        (provider.token(user, exp=now - 1), "expired"),
        (provider.token(user, nbf=now + 900), "not good yet"),
        (provider.token(user, aud="another"), "another audience"),
        (provider.token(user, iss="https://other.example"), "another issuer"),
        (provider.token(user, email=None), "no claim email"),
        (f"{none}.{body}.", "algorithm is not allowed"),
        (provider.token(user, key=thief), "BadSignatureError"),
        (provider.token(user, head={"kid": "unknown"}), "does not name"),
        (f"{head}.{body}.{signature[:-8]}AAAAAAAA", "BadSignatureError"),
        ("rubbish", "token: "),
    ):
        assert reason in site.refused(site.client(user, bearer(token)), token)
    client = site.client(user, bearer(provider.token(user, exp=now - 1)))
    challenges = site.turned_away(client)[0].headers.get_all("WWW-Authenticate")
    assert challenges is not None
    assert challenges[0].startswith("Basic ")
    assert challenges[1].startswith('Bearer realm="ActiveSync"')
    for said in (f'authorization_uri="{provider.issuer}/authorize"', 'error="invalid_token"'):
        assert said in challenges[1]
    empty = site.client(user, {"Authorization": "Bearer"})
    challenges = site.turned_away(empty)[0].headers.get_all("WWW-Authenticate")
    assert challenges is not None
    assert "invalid_token" not in challenges[1]


def test_the_profile_of_an_iphone_says_where_tokens_are(site: Site, user: str) -> None:
    client, gateway = site.client(user, bearer(site.provider.token(user))), site.gateway
    assert client.raw(client.query("Ping")).code != 401  # the provider was asked by now
    connection = HTTPConnection(gateway.host, gateway.port, timeout=DEADLINE)
    try:
        connection.request("GET", f"/autodiscover/activesync.mobileconfig?email={user}@example.test")
        (account,) = plistlib.loads(connection.getresponse().read())["PayloadContent"]
    finally:
        connection.close()
    told = [account[name] for name in ("OAuth", "OAuthSignInURL", "OAuthTokenRequestURL")]
    assert told == [True, f"{site.provider.issuer}/authorize", f"{site.provider.issuer}/token"]


def test_a_token_for_a_user_whom_the_mail_server_refuses(site: Site, user: str) -> None:
    token = site.provider.token(user, email=f"{user}\x7f@example.test")
    assert "names a user" in site.refused(site.client(user, bearer(token)), token)
    # The provider trusts a key that the mail server does not know.
    new = site.provider.renew_keys(keep=True)
    try:
        token = site.provider.token(user, key=new)
        reason = site.refused(site.client(user, bearer(token)), token)
        assert "does not name" in reason or "is good, but" in reason
    finally:
        site.provider.keys.remove(new)


def test_certificates_of_whoever_is_no_proxy(site: Site, user: str) -> None:
    proof = certified(user)
    foreign = site.client(user, proof, source="127.0.0.2")
    assert "no trusted proxy" in site.refused(foreign)
    behind = site.client(user, {**proof, "X-SSL-Client-Verify": "FAILED:expired"})
    assert "did not verify" in site.refused(behind)
    both = site.client(user, {**proof, **basic(f"other-{user}", site.dovecot.password)})
    assert "another user" in site.refused(both)
    both.proof = {**proof, **basic(user, site.dovecot.password)}
    assert both.raw(both.query("Ping")).code != 401


def found(site: Site, user: str, **environment: str) -> list[str]:
    """What `check` says of the logins, with environment variables laid over the configuration."""

    async def look() -> list[str]:
        settings = load(site.gateway.config, environment)
        parts = login_examinations(settings, user)
        return [f"{name} {one.verdict}: {one.text}" for name, part in parts.items() async for one in part]

    return asyncio.run(look())


def test_check_looks_at_the_provider_and_at_the_master_user(site: Site, user: str) -> None:
    provider, *clear, imap, smtp, sieve = found(site, user)
    assert provider.startswith(f"oauth ok: {site.provider.issuer} has 1 keys")
    assert [one.partition(":")[0] for one in clear] == ["oauth warning"]
    opened = f"the master user opens {user}"
    assert (imap, smtp, sieve) == tuple(
        f"master ok: {server}: {opened}" for server in ("IMAP", "SMTP", "Sieve")
    )
    assert "give --user" in found(site, "")[-1]
    wrong = found(
        site,
        user,
        GATEWAY_MASTER__PASSWORD="wrong",
        GATEWAY_OAUTH__ISSUER=f"{site.provider.issuer}/elsewhere",
    )
    assert [one.partition(": ")[0] for one in wrong] == ["oauth failure", *["master failure"] * 3]
