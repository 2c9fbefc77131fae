"""What each kind of credentials looks like to a server, by the mechanisms it offers."""

from __future__ import annotations

import pytest

from gateway.errors import AuthenticationFailed
from gateway.types import BearerToken, Credentials, MasterUser, Password
from gateway.upstream.fingerprint import fingerprint
from gateway.upstream.sasl import choose, plain_login

ANNA = Password("anna", "pä")
MASTER = MasterUser("anna", "boss", "secret")
SEPARATED = MasterUser("anna", "boss", "secret", "*")
TOKEN = BearerToken("anna=a,b", "t0k.en")
ALL = {"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}


@pytest.mark.parametrize(
    ("credentials", "offered", "mechanism", "response"),
    [
        (ANNA, ALL, "PLAIN", "\0anna\0pä"),
        (MASTER, ALL, "PLAIN", "anna\0boss\0secret"),
        (SEPARATED, ALL, "PLAIN", "\0anna*boss\0secret"),
        (
            TOKEN,
            ALL,
            "OAUTHBEARER",
            "n,a=anna=3Da=2Cb,\x01host=mail\x01port=993\x01auth=Bearer t0k.en\x01\x01",
        ),
        (TOKEN, {"XOAUTH2"}, "XOAUTH2", "user=anna=a,b\x01auth=Bearer t0k.en\x01\x01"),
    ],
)
def test_what_is_sent(credentials: Credentials, offered: set[str], mechanism: str, response: str) -> None:
    initial = choose(credentials, offered, "mail", 993)
    assert initial is not None
    assert (initial.mechanism, initial.response) == (mechanism, response.encode())
    assert (initial.surrender is not None) == isinstance(credentials, BearerToken)
    for shown in (repr(initial), repr(credentials)):
        assert not any(secret in shown for secret in ("pä", "secret", "t0k.en"))


@pytest.mark.parametrize("credentials", [ANNA, MASTER, TOKEN])
def test_a_server_that_offers_nothing_for_it(credentials: Credentials) -> None:
    assert choose(credentials, {"LOGIN", "CRAM-MD5"}, "mail", 993) is None


def test_a_token_is_never_sent_as_a_password() -> None:
    assert choose(TOKEN, {"PLAIN", "LOGIN"}, "mail", 993) is None


@pytest.mark.parametrize(
    "credentials",
    [
        Password("an\0na", "x"),
        Password("anna", "x\0y"),
        Password("anna", "\ud800"),
        MasterUser("an\0na", "boss", "x"),
        BearerToken("anna\x01auth=Bearer other", "x"),
        BearerToken("anna", "x\x01y"),
    ],
)
def test_what_would_break_out_of_its_field_is_no_login(credentials: Credentials) -> None:
    with pytest.raises(AuthenticationFailed):
        choose(credentials, ALL, "mail", 993)


def test_a_login_command() -> None:
    assert plain_login(ANNA) == ("anna", "pä")
    assert plain_login(SEPARATED) == ("anna*boss", "secret")
    with pytest.raises(AuthenticationFailed, match="separator"):
        plain_login(MASTER)
    with pytest.raises(AuthenticationFailed, match="separator"):
        plain_login(MasterUser("anna*boss", "x", "secret", "*"))


def test_connections_of_one_login_are_shared_by_equal_credentials_alone() -> None:
    different: list[Credentials] = [
        ANNA,
        Password("anna", "p"),
        Password("ann", "apä"),
        MASTER,
        BearerToken("anna", "t"),
    ]
    different += [Password("anna", ""), MasterUser("anna", "boss", ""), MasterUser("anna", "bos", "ssecret")]
    assert len({fingerprint(one) for one in different}) == len(different)
    assert fingerprint(BearerToken("anna", "old")) == fingerprint(BearerToken("anna", "new"))
