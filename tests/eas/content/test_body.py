"""Which body a phone gets: the selection rules one by one."""

from __future__ import annotations

import base64

import pytest

from gateway.eas.content.body import LARGEST_MIME, body_elements, plan_body, received
from gateway.eas.content.preferences import HTML, MIME, PLAIN, RTF, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.mail import rtf
from gateway.mail.structure import lay_out
from gateway.types import BodyPart
from tests.mail.corpus import SIGNATURE, TEXT, mail, multi, part
from tests.support.mailboxes import structure_of
from wbxml import Element
from wbxml.pages import AirSyncBase

LONG_TEXT = "words " * 50
LONG_HTML = f"<p>{LONG_TEXT}</p>"
PLAIN_MAIL = mail(part("text/plain", LONG_TEXT.encode()))
HTML_MAIL = mail(part("text/html", LONG_HTML.encode()))
BOTH_MAIL = mail(multi("alternative", part("text/plain", LONG_TEXT), part("text/html", LONG_HTML)))
SIGNED_MAIL = mail(multi("signed", TEXT, SIGNATURE))
SEALED_MAIL = mail(part("application/pkcs7-mime; smime-type=enveloped-data", "sealed"))


def bodies(raw: bytes, options: BodyOptions, version: Version = Version.V16_1) -> list[Element]:
    structure, sections = structure_of(raw)
    plan = plan_body(lay_out(structure), len(raw), options, version)
    answers = {name: sections[name][:limit] for name, limit in plan.sections.items()}
    return body_elements(plan, received(plan, answers), version)


def body(raw: bytes, *preferences: BodyPreference, version: Version = Version.V16_1) -> dict[str, str]:
    (made,) = bodies(raw, BodyOptions(preferences), version)
    assert made.tag is AirSyncBase.Body
    return {child.tag.name: child.text() for child in made}


def mime(raw: bytes, support: int | None, *preferences: BodyPreference) -> str:
    (made,) = bodies(raw, BodyOptions(preferences, support))
    return made.child_text(AirSyncBase.Type) or ""


def test_the_native_form_comes_first_whatever_the_order() -> None:
    for order in ((HTML, PLAIN), (PLAIN, HTML)):
        preferences = [BodyPreference(kind) for kind in order]
        assert body(BOTH_MAIL, *preferences)["Type"] == "2"
        assert body(PLAIN_MAIL, *preferences)["Type"] == "1"


def test_the_native_form_is_cut_at_its_own_size() -> None:
    got = body(HTML_MAIL, BodyPreference(PLAIN, 10), BodyPreference(HTML, 20))
    assert got == {"Type": "2", "EstimatedDataSize": "307", "Truncated": "1", "Data": LONG_HTML[:20]}


def test_all_or_none_passes_on_to_the_next_form() -> None:
    got = body(HTML_MAIL, BodyPreference(HTML, 50, True), BodyPreference(PLAIN, 50))
    assert got["Type"] == "1"
    assert got["Data"] == LONG_TEXT[:50]
    assert got["Truncated"] == "1"


def test_all_or_none_is_nothing_to_a_body_that_fits() -> None:
    got = body(HTML_MAIL, BodyPreference(HTML, 307, True), BodyPreference(PLAIN, 50))
    assert got == {"Type": "2", "EstimatedDataSize": "307", "Data": LONG_HTML}


def test_all_or_none_without_a_size_is_ignored() -> None:
    assert body(HTML_MAIL, BodyPreference(HTML, None, True))["Data"] == LONG_HTML


def test_all_or_none_everywhere_gives_no_data() -> None:
    got = body(HTML_MAIL, BodyPreference(HTML, 50, True), BodyPreference(PLAIN, 50, True))
    assert got == {"Type": "2", "EstimatedDataSize": "307", "Truncated": "1"}


def test_other_forms_are_converted() -> None:
    assert body(HTML_MAIL, BodyPreference(PLAIN))["Data"] == LONG_TEXT.strip()
    assert "<body>words words" in body(PLAIN_MAIL, BodyPreference(HTML))["Data"]


def test_no_preference_gives_plain_text() -> None:
    assert body(HTML_MAIL) == {"Type": "1", "EstimatedDataSize": "299", "Data": LONG_TEXT.strip()}


def test_rich_text_is_made_of_the_text() -> None:
    made = body(HTML_MAIL, BodyPreference(RTF))
    assert made["Type"] == "3"
    data = base64.b64decode(made["Data"])
    assert rtf.read(data).text.split() == LONG_TEXT.split()
    assert int(made["EstimatedDataSize"]) == len(made["Data"])
    assert "Truncated" not in made
    assert body(HTML_MAIL, BodyPreference(RTF), BodyPreference(HTML))["Type"] == "2"


def test_forms_come_in_the_order_of_the_phone() -> None:
    assert body(HTML_MAIL, BodyPreference(RTF), BodyPreference(PLAIN))["Type"] == "3"
    assert body(HTML_MAIL, BodyPreference(PLAIN), BodyPreference(RTF))["Type"] == "1"
    assert body(PLAIN_MAIL, BodyPreference(RTF), BodyPreference(HTML))["Type"] == "3"
    assert body(PLAIN_MAIL, BodyPreference(HTML), BodyPreference(PLAIN))["Type"] == "1"


def test_in_place_of_a_form_too_long_comes_the_one_with_most_text() -> None:
    native = BodyPreference(HTML, 50, True)
    assert body(HTML_MAIL, native, BodyPreference(PLAIN, 40), BodyPreference(RTF, 400))["Type"] == "3"
    assert body(HTML_MAIL, native, BodyPreference(PLAIN), BodyPreference(RTF, 400))["Type"] == "1"


@pytest.mark.parametrize("limit", [0, 10, 90, 150, 300])
def test_rich_text_that_is_cut_can_be_read(limit: int) -> None:
    raw = mail(part("text/plain; charset=utf-8", ("Grüße " * 50).encode()))
    made = body(raw, BodyPreference(RTF, limit))
    assert made["Truncated"] == "1"
    if limit < 150:
        assert "Data" not in made
        return
    data = base64.b64decode(made["Data"])
    assert len(made["Data"]) <= limit < int(made["EstimatedDataSize"])
    assert ("Grüße " * 50).startswith(rtf.read(data).text)


def test_a_size_of_zero_gives_no_data() -> None:
    assert body(PLAIN_MAIL, BodyPreference(PLAIN, 0)) == {
        "Type": "1",
        "EstimatedDataSize": "300",
        "Truncated": "1",
    }


def test_an_empty_body_is_present_and_whole() -> None:
    for options in (BodyPreference(PLAIN), BodyPreference(PLAIN, 0), BodyPreference(PLAIN, 9, True)):
        got = body(mail(part("text/plain", "")), options)
        assert (got["Type"], got["EstimatedDataSize"], "Truncated" in got) == ("1", "0", False)


def test_a_body_as_long_as_the_size_is_whole() -> None:
    assert "Truncated" not in body(PLAIN_MAIL, BodyPreference(PLAIN, 300))
    assert body(PLAIN_MAIL, BodyPreference(PLAIN, 299))["Truncated"] == "1"


@pytest.mark.parametrize(
    ("raw", "support", "kind"),
    [
        (PLAIN_MAIL, 0, "1"),
        (PLAIN_MAIL, 1, "1"),
        (PLAIN_MAIL, 2, "4"),
        (BOTH_MAIL, 1, "2"),
        (SIGNED_MAIL, 0, "1"),
        (SIGNED_MAIL, 1, "4"),
        (SEALED_MAIL, 1, "4"),
        (SEALED_MAIL, 0, "1"),
        (SEALED_MAIL, None, "1"),
    ],
)
def test_mime_is_given_as_far_as_it_is_supported(raw: bytes, support: int | None, kind: str) -> None:
    assert mime(raw, support, BodyPreference(MIME), BodyPreference(HTML), BodyPreference(PLAIN)) == kind


def test_a_phone_that_names_mime_alone_gets_it_unless_it_says_no() -> None:
    assert mime(PLAIN_MAIL, None, BodyPreference(MIME)) == "4"
    assert mime(PLAIN_MAIL, 0, BodyPreference(MIME)) == "1"
    assert mime(HTML_MAIL, 0, BodyPreference(MIME)) == "2"


def test_mime_is_the_message_itself() -> None:
    (made,) = bodies(BOTH_MAIL, BodyOptions((BodyPreference(MIME),), 2))
    assert made.child_text(AirSyncBase.Data) == BOTH_MAIL.decode()
    assert made.child_text(AirSyncBase.EstimatedDataSize) == str(len(BOTH_MAIL))
    assert made.find(AirSyncBase.Truncated) is None


@pytest.mark.parametrize(("truncation", "size"), [(None, 100), (0, 0), (1, 4096)])
def test_mime_is_cut_where_the_phone_says(truncation: int | None, size: int) -> None:
    raw = mail(part("text/plain", "x" * 9000))
    (made,) = bodies(raw, BodyOptions((BodyPreference(MIME, 100),), 2, truncation))
    assert (made.child_text(AirSyncBase.Data) or "").encode() == raw[:size]
    assert made.child_text(AirSyncBase.Truncated) == "1"
    assert made.child_text(AirSyncBase.EstimatedDataSize) == str(len(raw))


def test_mime_that_must_be_whole_and_is_too_long_is_passed_over() -> None:
    options = BodyOptions((BodyPreference(MIME, 100, True), BodyPreference(PLAIN)), 2)
    (made,) = bodies(PLAIN_MAIL, options)
    assert made.child_text(AirSyncBase.Type) == "1"


def test_a_huge_message_is_not_fetched_whole() -> None:
    layout = lay_out(BodyPart("1", "text", "plain", size=10**9))
    plan = plan_body(layout, 10**9, BodyOptions((BodyPreference(MIME),), 2), Version.V16_1)
    assert plan.sections == {"": LARGEST_MIME}


def test_previews() -> None:
    assert body(HTML_MAIL, BodyPreference(HTML, 20, preview=8))["Preview"] == "words wo"[:8]
    assert body(HTML_MAIL, BodyPreference(HTML, 0, preview=8))["Preview"] == "words wo"
    assert body(PLAIN_MAIL, BodyPreference(PLAIN, 0, preview=8))["Preview"] == "words wo"
    assert "Preview" not in body(PLAIN_MAIL, BodyPreference(PLAIN, 20, preview=8))
    assert "Preview" not in body(HTML_MAIL, BodyPreference(HTML, 20, preview=8), version=Version.V12_1)
    (made,) = bodies(BOTH_MAIL, BodyOptions((BodyPreference(MIME, 50, preview=8),), 2))
    assert made.child_text(AirSyncBase.Preview) == "words wo"


def test_body_parts() -> None:
    part_wanted = BodyPreference(HTML, 20)
    both = bodies(HTML_MAIL, BodyOptions((BodyPreference(PLAIN, 5),), part=part_wanted), Version.V14_1)
    assert [made.tag for made in both] == [AirSyncBase.Body, AirSyncBase.BodyPart]
    assert [child.text() for child in both[1]] == ["1", "2", "307", "1", LONG_HTML[:20]]
    (only,) = bodies(HTML_MAIL, BodyOptions(part=part_wanted), Version.V14_1)
    assert only.tag is AirSyncBase.BodyPart
    (older,) = bodies(HTML_MAIL, BodyOptions(part=part_wanted), Version.V14_0)
    assert older.tag is AirSyncBase.Body


def test_a_body_part_that_must_be_whole_and_is_too_long_has_no_data() -> None:
    for size, given in ((50, False), (5000, True)):
        wanted = BodyOptions(part=BodyPreference(HTML, size, True, preview=5))
        (made,) = bodies(HTML_MAIL, wanted, Version.V14_1)
        assert (made.find(AirSyncBase.Data) is not None) is given
        assert (made.child_text(AirSyncBase.Truncated) == "1") is not given
        assert made.child_text(AirSyncBase.Preview) == "words"


def test_text_of_sealed_mail_is_empty() -> None:
    assert body(SEALED_MAIL, BodyPreference(HTML)) == {"Type": "2", "EstimatedDataSize": "0", "Data": ""}


def test_only_what_is_needed_is_planned() -> None:
    layout = lay_out(structure_of(BOTH_MAIL)[0])
    one = plan_body(layout, 1000, BodyOptions((BodyPreference(HTML), BodyPreference(PLAIN))), Version.V16_1)
    assert list(one.sections) == ["2"]
    either = BodyOptions((BodyPreference(HTML, 50, True), BodyPreference(PLAIN, 50)))
    assert sorted(plan_body(layout, 1000, either, Version.V16_1).sections) == ["1", "2"]
