"""What the demo prints fits a terminal."""

from __future__ import annotations

import pytest

from gateway.demo import screen
from gateway.demo.items import File, Folder, Mail


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 5, "abcd…"),
        ("来週の", 6, "来週の"),
        ("来週の打", 6, "来週… "),
        ("e\u0301te", 3, "e\u0301te"),
    ],
)
def test_fit_counts_columns(text: str, columns: int, shown: str) -> None:
    assert screen.fit(text, columns) == shown


def test_folders_are_shown_as_a_tree(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show_folders(
        [Folder("1", "0", "Inbox", "2"), Folder("3", "2", "Below", "12"), Folder("2", "0", "Work", "12")]
    )
    assert capsys.readouterr().out.split("\n")[1:4] == ["        Inbox", "        Work", "          Below"]


def test_mails_show_sender_subject_and_files(capsys: pytest.CaptureFixture[str]) -> None:
    file = File("a.pdf", "ref", 2048, inline=False)
    screen.show_mails(
        [Mail("5:1", '"Ann" <ann@example.test>', "Plan", "2026-03-01T09:15:00.000Z", "Hello", False, (file,))]
    )
    out = capsys.readouterr().out
    assert "• Ann " in out
    assert "Plan" in out
    assert "files: a.pdf (2.0 KiB)" in out


def test_the_table_counts_what_passed(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show_table([screen.Step("one", True, "", 10), screen.Step("two", False, "", 90)])
    out = capsys.readouterr().out
    assert "FAILED" in out
    assert "1 of 2 steps passed in 0.1 s" in out
