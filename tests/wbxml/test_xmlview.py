"""Trees shown as XML, and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from lxml import etree

from tests.wbxml.strategies import trees
from tests.wbxml.vectors import VECTORS, Vector
from wbxml import Element, EncodeError, Tag, Utf8, decode, element
from wbxml.pages import AirSync, AirSyncBase, ComposeMail, Email, Email2, resolve
from wbxml.xmlview import from_xml, pretty, to_xml


def _content(xml: etree._Element) -> list[tuple[str, str]]:
    return [(str(node.tag), (node.text or "").strip()) for node in xml.iter("{*}*")]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_golden_documents(vector: Vector) -> None:
    assert _content(to_xml(decode(vector.wire))) == _content(etree.fromstring(vector.xml))


@given(trees)
def test_there_and_back(tree: Element) -> None:
    assert from_xml(to_xml(tree)) == tree


@given(trees)
def test_there_and_back_as_text(tree: Element) -> None:
    assert from_xml(etree.fromstring(pretty(tree))) == tree


def test_namespaces() -> None:
    tree = element(
        AirSync.Sync, element(AirSyncBase.Body), element(resolve(30, 5)), element(resolve(0, 0x3F))
    )
    assert etree.tostring(to_xml(tree), encoding="unicode") == (
        '<Sync xmlns="AirSync" xmlns:airsyncbase="AirSyncBase" xmlns:page30="Page30">'
        "<airsyncbase:Body/><page30:Unknown05/><Unknown3F/></Sync>"
    )


@pytest.mark.parametrize(
    ("tag", "value", "text", "encoding"),
    [
        (Email.Subject, "a & b", "a & b", None),
        (Email.Subject, " ", " ", None),
        (Email.Subject, "a\x01", "YQE=", "base64-text"),
        (Email.Subject, "a\ud800", "Ye2ggA==", "base64-text"),
        (Email.Subject, b"abc", "YWJj", "base64"),
        (Email2.ConversationId, b"abc", "YWJj", None),
        (Email2.ConversationId, "abc", "abc", "text"),
        (Email2.ConversationId, "a\x01", "YQE=", "base64-text"),
        (Email.Subject, None, None, None),
    ],
)
def test_values(tag: Tag, value: str | bytes | None, text: str | None, encoding: str | None) -> None:
    shown = to_xml(Element(tag, value))
    assert (shown.text, shown.get("encoding")) == (text, encoding)
    assert from_xml(shown) == Element(tag, value)


def test_text_by_its_octets() -> None:
    root = Element(AirSync.SyncKey, Utf8("grün".encode()))
    assert pretty(root) == pretty(Element(AirSync.SyncKey, "grün"))
    assert "4 characters" in pretty(root, lambda _, value: f"{len(value)} characters")


def test_a_value_beside_children() -> None:
    tree = Element(AirSync.Sync, "1", [Element(AirSync.Status, "2")])
    assert from_xml(to_xml(tree)) == tree


def test_pretty() -> None:
    tree = element(AirSync.Sync, element(AirSync.Status, "1"), element(Email.Subject, "<ü>"))
    assert pretty(tree) == (
        '<Sync xmlns="AirSync" xmlns:email="Email">\n'
        "  <Status>1</Status>\n"
        "  <email:Subject>&lt;ü&gt;</email:Subject>\n"
        "</Sync>"
    )


def test_pretty_redacts() -> None:
    def redact(tag: Tag, value: str | bytes) -> str | bytes:
        return f"({len(value)})" if tag in {ComposeMail.Mime, Email.Subject} else value

    tree = element(
        ComposeMail.SendMail,
        element(ComposeMail.ClientId, "1"),
        element(ComposeMail.Mime, b"secret"),
        element(Email.Subject, "secret"),
        element(Email.To),
    )
    shown = pretty(tree, redact)
    assert "secret" not in shown
    assert '<Mime encoding="text">(6)</Mime>' in shown
    assert "<email:Subject>(6)</email:Subject>" in shown
    assert "<ClientId>1</ClientId>" in shown
    assert "<email:To/>" in shown
    assert tree.find(ComposeMail.Mime) == Element(ComposeMail.Mime, b"secret")


def test_layout_and_comments_are_no_content() -> None:
    source = """<Sync xmlns="AirSync"><!-- a --> <?pi?>
        <Status>1<!-- b -->2</Status> <!-- c -->
    </Sync>"""
    assert from_xml(etree.fromstring(source)) == element(AirSync.Sync, element(AirSync.Status, "12"))


def test_base64_may_be_wrapped() -> None:
    source = '<Mime xmlns="ComposeMail">\n  YW\n  Jj\n</Mime>'
    assert from_xml(etree.fromstring(source)) == Element(ComposeMail.Mime, b"abc")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<Sync/>", "no tag is called Sync"),
        ('<Sink xmlns="AirSync"/>', "no tag is called {AirSync}Sink"),
        ('<Sync xmlns="AirSync"><Sink/></Sync>', "no tag is called {AirSync}Sink"),
        ('<Sync xmlns="AirSync"><Status/>1</Sync>', "AirSync:Sync: text after a child element"),
        ('<Sync xmlns="AirSync"><Status/><!-- a -->1</Sync>', "AirSync:Sync: text after a child element"),
        ('<Mime xmlns="ComposeMail">a</Mime>', "ComposeMail:Mime: the value is not base64"),
        ('<Mime xmlns="ComposeMail">ü</Mime>', "ComposeMail:Mime: the value is not base64"),
        (
            '<Mime xmlns="ComposeMail" encoding="hex">00</Mime>',
            "ComposeMail:Mime: encoding 'hex' is not known",
        ),
        (
            '<Sync xmlns="AirSync" encoding="base64-text">/w==</Sync>',
            "AirSync:Sync: the value is not base64-text",
        ),
    ],
)
def test_what_is_no_tree(source: str, reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        from_xml(etree.fromstring(source))
    assert str(caught.value) == reason
