"""Tokens of a provider that runs here: which are taken, and what is asked of the provider for them."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from gateway.errors import AuthenticationFailed, TokenExpired, UpstreamUnavailable
from gateway.upstream.fetching import WebFetcher
from gateway.upstream.oidc import OidcSettings, OidcTokens
from gateway.upstream.oidc.keys import ProviderKeys
from gateway.upstream.oidc.tokens import LONGEST_TOKEN
from tests.support.openid import AUDIENCE, OpenIdProvider

DISCOVERY = "/realm/.well-known/openid-configuration"
KEYS = "/realm/keys"


class Now:
    """The time, as it is or as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Passing:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as running:
        yield running


@pytest.fixture
def settings(provider: OpenIdProvider) -> OidcSettings:
    return OidcSettings(issuer=provider.issuer, audience=frozenset({AUDIENCE}), timeout=20)


async def refused(tokens: OidcTokens, token: str) -> str:
    with pytest.raises(AuthenticationFailed) as error:
        await tokens.claimed(token)
    assert token[-20:] not in error.value.detail or not token
    return error.value.detail


def _encoded(part: dict[str, object] | bytes) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def test_a_good_token_says_who_and_until_when(provider: OpenIdProvider, settings: OidcSettings) -> None:
    tokens = OidcTokens(settings, Now())
    end = int(time.time()) + 300
    claimed = await tokens.claimed(provider.token("anna", exp=end))
    assert claimed.user == "anna@example.test"
    assert claimed.expires == datetime.fromtimestamp(end, UTC) + settings.leeway
    assert tokens.sign_in().authorization == f"{provider.issuer}/authorize"
    for _ in range(5):
        await tokens.claimed(provider.token("bert", aud=AUDIENCE))
    assert provider.asked == {DISCOVERY: 1, KEYS: 1}


async def test_a_key_url_is_asked_without_discovery(provider: OpenIdProvider, settings: OidcSettings) -> None:
    tokens = OidcTokens(replace(settings, keys=f"{provider.issuer}/keys", user_claim="sub"), Now())
    assert (await tokens.claimed(provider.token("anna"))).user == "id-anna"
    assert provider.asked == {KEYS: 1}


async def test_what_is_not_made_out_for_us(provider: OpenIdProvider, settings: OidcSettings) -> None:
    tokens = OidcTokens(replace(settings, scope=frozenset({"mail"})), Now())
    later = int(time.time()) + 300
    faults: dict[str, dict[str, Any]] = {
        "of another issuer": {"iss": f"{provider.issuer}/"},
        "another audience": {"aud": ["other"]},
        "oauth.scope": {"scope": "openid"},
        "no claim email": {"email": None},
        "not verified": {"email_verified": False},
        "not good yet": {"nbf": later},
        "without an end": {"exp": None},
        "a time that is none": {"nbf": 1e300},
    }
    for fault, claims in faults.items():
        assert fault in await refused(tokens, provider.token("anna", **claims))
    odd_claims: list[dict[str, Any]] = [{"aud": None}, {"aud": 7}, {"aud": {"a": 1}}, {"email": ["anna"]}]
    for odd in (
        *odd_claims,
        {"exp": "soon"},
        {"exp": 253402300799},
        {"nbf": -1},
        {"exp": float("nan")},
        {"exp": True},
        {"scope": {"mail": 1}},
        {"email": "  "},
        {"email_verified": "false"},
        {"email_verified": 0},
    ):
        await refused(tokens, provider.token("anna", **odd))
    assert (await tokens.claimed(provider.token("anna", scope=None, scp=["mail"]))).user


async def test_the_clocks_may_be_a_little_apart(provider: OpenIdProvider, settings: OidcSettings) -> None:
    clock = Now()
    tokens = OidcTokens(settings, clock)
    token = provider.token("anna")
    clock.ahead = timedelta(seconds=-40)
    await tokens.claimed(token)
    clock.ahead = timedelta(seconds=630)
    await tokens.claimed(token)
    clock.ahead = timedelta(seconds=700)
    with pytest.raises(TokenExpired):
        await tokens.claimed(token)


async def test_forged_tokens(provider: OpenIdProvider, settings: OidcSettings) -> None:
    tokens = OidcTokens(settings, Now())
    good = provider.token("anna")
    head, body, signature = good.split(".")
    none = _encoded({"alg": "none", "typ": "JWT"})
    other = json.loads(base64.urlsafe_b64decode(body + "=="))
    other["email"] = "bert@example.test"
    changed = _encoded(other)
    known = provider.keys[0]
    thief = RSAKey.generate_key(2048, {"kid": str(known.kid)})
    signed = f"{_encoded({'alg': 'HS256', 'kid': known.kid})}.{body}"
    confused = hmac.new(known.as_pem(private=False), signed.encode(), "sha256").digest()
    forged = {
        "algorithm": [f"{none}.{body}.", f"{none}.{body}.{signature}", f"{signed}.{_encoded(confused)}"],
        "BadSignature": [f"{head}.{changed}.{signature}", provider.token("anna", key=thief)],
    }
    for fault, those in forged.items():
        for token in those:
            assert fault in await refused(tokens, token)
    for token in ("", "a", "a.b", "a.b.c", "..", f"{head}.{body}", f"{head}..{signature}", "ü.b.c"):
        await refused(tokens, token)
    await refused(tokens, f"{head}.{'A' * LONGEST_TOKEN}.{signature}")
    nested = jws.serialize_compact({"alg": "RS256", "kid": known.kid}, b"[" * 10_000, known)
    assert "token: " in await refused(tokens, nested)
    assert (await tokens.claimed(good)).user == "anna@example.test"


async def test_an_elliptic_key_among_others_and_a_token_that_names_none(
    provider: OpenIdProvider, settings: OidcSettings
) -> None:
    elliptic = ECKey.generate_key("P-256", {"kid": "e1"})
    secretive = RSAKey.generate_key(2048, {"kid": "for-secrets"})
    provider.keys += [elliptic, RSAKey.import_key({**secretive.as_dict(private=False), "use": "enc"})]
    tokens = OidcTokens(settings, Now())
    for head in ({"alg": "ES256"}, {"alg": "ES256", "kid": None}):
        token = provider.token("anna", key=elliptic, head=head)
        assert (await tokens.claimed(token)).user
    assert "does not name" in await refused(tokens, provider.token("anna", key=secretive))


async def test_new_keys_are_fetched_when_a_token_names_one(
    provider: OpenIdProvider, settings: OidcSettings
) -> None:
    passing = Passing()
    tokens = OidcTokens(settings, Now())
    tokens.keys = ProviderKeys(settings, lambda host: WebFetcher(private=(host,), timeout=20), passing)
    old = provider.token("anna")
    await tokens.claimed(old)
    provider.renew_keys()
    passing.seconds += 31
    assert (await tokens.claimed(provider.token("anna"))).user
    assert "does not name" in await refused(tokens, old)
    assert provider.asked[KEYS] == 2


async def test_a_storm_of_unknown_keys_is_one_question(
    provider: OpenIdProvider, settings: OidcSettings
) -> None:
    passing = Passing()
    tokens = OidcTokens(settings, Now())
    tokens.keys = ProviderKeys(settings, lambda host: WebFetcher(private=(host,), timeout=20), passing)
    await tokens.claimed(provider.token("anna"))
    for storm in range(2):
        passing.seconds += 31
        for number in range(50):
            token = provider.token("anna", head={"kid": f"unknown-{storm}-{number}"})
            assert "does not name" in await refused(tokens, token)
    assert provider.asked[KEYS] == 3


async def test_the_keys_outlast_the_provider(provider: OpenIdProvider, settings: OidcSettings) -> None:
    passing = Passing()
    tokens = OidcTokens(settings, Now())
    tokens.keys = ProviderKeys(settings, lambda host: WebFetcher(private=(host,), timeout=20), passing)
    provider.broken = True
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            await tokens.claimed(provider.token("anna"))
    assert provider.asked.total() == 1
    provider.broken = False
    passing.seconds += 31
    await tokens.claimed(provider.token("anna"))
    provider.broken = True
    passing.seconds += 7200
    for _ in range(3):
        await tokens.claimed(provider.token("anna"))
    assert provider.asked.total() == 4


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "http://other"},
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": 7},
    ],
)
async def test_a_discovery_that_cannot_be_right(
    provider: OpenIdProvider, settings: OidcSettings, told: dict[str, object]
) -> None:
    provider.changed = told
    with pytest.raises(UpstreamUnavailable):
        await OidcTokens(settings, Now()).claimed(provider.token("anna"))
    assert provider.asked == {DISCOVERY: 1}
