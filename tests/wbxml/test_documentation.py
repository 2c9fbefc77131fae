"""The examples in the package docstring and its README run, and state the limits as they are."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import wbxml
from wbxml.decoder import MAX_DEPTH, MAX_ELEMENTS, MAX_SIZE

README = (Path(wbxml.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_docstring() -> None:
    assert doctest.testmod(wbxml).attempted == 5
    assert doctest.testmod(wbxml).failed == 0


def test_readme(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example
    exec(compile(example[1], "README.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out == "1\n"


def test_limits() -> None:
    limits = (
        f"`max_size` ({MAX_SIZE >> 20} MiB), `max_depth` ({MAX_DEPTH}), `max_elements`\n  ({MAX_ELEMENTS:,})"
    )
    assert limits in README
    assert wbxml.__doc__
    assert f"at most {MAX_SIZE >> 20} MiB, {MAX_DEPTH} elements inside each other" in wbxml.__doc__
    assert f"{MAX_ELEMENTS:,} elements" in wbxml.__doc__
