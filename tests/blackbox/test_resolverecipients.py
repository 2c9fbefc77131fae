"""ResolveRecipients: whom names mean, who is free when, and every status (MS-ASCMD 2.2.1.15)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.blackbox.conftest import MakePhone
from tests.blackbox.people import (
    AWAY,
    BUSY,
    HALF,
    NINE,
    TENTATIVE,
    address,
    ask,
    availability,
    come,
    dated,
    fresh,
    plan,
    resolve,
    span,
    status,
)
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Phone, change, commands, delete
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import Calendar
from wbxml.pages import ResolveRecipients as Page


@pytest.fixture
def anna(shared_gateway: Gateway, dovecot: Dovecot) -> Phone:
    """Another user, with an empty calendar."""
    phone = come(shared_gateway, dovecot, fresh("anna"))
    phone.begin(phone.folders()["Calendar"])
    return phone


# --- names -------------------------------------------------------------------------------------------------


def test_addresses(each_phone: Phone, anna: Phone) -> None:
    names = (address(anna), f'"Anna A." <{address(anna).upper()}>', "nobody@example.test", anna.user)
    known, spelled, unknown, bare = resolve(each_phone, *names)
    for one in (known, spelled, bare):
        assert [child.tag.name for child in one] == ["To", "Status", "RecipientCount", "Recipient"]
        assert status(one) == ("1", "1")
        (recipient,) = one.findall(Page.Recipient)
        assert [(child.tag.name, child.text()) for child in recipient] == [
            ("Type", "1"),
            ("DisplayName", address(anna)),
            ("EmailAddress", address(anna)),
        ]
    assert [(child.tag.name, child.text()) for child in unknown] == [("To", names[2]), ("Status", "4")]


def test_version_2_5_resolves_too(new_phone: MakePhone, anna: Phone) -> None:
    phone = new_phone("2.5")
    phone.provision()
    (found,) = resolve(phone, address(anna))
    assert status(found) == ("1", "1")


def test_what_means_nobody(some_phone: Phone, anna: Phone) -> None:
    names = ("", "a", "  ", "*", f"x{anna.user}", f"{anna.user}@example.tes", "@", "<>", "x" * 256)
    assert {status(one) for one in resolve(some_phone, *names)} == {("4", None)}


def test_names_that_several_have(some_phone: Phone, shared_gateway: Gateway, dovecot: Dovecot) -> None:
    prefix = fresh("team").replace("-", "")
    for number in range(3):
        come(shared_gateway, dovecot, f"{prefix}.{number}")
    everybody = [f"{prefix}.{number}@example.test" for number in range(3)]

    def suggested(*options: Element) -> tuple[tuple[str | None, str | None], list[str | None]]:
        (response,) = resolve(some_phone, prefix, options=options)
        recipients = response.findall(Page.Recipient)
        assert all(len(one) == 3 for one in recipients), "suggestions have nothing but a name"
        return status(response), [one.child_text(Page.EmailAddress) for one in recipients]

    assert suggested() == (("2", "3"), everybody)
    assert suggested(element(Page.MaxAmbiguousRecipients, 3)) == (("2", "3"), everybody)
    assert suggested(element(Page.MaxAmbiguousRecipients, 2)) == (("3", "3"), everybody[:2])
    assert suggested(element(Page.MaxAmbiguousRecipients, 0)) == (("3", "3"), [])
    assert suggested(element(Page.CertificateRetrieval, 2)) == (("2", "3"), everybody)
    if some_phone.number >= 14:
        assert suggested(span(NINE)) == (("2", "3"), everybody)


# --- free and busy -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["14.0", "14.1", "16.0", "16.1"])
def test_who_is_free(new_phone: MakePhone, shared_gateway: Gateway, dovecot: Dovecot, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    anna = come(shared_gateway, dovecot, fresh("anna"), version)
    plan(phone, NINE, HALF, BUSY)
    plan(anna, NINE, 3 * HALF, TENTATIVE)
    plan(anna, NINE + HALF, HALF, BUSY)
    plan(anna, NINE + 4 * HALF + HALF / 2, HALF, AWAY)
    plan(anna, NINE + 7 * HALF, HALF, 0)
    own = address(phone)
    mine, hers, hers_again, outside = resolve(
        phone, own, address(anna), address(anna).upper(), "x@elsewhere.test",
        options=(span(NINE, NINE + 8 * HALF),),
    )  # fmt: skip
    assert availability(mine) == ("1", "20000000")
    assert availability(hers) == availability(hers_again) == ("1", "12103300")
    assert status(outside) == ("4", None)
    assert all("secret" not in node.text() for node in hers.iter() if not node.children)


def test_occurrences_of_a_series(phone: Phone, anna: Phone) -> None:
    daily = element(
        Calendar.Recurrence,
        element(Calendar.Type, 0),
        element(Calendar.Interval, 1),
    )
    plan(anna, NINE - timedelta(days=300), HALF, BUSY, daily)
    (response,) = resolve(phone, address(anna), options=(span(NINE),))
    assert availability(response) == ("1", ("2" + "0" * 47) * 7)


def test_what_changes_counts_at_once(phone: Phone, anna: Phone) -> None:
    first = plan(anna, NINE, HALF, BUSY)

    def digits() -> str | None:
        (response,) = resolve(phone, address(anna), options=(span(NINE, NINE + 2 * HALF),))
        return availability(response)[1]

    assert digits() == "20"
    plan(anna, NINE + HALF, HALF, AWAY)
    assert digits() == "23"
    calendar = anna.folders()["Calendar"]
    anna.sync(calendar, commands(change(first, element(Calendar.BusyStatus, TENTATIVE))))
    assert digits() == "13"
    anna.sync(calendar, commands(delete(first)))
    assert digits() == "03"


@pytest.mark.parametrize(
    ("length", "count"),
    [(HALF, 1), (HALF + timedelta(seconds=1), 2), (timedelta(days=1), 48), (timedelta(days=42), 2016)],
)
def test_one_digit_for_each_half_hour(phone: Phone, anna: Phone, length: timedelta, count: int) -> None:
    (response,) = resolve(phone, address(anna), options=(span(NINE, NINE + length),))
    assert availability(response) == ("1", "0" * count)


@pytest.mark.parametrize(
    "wrong",
    [
        span(NINE, NINE + HALF - timedelta(seconds=1)),
        span(NINE, NINE),
        span(NINE, NINE - HALF),
        span(NINE, NINE + timedelta(days=42, seconds=1)),
        span("tomorrow"),
        span("20260302T090000Z"),
        span("0001-01-01T00:00:00.000Z"),
        span("9999-12-31T23:30:00.000Z"),
        span(NINE, ""),
        element(Page.Availability),
        element(Page.Availability, element(Page.EndTime, dated(NINE))),
    ],
)
def test_times_that_are_refused(phone: Phone, wrong: Element) -> None:
    root = ask(phone, "anna", options=(wrong,)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "5")]


def test_somebody_without_a_calendar(phone: Phone, shared_gateway: Gateway, dovecot: Dovecot) -> None:
    newcomer = come(shared_gateway, dovecot, fresh("nora"))
    (response,) = resolve(phone, address(newcomer), options=(span(NINE, NINE + 2 * HALF),))
    assert availability(response) == ("1", "44")


def test_too_many_recipients(phone: Phone, anna: Phone) -> None:
    responses = resolve(phone, *[address(anna)] * 101, options=(span(NINE),))
    assert {availability(one) for one in responses} == {("160", None)}
    responses = resolve(phone, *[address(anna)] * 100, options=(span(NINE, NINE + HALF),))
    assert {availability(one) for one in responses} == {("1", "0")}


@pytest.mark.parametrize(
    ("reach", "same", "other"),
    [("domain", ("1", "2"), None), ("all", ("1", "2"), ("1", "2")), ("none", ("163", None), None)],
)
def test_who_may_know(
    dovecot: Dovecot,
    smtp_sink: SmtpSink,
    reach: str,
    same: tuple[str, str | None],
    other: tuple[str, str | None] | None,
) -> None:
    """Addresses that are not listed are known to those only who may know of them; no name goes with them."""
    sections: dict[str, Section] = {
        "imap": {"login": "{local}"},
        "identity": {"email": "{user}", "name": "The {local}"},
        "calendar": {"free_busy": reach},
    }
    with Gateway(dovecot, smtp_sink, sections=sections) as gateway:
        me = come(gateway, dovecot, f"{fresh('ben')}@a.test")
        people = [come(gateway, dovecot, f"{fresh('anna')}@{domain}.test") for domain in "ab"]
        for one in people:
            plan(one, NINE, HALF, BUSY)
        names = [one.user for one in people]
        near, far = resolve(me, *names, options=(span(NINE, NINE + HALF),))
        assert availability(near) == same
        if other is None:
            assert status(far) == ("4", None)
        else:
            assert availability(far) == other
            (recipient,) = far.findall(Page.Recipient)
            assert recipient.child_text(Page.DisplayName) == names[1]
        (unasked,) = resolve(me, names[1])
        assert status(unasked) == ("4", None)


def test_spellings_of_one_user(dovecot: Dovecot, smtp_sink: SmtpSink) -> None:
    """Who logs in under several addresses is busy under each."""
    sections: dict[str, Section] = {"imap": {"login": "{local}"}, "identity": {"email": "{user}"}}
    name = fresh("anna")
    with Gateway(dovecot, smtp_sink, sections=sections) as gateway:
        plan(come(gateway, dovecot, f"{name}@a.test"), NINE, HALF, BUSY)
        come(gateway, dovecot, f"{name.upper()}@B.test")
        one = come(gateway, dovecot, f"{fresh('ben')}@a.test")
        two = come(gateway, dovecot, f"{fresh('ben')}@b.test")
        for phone, domain in ((one, "a"), (two, "b")):
            asked = f"{name}@{domain}.test"
            (response,) = resolve(phone, asked, options=(span(NINE, NINE + HALF),))
            assert availability(response) == ("1", "2")


# --- certificates and pictures -----------------------------------------------------------------------------


@pytest.mark.parametrize("retrieval", [2, 3])
def test_there_are_no_certificates(some_phone: Phone, anna: Phone, retrieval: int) -> None:
    options = (element(Page.CertificateRetrieval, retrieval), element(Page.MaxCertificates, 5))
    (response,) = resolve(some_phone, address(anna), options=options)
    (recipient,) = response.findall(Page.Recipient)
    told = recipient.find(Page.Certificates)
    assert told is not None
    assert [(child.tag.name, child.text()) for child in told] == [("Status", "7")]
    (plain,) = resolve(some_phone, address(anna), options=(element(Page.CertificateRetrieval, 1),))
    assert [child.tag.name for child in plain.children[-1]] == ["Type", "DisplayName", "EmailAddress"]


def test_there_are_no_pictures(phone: Phone, anna: Phone) -> None:
    limits = (element(Page.MaxSize, 10000), element(Page.MaxPictures, 1))
    options = (element(Page.CertificateRetrieval, 2), span(NINE), element(Page.Picture, *limits))
    (response,) = resolve(phone, address(anna), options=options)
    (recipient,) = response.findall(Page.Recipient)
    assert [child.tag.name for child in recipient][3:] == ["Availability", "Certificates", "Picture"]
    assert [(child.tag.name, child.text()) for child in recipient.children[-1]] == [("Status", "173")]
    (response,) = resolve(phone, address(anna), options=(element(Page.Picture),))
    assert [child.tag.name for child in response.children[-1]][3:] == ["Picture"]


# --- requests that are refused -----------------------------------------------------------------------------


def names(*wanted: str) -> list[Element]:
    return [element(Page.To, one) for one in wanted]


@pytest.mark.parametrize(
    "wrong",
    [
        element(Page.ResolveRecipients),
        element(Page.ResolveRecipients, element(Page.Options)),
        element(Page.ResolveRecipients, *names("x" * 257)),
        element(Page.ResolveRecipients, *names(*["anna"] * 101)),
        element(Page.ResolveRecipients, *names("anna"), element(Page.Options), element(Page.Options)),
        element(Page.ResolveRecipients, *names("anna"), element(Page.Recipient)),
        *(
            element(Page.ResolveRecipients, *names("anna"), element(Page.Options, option))
            for option in (
                element(Page.CertificateRetrieval, 0),
                element(Page.CertificateRetrieval, 4),
                element(Page.CertificateRetrieval, "all"),
                element(Page.MaxCertificates, 10000),
                element(Page.MaxCertificates, -1),
                element(Page.MaxAmbiguousRecipients, 10000),
                element(Page.MaxAmbiguousRecipients, "many"),
            )
        ),
    ],
)
def test_requests_that_are_refused(some_phone: Phone, wrong: Element) -> None:
    root = some_phone.post("ResolveRecipients", wrong).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "5")]


def test_too_many_to_count(phone: Phone) -> None:
    root = ask(phone, *["anna"] * 201, options=(span(NINE),)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "5")]


@pytest.mark.parametrize(("version", "option"), [("12.1", span(NINE)), ("14.0", element(Page.Picture))])
def test_options_of_later_versions(new_phone: MakePhone, version: str, option: Element) -> None:
    phone = new_phone(version)
    phone.provision()
    root = ask(phone, "anna", options=(option,)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "5")]


def test_it_needs_a_policy_key_and_a_body(new_phone: MakePhone) -> None:
    phone = new_phone("12.1")
    assert ask(phone, "anna").code == 449
    phone.provision()
    assert phone.post("ResolveRecipients").code == 400
