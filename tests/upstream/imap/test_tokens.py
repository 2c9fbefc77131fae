"""The general syntax: values, nesting, and what is read before a fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.imap.responses import Node
from gateway.upstream.imap.tokens import MAX_DEPTH, Fault, number, parse_nodes, required_text, text_of, whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a  b ", ["a", "b"]),
        ('NIL nil "NIL" nile', [None, None, "NIL", "nile"]),
        ('"" "a b" "\\"\\\\" "é)"', ["", "a b", '"\\', "é)"]),
        ("(a (b) ())c", [["a", ["b"], []], "c"]),
        ("\\Seen \\* [x] {5+} a]b", ["\\Seen", "\\*", "[x]", "{5+}", "a]b"]),
        ("(x \n)\n", [["x", b"1"], b"2"]),
        ('("a" "b c")("d"  "e") ("f" g)', [["a", "b c"], ["d", "e"], ["f", "g"]]),
        ("BODY[HEADER.FIELDS (TO CC)]<0> x", ["BODY[HEADER.FIELDS (TO CC)]<0>", "x"]),
        ("BODY[HEADER.FIELDS (TO) x", ["BODY[HEADER.FIELDS", ["TO"], "x"]),
    ],
)
def test_values(text: str, expected: list[Node]) -> None:
    assert whole(text, (b"1", b"2")) == expected


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ('a "b', ["a"], "unreadable"),
        ("(a (b", [["a", ["b"]]], "not closed"),
        ("(a)) b", [["a"]], "too many"),
        ("a \0 b", ["a"], "unreadable"),
        ("a\rb", ["a"], "unreadable"),
    ],
)
def test_what_was_read_before_a_fault(text: str, expected: list[Node], reason: str) -> None:
    nodes, fault = parse_nodes(text, ())
    assert nodes == expected
    assert reason in (fault or "")
    with pytest.raises(Fault, match=reason):
        whole(text, ())


def test_the_deepest_nesting() -> None:
    assert whole("(" * MAX_DEPTH + ")" * MAX_DEPTH, ())
    with pytest.raises(Fault, match="deep"):
        whole("(" * (MAX_DEPTH + 1) + ")" * (MAX_DEPTH + 1), ())
    with pytest.raises(Fault, match="deep"):
        whole("(" * MAX_DEPTH + '("a")' + ")" * MAX_DEPTH, ())


_text = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))
_tree: st.SearchStrategy[Node] = st.recursive(st.none() | _text | st.binary(), st.lists, max_leaves=20)


def written(node: Node, literals: list[bytes]) -> str:
    if node is None:
        return "NIL"
    if isinstance(node, bytes):
        literals.append(node)
        return "\n"
    if isinstance(node, list):
        return f"({' '.join(written(each, literals) for each in node)})"
    return '"' + node.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.lists(_tree))
def test_what_is_written_is_read(nodes: list[Node]) -> None:
    literals: list[bytes] = []
    assert whole(" ".join(written(node, literals) for node in nodes), literals) == nodes


@given(st.text())
def test_any_text_gives_values_or_a_fault(text: str) -> None:
    nodes, fault = parse_nodes(text.replace("\n", ""), ())
    if fault is None:
        assert whole(" ".join(written(node, []) for node in nodes), ()) == nodes


def test_texts_and_numbers() -> None:
    assert [text_of("a"), text_of(b"\xc3\xbc\xff"), text_of(None)] == ["a", "ü\udcff", None]
    assert required_text(None) == "NIL"
    assert [number("0"), number(b"17"), number("9223372036854775807")] == [0, 17, 2**63 - 1]
    with pytest.raises(Fault):
        text_of([])


@pytest.mark.parametrize(
    "value", [None, "", "-1", "+1", " 1", "1_0", "١", "²", "1.0", [], "9223372036854775808", "9" * 5000]
)
def test_what_is_no_number(value: Node) -> None:
    with pytest.raises(Fault):
        number(value)
