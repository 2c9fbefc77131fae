"""Text and attachments from the structure. The corpus has whole messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.structure import Nature, lay_out
from gateway.types import BodyPart

PLAIN = BodyPart("1", "text", "plain", size=5)
HTML = BodyPart("2", "text", "html", size=5)
FILE = BodyPart("3", "application", "pdf", size=5)


def multipart(subtype: str, *children: BodyPart, **fields: object) -> BodyPart:
    return BodyPart("", "multipart", subtype, children=children, **fields)  # type: ignore[arg-type]


def test_both_forms_of_a_text_make_one_block() -> None:
    layout = lay_out(multipart("alternative", PLAIN, HTML))
    assert len(layout.blocks) == 1
    assert layout.parts(rich=True) == (HTML,)
    assert layout.parts(rich=False) == (PLAIN,)
    assert layout.has_html


def test_a_form_that_is_missing_is_taken_from_the_other() -> None:
    layout = lay_out(multipart("mixed", PLAIN, HTML))
    assert layout.parts(rich=True) == layout.parts(rich=False) == (PLAIN, HTML)


def test_the_last_html_and_the_first_plain_text_are_best() -> None:
    other_html = BodyPart("4", "text", "html")
    other_plain = BodyPart("5", "text", "plain")
    layout = lay_out(multipart("alternative", PLAIN, other_plain, HTML, other_html))
    assert layout.parts(rich=True) == (other_html,)
    assert layout.parts(rich=False) == (PLAIN,)
    assert layout.attachments == ()


def test_a_multipart_without_parts_is_nothing() -> None:
    layout = lay_out(multipart("mixed"))
    assert (layout.blocks, layout.attachments) == ((), ())


def test_attachments_are_bounded_in_number() -> None:
    layout = lay_out(multipart("mixed", *[FILE] * 10_000))
    assert (len(layout.attachments), layout.unlisted) == (500, 9_500)
    layout = lay_out(multipart("mixed", *[FILE] * 500))
    assert (len(layout.attachments), layout.unlisted) == (500, 0)


def test_a_very_deep_structure_ends_as_an_attachment() -> None:
    part = PLAIN
    for _ in range(900):
        part = BodyPart("1", "multipart", "mixed", children=(part,))
    (attachment,) = lay_out(part).attachments
    assert attachment.part.type == "multipart"


@pytest.mark.parametrize(
    ("disposition", "content_id", "subtype", "inline"),
    [
        (None, "<a>", "png", True),
        ("inline", "<a>", "png", True),
        ("attachment", "<a>", "png", True),
        (None, None, "png", False),
    ],
)
def test_pictures_beside_html_are_inline(
    disposition: str | None, content_id: str | None, subtype: str, inline: bool
) -> None:
    picture = BodyPart("2", "image", subtype, disposition=disposition, content_id=content_id)
    (attachment,) = lay_out(multipart("related", HTML, picture)).attachments
    assert attachment.inline is inline


def test_files_beside_html_are_inline_unless_called_attachments() -> None:
    file = BodyPart("2", "application", "pdf", content_id="<a>", disposition="attachment")
    (attachment,) = lay_out(multipart("related", HTML, file)).attachments
    assert not attachment.inline


def test_a_signature_of_another_kind_is_shown() -> None:
    signature = BodyPart("2", "application", "pgp-signature")
    layout = lay_out(multipart("signed", PLAIN, signature))
    assert layout.nature is Nature.MAIL
    assert [one.name for one in layout.attachments] == ["signature.asc"]


names = st.text(max_size=30) | st.sampled_from(["a.pdf", "..", "/", "a/b", "\udcff", ""])
leaves = st.builds(
    BodyPart,
    section=st.just("1"),
    type=st.sampled_from(["text", "image", "message", "application"]),
    subtype=st.sampled_from(
        ["plain", "html", "calendar", "rfc822", "pdf", "pkcs7-signature", "delivery-status"]
    ),
    params=st.dictionaries(
        st.sampled_from(["name", "name*", "name*0", "start", "charset"]), names, max_size=2
    ),
    content_id=st.none() | names,
    description=st.none() | names,
    disposition=st.sampled_from([None, "inline", "attachment", "odd"]),
    disposition_params=st.dictionaries(st.sampled_from(["filename", "filename*0*"]), names, max_size=1),
    location=st.none() | names,
)
trees = st.recursive(
    leaves,
    lambda children: st.builds(
        BodyPart,
        section=st.just("1"),
        type=st.just("multipart"),
        subtype=st.sampled_from(
            ["mixed", "alternative", "related", "signed", "report", "digest", "appledouble", "odd"]
        ),
        params=st.dictionaries(st.just("start"), names, max_size=1),
        children=st.lists(children, max_size=4).map(tuple),
    ),
    max_leaves=12,
)


@given(trees)
def test_every_structure_can_be_laid_out_and_nothing_is_both(tree: BodyPart) -> None:
    layout = lay_out(tree)
    shown = [*layout.parts(rich=True), *layout.parts(rich=False)]
    assert all(part.type == "text" for part in shown)
    assert not {id(one.part) for one in layout.attachments} & {id(part) for part in shown}
    for attachment in layout.attachments:
        assert attachment.name.strip()
        assert not set("/\\\r\n\x00") & set(attachment.name)
