"""Address lists as senders write them."""

from __future__ import annotations

import time
from email.utils import formataddr, getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.addresses import Address, addresses, parse_addresses
from gateway.mail.headers import Headers, clean


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("jo@x.org", [("", "jo@x.org")]),
        ("Jo <jo@x.org>", [("Jo", "jo@x.org")]),
        ("<jo@x.org>", [("", "jo@x.org")]),
        ("Jo Doe <jo@x.org>, b@y.org", [("Jo Doe", "jo@x.org"), ("", "b@y.org")]),
        ('"Doe, Jo" <jo@x.org>, Bob <bob@y.org>', [("Doe, Jo", "jo@x.org"), ("Bob", "bob@y.org")]),
        (r'"Jo \"J\" \\Doe" <jo@x.org>', [(r'Jo "J" \Doe', "jo@x.org")]),
        ("jo@x.org (Jo Doe)", [("Jo Doe", "jo@x.org")]),
        ("Jo (a (nested) one) <jo@x.org>", [("Jo", "jo@x.org")]),
        ("=?utf-8?Q?Doe=2C_J=C3=B6?= <jo@x.org>; b@y.org", [("Doe, Jö", "jo@x.org"), ("", "b@y.org")]),
        ("=?utf-8?Q?Doe,_Jo?= <jo@x.org>", [("Doe, Jo", "jo@x.org")]),
        ("=?utf-8?B?w7bDtg==?= =?utf-8?B?w7Y=?= <a@b.org>", [("ööö", "a@b.org")]),
        ("Team: a@b.org, C <c@d.org>;, e@f.org", [("", "a@b.org"), ("C", "c@d.org"), ("", "e@f.org")]),
        ("undisclosed-recipients:;", []),
        ('"unclosed <jo@x.org>, b@y.org', [("unclosed", "jo@x.org"), ("", "b@y.org")]),
        ("Jo <jo@x.org", [("Jo", "jo@x.org")]),
        ("a ((( <e@f.org>", [("a (((", "e@f.org")]),
        ('"john doe"@x.com', [("", '"john doe"@x.com')]),
        ("<@relay.org,@other.org:jo@x.org>", [("", "jo@x.org")]),
        ("Jo Doe jo@x.org", [("Jo Doe", "jo@x.org")]),
        ("Jo Doe", [("Jo Doe", "")]),
        ("root", [("", "root")]),
        (",, ,", []),
        ('"a@b.org" <a@b.org>', [("a@b.org", "a@b.org")]),
        ("Jo < jo@x.org >", [("Jo", "jo@x.org")]),
        ("Jo\r\n <jo@x.org>", [("Jo", "jo@x.org")]),
        ("Jo <jo@x.org> <other@x.org>", [("Jo", "jo@x.org")]),
        ("MAILER-DAEMON <>", [("MAILER-DAEMON", "")]),
    ],
)
def test_lists(text: str, found: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in parse_addresses(text)] == found


def test_all_fields_of_a_name_count() -> None:
    headers = Headers(b"To: a@x.org\r\nTo: \xe4 <b@x.org>\r\n")
    assert list(addresses(headers, "to")) == [Address("", "a@x.org"), Address("ä", "b@x.org")]


@pytest.mark.parametrize(
    ("name", "address", "shown"),
    [
        ("", "a@b.org", "a@b.org"),
        ("Ann", "a@b.org", '"Ann" <a@b.org>'),
        ("Ann", "", '"Ann"'),
        ('A "B" \\ C', "a@b.org", '"A \\"B\\" \\\\ C" <a@b.org>'),
    ],
)
def test_shown(name: str, address: str, shown: str) -> None:
    assert str(Address(name, address)) == shown


plain_names = (
    st.text(alphabet="abcÄ ,.@<>\"\\()'=", max_size=12).map(clean).filter(lambda name: "=?" not in name)
)


@given(plain_names)
def test_what_is_shown_reads_back(name: str) -> None:
    assert list(parse_addresses(str(Address(name, "a@b.org")))) == [Address(name, "a@b.org")]


@given(st.lists(st.sampled_from(["Ann", "Doe, Jo", "x (y)", 'q"q', ""]), min_size=1, max_size=4))
def test_the_standard_library_agrees_on_good_lists(names: list[str]) -> None:
    text = ", ".join(formataddr((name, f"u{number}@x.org")) for number, name in enumerate(names))
    assert [(one.name, one.address) for one in parse_addresses(text)] == getaddresses([text])


@given(st.text(alphabet='ab@<>"\\(),;: =?utf-8Qq.\r\n\x00ä', max_size=80))
def test_arbitrary_lists_give_text_that_xml_can_carry(text: str) -> None:
    for one in parse_addresses(text):
        assert one.name == clean(one.name)
        assert one.address == clean(one.address)


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 50_000,
        '"' * 100_001,
        "(" * 100_000,
        "()" * 50_000,
        "<" * 100_000,
        "<>" * 50_000,
        "=?" * 50_000,
        "=?a?q?" * 20_000,
        "a:" * 50_000,
        "a:;" * 30_000,
        "a " * 50_000,
        ", ".join(f'"User {number}" <u{number}@example.org>' for number in range(5000)),
        "x" + ", ".join(f"=?utf-8?q?User_{number}?= <u{number}@example.org>" for number in range(5000)),
    ],
    ids=lambda text: text[:8],
)
def test_hostile_lists_take_linear_time(text: str) -> None:
    start = time.process_time()
    list(parse_addresses(text))
    assert time.process_time() - start < 2
