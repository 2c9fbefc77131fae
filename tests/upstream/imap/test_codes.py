"""Response codes by name, and prose that only looks like one."""

from __future__ import annotations

import itertools

import pytest

from gateway.types import Uids
from gateway.upstream.imap.codes import parse_status_text
from gateway.upstream.imap.responses import AppendUid, CodeValue, CopyUid, ResponseCode

CASES: list[tuple[str, str, CodeValue]] = [
    ("UIDVALIDITY 3857529045", "UIDVALIDITY", 3857529045),
    ("UIDNEXT 4392", "UIDNEXT", 4392),
    ("highestmodseq 715194045007", "HIGHESTMODSEQ", 715194045007),
    ("UNSEEN 12", "UNSEEN", 12),
    ("NOMODSEQ", "NOMODSEQ", None),
    ("PERMANENTFLAGS (\\Deleted \\seen \\*)", "PERMANENTFLAGS", frozenset(("\\Deleted", "\\Seen", "\\*"))),
    ("PERMANENTFLAGS ()", "PERMANENTFLAGS", frozenset()),
    ("READ-WRITE", "READ-WRITE", None),
    ("APPENDUID 38505 3955", "APPENDUID", AppendUid(38505, Uids((3955,)))),
    ("APPENDUID 38505 3955:3957", "APPENDUID", AppendUid(38505, Uids((3955, 3956, 3957)))),
    ("MODIFIED 7,9", "MODIFIED", Uids((7, 9))),
    ("CLOSED", "CLOSED", None),
    ("TRYCREATE", "TRYCREATE", None),
    ("ALERT", "ALERT", None),
    ("OVERQUOTA", "OVERQUOTA", None),
    ("AUTHENTICATIONFAILED", "AUTHENTICATIONFAILED", None),
    ("NOTIFICATIONOVERFLOW", "NOTIFICATIONOVERFLOW", None),
    ("MAILBOXID (F2212ea87-6097)", "MAILBOXID", "F2212ea87-6097"),
    ("CAPABILITY IMAP4rev1 IDLE", "CAPABILITY", frozenset(("IMAP4REV1", "IDLE"))),
    ('BADCHARSET ("utf-8" US-ASCII)', "BADCHARSET", frozenset(("utf-8", "US-ASCII"))),
    ("BADCHARSET", "BADCHARSET", None),
    ("METADATA LONGENTRIES 2199", "METADATA", "LONGENTRIES 2199"),
    ('NEWNAME "a]b" c', "NEWNAME", '"a]b" c'),
    ("UIDNEXT soon", "UIDNEXT", "soon"),
    ("APPENDUID 1", "APPENDUID", "1"),
    ("APPENDUID 1 0", "APPENDUID", "1 0"),
    ("COPYUID 1 1:3 1:2", "COPYUID", "1 1:3 1:2"),
    ("COPYUID 1 1:* 1:2", "COPYUID", "1 1:* 1:2"),
    ("MODIFIED all", "MODIFIED", "all"),
    ("MAILBOXID x", "MAILBOXID", "x"),
    ("PERMANENTFLAGS x", "PERMANENTFLAGS", "x"),
]


@pytest.mark.parametrize(("inner", "name", "value"), CASES, ids=[inner for inner, _, _ in CASES])
def test_codes(inner: str, name: str, value: CodeValue) -> None:
    assert parse_status_text(f"[{inner}] the text") == (ResponseCode(name, value), "the text")


def test_copyuid_pairs_in_the_order_given() -> None:
    code, _ = parse_status_text("[COPYUID 38505 304,319:320,7 3956:3958,12] Done")
    assert code is not None
    assert isinstance(code.value, CopyUid)
    assert list(code.value.pairs()) == [(304, 3956), (319, 3957), (320, 3958), (7, 12)]


def test_copyuid_of_everything_stays_lazy() -> None:
    code, _ = parse_status_text("[COPYUID 1 1:4294967295 1:4294967295]")
    assert code is not None
    assert isinstance(code.value, CopyUid)
    assert list(itertools.islice(code.value.pairs(), 2)) == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    "text", ["", "no code", "[", "[]", "[open", "[A (", "[ ALERT] x", '[A "x] y', "x [ALERT]"]
)
def test_prose(text: str) -> None:
    assert parse_status_text(text) == (None, text)


def test_no_text_behind_the_code() -> None:
    assert parse_status_text("[ALERT]") == (ResponseCode("ALERT"), "")
