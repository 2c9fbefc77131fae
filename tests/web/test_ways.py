"""App passwords, tokens and certificates: which proves what, and the pauses that forgeries earn."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.eas.apppasswords import AppPasswordBook
from gateway.eas.identity import Identity
from gateway.errors import AuthenticationFailed, TokenExpired, UpstreamUnavailable
from gateway.ports.logins import Claimed, SignIn
from gateway.store.sqlite import SqliteState
from gateway.types import BearerToken, Credentials, Login, LoginKind, MasterUser, UserId
from gateway.web.auth import Authentication
from gateway.web.certificates import ClientCertificates
from gateway.web.ways import AppPasswordWay, CertificateWay, Master, TokenWay, Ways
from tests.web.support import PASSWORD, Time, Users
from tests.web.test_auth import AWAY, HOME, header, now, unhurried  # noqa: F401 (a fixture)

JO = UserId("jo")
MASTER = Master("boss", "secret")


class Servers(Users):
    """Also lets in whom the master user opens, and tokens, but for users who are gone."""

    async def authenticate(self, credentials: Credentials) -> None:
        if isinstance(credentials, MasterUser | BearerToken):
            if credentials.login == "gone":
                raise AuthenticationFailed("refused the login")
            return
        await super().authenticate(credentials)


class Provider:
    """Says of each token what a test says of it."""

    def __init__(self, clock: Time) -> None:
        self.clock = clock
        self.asked = 0

    async def claimed(self, token: str) -> Claimed:
        self.asked += 1
        match token:
            case "expired":
                raise TokenExpired("token: expired")
            case "later":
                raise UpstreamUnavailable("no keys")
            case "good":
                return Claimed("Jo", self.clock.now() + timedelta(seconds=60))
            case "stranger":
                return Claimed("jo@other.example", self.clock.now() + timedelta(seconds=60))
            case "gone":
                return Claimed("gone", self.clock.now() + timedelta(seconds=60))
        raise AuthenticationFailed("token: forged")

    async def prepare(self) -> None:
        self.asked += 1

    def sign_in(self) -> SignIn:
        return SignIn(
            "https://login.example",
            "https://login.example/authorize",
            "https://login.example/token",
            "openid mail",
        )


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def users() -> Servers:
    return Servers()


@pytest.fixture
def ways(state: SqliteState, clock: Time) -> Ways:
    reader = ClientCertificates("x-verify", "x-cert", "certificate", "email")
    return Ways(
        AppPasswordWay(state, clock, MASTER),
        TokenWay(Provider(clock), clock),
        CertificateWay(reader, MASTER),
    )


@pytest.fixture
def authentication(users: Servers, ways: Ways) -> Authentication:
    return Authentication(users, Identity(), max_delay=2.0, ways=ways)


@pytest.fixture
async def app_password(state: SqliteState, clock: Time) -> str:
    return (await AppPasswordBook(state, clock, "cli:root").create(JO, "phone")).text


async def seconds_of(authentication: Authentication, token: str, address: str = HOME) -> float:
    """How long the refusal of a token takes."""
    began = now()
    with pytest.raises(AuthenticationFailed):
        await authentication.login(f"Bearer {token}", address)
    return now() - began


async def test_an_app_password_opens_by_the_master_user(
    authentication: Authentication, users: Servers, app_password: str
) -> None:
    principal = await authentication.login(header(app_password), HOME, "D1")
    assert principal.login == Login(LoginKind.APP_PASSWORD, 1)
    assert principal.credentials == MasterUser("Jo", "boss", "secret")
    assert users.asked == 0
    assert (await authentication.login(header(), HOME, "D1")).login.kind is LoginKind.PASSWORD


async def test_an_app_password_opens_no_page(authentication: Authentication, app_password: str) -> None:
    with pytest.raises(AuthenticationFailed):
        await authentication.sign_in("Jo", app_password, HOME)
    assert (await authentication.sign_in("Jo", PASSWORD, HOME)).login.kind is LoginKind.PASSWORD


async def test_where_app_passwords_are_required_the_mail_password_opens_pages_alone(
    authentication: Authentication, users: Servers, ways: Ways, app_password: str
) -> None:
    assert ways.app_passwords is not None
    required = dataclasses.replace(ways.app_passwords, required=True)
    authentication.ways = dataclasses.replace(ways, app_passwords=required)
    with pytest.raises(AuthenticationFailed, match="need an app password"):
        await authentication.login(header(), HOME, "D1")
    assert users.asked == 0
    await authentication.login(header(app_password), HOME, "D1")
    await authentication.sign_in("Jo", PASSWORD, HOME)


async def test_guesses_of_app_passwords_wait_as_others_do(
    authentication: Authentication, app_password: str
) -> None:
    took = []
    for number in range(4):
        began = now()
        with pytest.raises(AuthenticationFailed):
            await authentication.login(header(f"aaaa-aaaa-aaaa-aaa{'bcde'[number]}"), HOME)
        took.append(now() - began)
    assert took == pytest.approx([0.0, 0.5, 1.0, 2.0], abs=0.1)
    began = now()
    await authentication.login(header(app_password), HOME)
    assert now() - began == pytest.approx(2.0, abs=0.1)


async def test_a_revoked_app_password_is_seen_in_what_waits(
    authentication: Authentication, state: SqliteState, app_password: str
) -> None:
    principal = await authentication.login(header(app_password), HOME, "D1")
    await authentication.check(principal)
    await state.revoke_app_password(JO, 1)
    with pytest.raises(AuthenticationFailed, match="revoked"):
        await authentication.check(principal)


async def test_a_token_opens_by_itself_or_by_the_master_user(
    authentication: Authentication, ways: Ways, clock: Time
) -> None:
    principal = await authentication.login("bearer good", HOME, "D1")
    assert principal.credentials == BearerToken("Jo", "good")
    assert principal.login.expires == clock.now() + timedelta(seconds=60)
    await authentication.check(principal)
    clock.value += timedelta(seconds=60)
    with pytest.raises(TokenExpired):
        await authentication.check(principal)
    assert ways.tokens is not None
    by_master = dataclasses.replace(ways.tokens, master=MASTER)
    authentication.ways = dataclasses.replace(ways, tokens=by_master)
    assert (await authentication.login("Bearer good", HOME)).credentials == MasterUser("Jo", "boss", "secret")


async def test_forged_tokens_wait_and_others_do_not(authentication: Authentication) -> None:
    took = [await seconds_of(authentication, f"forged{number}") for number in range(4)]
    assert took == pytest.approx([0.5, 1.0, 2.0, 2.0], abs=0.1)
    for token in ("expired", "gone", ""):
        assert await seconds_of(authentication, token) == 0
    began = now()
    await authentication.login("Bearer good", HOME)
    assert now() == began
    assert await seconds_of(authentication, "forged", AWAY) == 0.5
    with pytest.raises(UpstreamUnavailable):
        await authentication.login("Bearer later", HOME)


async def test_many_expired_tokens_from_one_address_cost_nobody_anything(
    authentication: Authentication,
) -> None:
    for _ in range(100):
        assert await seconds_of(authentication, "expired") == 0
    began = now()
    await authentication.login(header(), HOME)
    assert now() == began


async def test_a_user_whom_the_upstream_refuses_is_told_apart_in_the_log_alone(
    authentication: Authentication,
) -> None:
    with pytest.raises(AuthenticationFailed, match=r"token of 'gone' is good, but: refused the login"):
        await authentication.login("Bearer gone", HOME)


async def test_a_certificate_is_enough_and_others_may_come_with_it(
    authentication: Authentication, ways: Ways
) -> None:
    principal = await authentication.login(None, HOME, "D1", certificate="Jo")
    assert principal.login.kind is LoginKind.CERTIFICATE
    assert principal.credentials == MasterUser("Jo", "boss", "secret")
    assert (await authentication.login(header(), HOME, certificate="JO")).login.kind is LoginKind.PASSWORD
    for shown in (header(), "Bearer good"):
        with pytest.raises(AuthenticationFailed, match="another user"):
            await authentication.login(shown, HOME, certificate="bert")
    authentication.ways = dataclasses.replace(ways, certificates=None)
    with pytest.raises(AuthenticationFailed):
        await authentication.login(None, HOME, certificate="Jo")


async def test_a_namesake_in_another_domain_is_somebody_else(users: Servers, ways: Ways) -> None:
    local = Identity(login="{local}", email="{local}@example.com")
    authentication = Authentication(users, local, max_delay=2.0, ways=ways)
    assert (await authentication.login("Bearer good", HOME)).user == "jo"
    with pytest.raises(AuthenticationFailed, match=r"of no domain taken: see oauth.domains"):
        await authentication.login("Bearer stranger", HOME)
    for shown in (None, header()):
        await authentication.login(shown, HOME, certificate="jo@example.com")
        with pytest.raises(
            AuthenticationFailed, match=r"of no domain taken: see client_certificates.domains"
        ):
            await authentication.login(shown, HOME, certificate="jo@other.example")
    assert ways.tokens is not None
    authentication.ways = dataclasses.replace(
        ways, tokens=dataclasses.replace(ways.tokens, domains=frozenset({"other.example"}))
    )
    assert (await authentication.login("Bearer stranger", HOME)).user == "jo"


async def test_without_other_ways_a_token_is_no_login(users: Servers) -> None:
    plain = Authentication(users, Identity(), max_delay=2.0)
    with pytest.raises(AuthenticationFailed, match="no Basic credentials"):
        await plain.login("Bearer good", HOME)


def test_the_challenge_holds_what_it_may(clock: Time) -> None:
    challenge = TokenWay(Provider(clock), clock).challenge("invalid_token")
    assert challenge == (
        'Bearer realm="ActiveSync", trusted_issuers="https://login.example",'
        ' authorization_uri="https://login.example/authorize", error="invalid_token"'
    )
