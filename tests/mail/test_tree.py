"""Raw parts: taken apart along a structure, put together again."""

from __future__ import annotations

import pytest

from gateway.mail import tree
from gateway.types import BodyPart
from tests.support.mailboxes import structure_of

NESTED = (
    b'Subject: s\r\nContent-Type: multipart/mixed;\r\n boundary="a b"\r\n\r\npreamble\r\n'
    b"--a b \r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
    b"--in\r\n\r\nplain\r\n--in-not\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>\r\n--in--\r\n\r\n"
    b"--a b\r\nContent-Type: x/y\r\n\r\n\r\ndata\r\n--a b--\r\nepilogue\r\n"
)


def test_the_leaves_are_those_of_the_structure() -> None:
    structure, sections = structure_of(NESTED)
    root = tree.read(NESTED, structure)
    assert [(leaf.origin, leaf.raw) for leaf in tree.leaves(root)] == [
        ("1.1", b"plain\r\n--in-not"),
        ("1.2", b"<p>"),
        ("2", b"\r\ndata"),
    ]
    assert all(sections[leaf.origin] == leaf.raw for leaf in tree.leaves(root))
    assert [section for section, _ in tree.numbered(root)] == ["1.1", "1.2", "2"]


def test_what_is_not_changed_comes_out_as_it_was() -> None:
    root = tree.read(NESTED, structure_of(NESTED)[0])
    assert tree.serialise(root, "new") == NESTED
    assert tree.without(root, []) is root


def test_a_part_less() -> None:
    root = tree.read(NESTED, structure_of(NESTED)[0])
    plain, page, data = tree.leaves(root)
    less = tree.without(root, [page])
    assert less is not None
    made = tree.serialise(less, "new")
    assert [leaf.raw for leaf in tree.leaves(tree.read(made, structure_of(made)[0]))] == [plain.raw, data.raw]
    assert b"preamble" not in made
    only = tree.without(root, [plain, page])
    assert only is not None
    assert [section for section, _ in tree.numbered(only)] == ["1"]
    assert tree.without(root, [plain, page, data]) is None


def test_parameters_stay_when_the_boundary_changes() -> None:
    raw = (
        b'Content-Type: multipart/related; type="text/html;x"; boundary=b; start="<1>"\r\n\r\n'
        b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
    )
    root = tree.read(raw, structure_of(raw)[0])
    less = tree.without(root, [next(tree.leaves(root))])
    assert less is not None
    made = structure_of(tree.serialise(less, "new"))[0]
    assert (made.params["type"], made.params["start"]) == ("text/html;x", "<1>")
    assert made.params["boundary"] == "new_related"


@pytest.mark.parametrize(
    "raw",
    [b"", b"\r\n", b"no header", b"a: b", b"a: b\r\n\r\n", b"\r\nbody", b": \r\n\tx\r\n\r\nbody"],
)
def test_anything_is_read(raw: bytes) -> None:
    root = tree.read(raw, BodyPart("1", "text", "plain"))
    assert [leaf.origin for leaf in tree.leaves(root)] == ["1"]
    mixed = BodyPart("", "multipart", "mixed", {"boundary": "b"}, children=(BodyPart("1", "text", "plain"),))
    assert tree.read(raw, mixed).children == []
