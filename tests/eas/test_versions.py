"""The versions offered, and their order."""

from __future__ import annotations

import pytest

from gateway.eas.versions import OFFERED, Version


def test_offered_ascending_and_without_blanks() -> None:
    assert OFFERED == "2.5,12.0,12.1,14.0,14.1,16.0,16.1"


@pytest.mark.parametrize("version", Version)
def test_text_and_back(version: Version) -> None:
    assert Version.parse(f" {version} ") is version


@pytest.mark.parametrize("text", ["", "2.0", "1.0", "14", "14.10", "141", "16.2", "١٤.١"])
def test_others_are_not_known(text: str) -> None:
    assert Version.parse(text) is None


def test_where_the_line_between_http_codes_and_statuses_runs() -> None:
    assert [version.body_status for version in Version] == [False, False, False, True, True, True, True]
    assert [version.compose_in_wbxml for version in Version] == [False, False, False, True, True, True, True]
