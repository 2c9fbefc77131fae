"""Responses about mailboxes."""

from __future__ import annotations

import pytest

from gateway.upstream.imap.responses import (
    List,
    Namespace,
    NamespaceEntry,
    Response,
    StatusData,
    Unparsed,
)
from tests.upstream.imap.reading import read, read_one

CASES: list[tuple[str, Response]] = [
    ('* LIST () "/" a', List(frozenset(), "/", "a", "a")),
    (
        '* LIST (\\NOSELECT \\hasChildren \\X) "." "Entw&APw-rfe"',
        List(frozenset(("\\Noselect", "\\HasChildren", "\\X")), ".", "Entwürfe", "Entw&APw-rfe"),
    ),
    ("* LIST () NIL inbox", List(frozenset(), None, "INBOX", "inbox")),
    ('* LIST () "" flat', List(frozenset(), None, "flat", "flat")),
    ('* LIST () "\\\\" "a\\\\b \\"c\\""', List(frozenset(), "\\", 'a\\b "c"', 'a\\b "c"')),
    ("* LIST () NIL NIL", List(frozenset(), None, "NIL", "NIL")),
    ('* LIST () "/" [Gmail]/All', List(frozenset(), "/", "[Gmail]/All", "[Gmail]/All")),
    (
        '* LIST (\\Subscribed) "/" new ("OLDNAME" ("&APw-") CHILDINFO ("subscribed") X-SIZE (1 (2)))',
        List(
            frozenset(("\\Subscribed",)),
            "/",
            "new",
            "new",
            old_name="ü",
        ),
    ),
    ('* LIST () "/" a NIL', List(frozenset(), "/", "a", "a")),
    ('* XLIST (\\Sent) "/" s', List(frozenset(("\\Sent",)), "/", "s", "s")),
    (
        '* STATUS "a b" (MESSAGES 231 uidnext 44292 HIGHESTMODSEQ 7011231777 MAILBOXID (F1) APPENDLIMIT NIL)',
        StatusData("a b", "a b", {"MESSAGES": 231, "UIDNEXT": 44292, "HIGHESTMODSEQ": 7011231777}, "F1"),
    ),
    ("* STATUS Inbox ()", StatusData("INBOX", "Inbox", {})),
    (
        '* NAMESPACE (("" "/")) NIL (("Public/&APw-/" "/" "X-PARAM" ("FLAG"))("~" NIL))',
        Namespace(
            (NamespaceEntry("", "/"),), (), (NamespaceEntry("Public/ü/", "/"), NamespaceEntry("~", None))
        ),
    ),
]


@pytest.mark.parametrize(("line", "expected"), CASES, ids=[line for line, _ in CASES])
def test_responses(line: str, expected: Response) -> None:
    assert read_one(line) == expected


def test_names_are_utf8_once_enabled() -> None:
    assert read_one('* LIST () "/" "Entwürfe &APw-"', utf8=True) == List(
        frozenset(), "/", "Entwürfe &APw-", "Entwürfe &APw-"
    )


def test_a_name_that_is_no_text_keeps_its_octets() -> None:
    (found,) = read(b"* LIST () NIL {3}\r\na\xff\xfe\r\n")
    assert isinstance(found, List)
    assert found.raw_name.encode("utf-8", "surrogateescape") == b"a\xff\xfe"


@pytest.mark.parametrize(
    "line",
    [
        "* LIST",
        "* LIST ()",
        '* LIST () "/" a b c',
        '* LIST () "/" a (X)',
        '* LIST () ("/") a',
        '* LIST NIL "/" (a)',
        "* STATUS a",
        "* STATUS a (MESSAGES)",
        "* STATUS a (MESSAGES x)",
        "* STATUS a (MESSAGES -1)",
        "* NAMESPACE NIL NIL",
        '* NAMESPACE ("" "/") NIL NIL',
        "* NAMESPACE x NIL NIL",
        '* QUOTA "" (STORAGE 10 512)',
    ],
)
def test_what_is_not_read(line: str) -> None:
    assert isinstance(read_one(line), Unparsed)
