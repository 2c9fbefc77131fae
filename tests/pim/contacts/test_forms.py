"""What is written into a contact takes time in proportion to it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from gateway.pim.contacts.document import new_contact
from gateway.pim.contacts.model import Field

NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize("address", ["a" + " " * 300_000 + "b", '"' + "a\\" * 150_000])
def test_an_address_that_is_none_is_kept_at_once(address: str) -> None:
    start = time.process_time()
    assert "EMAIL;" in new_contact({Field.EMAIL1: address}, "u", NOW)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "written", ["Ann <a@example.test>", '"A, B"  <a@example.test>', '"A" <a@example.test>']
)
def test_an_address_with_a_name_is_taken_apart(written: str) -> None:
    (line,) = [
        one for one in new_contact({Field.EMAIL1: written}, "u", NOW).splitlines() if one.startswith("EMAIL")
    ]
    assert line.endswith(":a@example.test") == ("  " not in written)
