"""The trace of somebody of whom nothing comes."""

from __future__ import annotations

from tests.cli.conftest import Run


def test_it_is_told_what_is_waited_for_and_that_the_name_may_be_mistyped(run: Run) -> None:
    traced = run("trace", "ana@example.com", "--seconds", "1")
    assert traced.stdout == ""
    assert "no phone of ana@example.com has used the gateway yet" in traced.stderr
    assert "waits for requests of ana@example.com, until Ctrl-C or for 1 s" in traced.stderr
    shown = run("trace", "ana@example.com", "--show")
    assert "no phone of ana@example.com" in shown.stderr
    assert "waits" not in shown.stderr
