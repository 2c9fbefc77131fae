"""The element tree."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given

from tests.wbxml.strategies import trees
from wbxml import Element, Utf8, element
from wbxml.pages import AirSync, AirSyncBase, ComposeMail, Email


def test_build_step_by_step() -> None:
    root = Element(AirSync.Sync)
    collection = root.add(AirSync.Collections).add(AirSync.Collection)
    collection.add(AirSync.SyncKey, "1")
    status = Element(AirSync.Status, "1")
    assert collection.append(status) is status
    collection.extend([Element(AirSync.MoreAvailable), Element(AirSync.Commands)])
    assert [child.tag for child in collection] == [
        AirSync.SyncKey,
        AirSync.Status,
        AirSync.MoreAvailable,
        AirSync.Commands,
    ]
    assert len(collection) == 4


def test_build_at_once() -> None:
    built = element(
        AirSync.Collection,
        element(AirSync.SyncKey, "1"),
        None,
        element(AirSync.Status, 1),
        element(AirSync.GetChanges, False),
        element(AirSync.MoreAvailable),
        element(ComposeMail.Mime, b"x"),
    )
    assert [child.value for child in built] == ["1", "1", "0", None, b"x"]
    assert built.value is None


def test_children_or_one_value() -> None:
    with pytest.raises(TypeError, match="AirSync:Status"):
        element(AirSync.Status, "1", "2")
    with pytest.raises(TypeError, match="AirSync:Status"):
        element(AirSync.Status, "1", element(AirSync.Status))


def test_find() -> None:
    first, second = Element(AirSync.Status, "1"), Element(AirSync.Status, "2")
    root = element(AirSync.Sync, element(AirSync.Collections, first), first, second)
    assert root.find(AirSync.Status) is first
    assert root.findall(AirSync.Status) == [first, second]
    assert root.find(Email.Status) is None
    assert root.findall(Email.Status) == []


def test_find_is_true_for_an_empty_element() -> None:
    root = element(AirSync.Collection, element(AirSync.GetChanges))
    assert root.find(AirSync.GetChanges)


@pytest.mark.parametrize(
    ("value", "text", "data"),
    [
        (None, "", b""),
        ("grün", "grün", b"gr\xc3\xbcn"),
        (b"gr\xc3\xbcn", "grün", b"gr\xc3\xbcn"),
        (b"\xff!", "\ufffd!", b"\xff!"),
    ],
)
def test_value_as_text_and_bytes(value: str | bytes | None, text: str, data: bytes) -> None:
    node = Element(AirSyncBase.Data, value)
    assert node.text() == text
    assert node.data() == data


def test_text_by_its_octets() -> None:
    node = Element(AirSync.SyncKey, Utf8("grün".encode()))
    assert node.text() == "grün"
    assert node.data() == "grün".encode()
    assert node == Element(AirSync.SyncKey, "grün")
    assert node != Element(AirSync.SyncKey, "grün".encode())
    assert Element(AirSync.SyncKey, Utf8(b"")) == Element(AirSync.SyncKey)
    assert repr(node) == "<AirSync:SyncKey 'grün'>"


def test_child_text() -> None:
    root = element(AirSync.Collection, element(AirSync.Status, "1"), element(AirSync.GetChanges))
    assert root.child_text(AirSync.Status) == "1"
    assert root.child_text(AirSync.GetChanges) == ""
    assert root.child_text(AirSync.GetChanges, "1") == ""
    assert root.child_text(AirSync.SyncKey) is None
    assert root.child_text(AirSync.SyncKey, "0") == "0"


def test_iter_goes_in_document_order() -> None:
    root = element(AirSync.Sync, element(AirSync.Commands, element(AirSync.Add)), element(AirSync.Status))
    assert [node.tag for node in root.iter()] == [
        AirSync.Sync,
        AirSync.Commands,
        AirSync.Add,
        AirSync.Status,
    ]


def test_equality() -> None:
    def build(value: str | None = "1") -> Element:
        return element(AirSync.Sync, element(AirSync.Status, value), element(AirSync.Commands))

    assert build() == build()
    assert build("") == build(None)
    assert build() != build("2")
    assert build() != element(Email.Status, *build())
    assert build() != element(AirSync.Sync, element(AirSync.Status, "1"))
    assert Element(AirSync.Status, "1") != Element(AirSync.Status, b"1")
    assert build() != "1"
    shared = build()
    assert element(AirSync.Sync, shared, shared) == element(AirSync.Sync, shared, build())


@given(trees)
def test_a_copy_is_equal(tree: Element) -> None:
    assert copy.deepcopy(tree) == tree


def test_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Element(AirSync.Sync))


def test_repr() -> None:
    assert repr(element(AirSync.Sync)) == "<AirSync:Sync>"
    assert repr(element(AirSync.Status, 1)) == "<AirSync:Status '1'>"
    assert (
        repr(element(AirSync.Sync, element(AirSync.Status, 1), element(Email.Flag)))
        == "<AirSync:Sync [AirSync:Status, Email:Flag]>"
    )


def test_repr_stays_short() -> None:
    assert repr(Element(AirSyncBase.Data, "a" * 1000)).endswith("... 1000 characters>")
    assert repr(Element(AirSyncBase.Data, b"a" * 1000)).endswith("... 1000 bytes>")
    many = element(AirSync.Commands, *[element(AirSync.Add) for _ in range(1000)])
    assert repr(many).endswith("... 1000 in all]>")
    assert len(repr(many)) < 250


def test_a_deep_tree_needs_no_stack() -> None:
    def chain() -> Element:
        root = node = Element(AirSync.Sync)
        for _ in range(100_000):
            node = node.add(AirSync.Add)
        return root

    assert chain() == chain()
    assert sum(1 for _ in chain().iter()) == 100_001
    assert repr(chain()) == "<AirSync:Sync [AirSync:Add]>"
