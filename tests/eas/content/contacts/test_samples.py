"""What a phone sees of the vCards of other programs, in the first and the last version."""

from __future__ import annotations

import pytest

from gateway.eas.versions import Version
from tests.eas.content.contacts.support import Shelf
from tests.pim.contacts.samples import SAMPLES, taken


@pytest.mark.parametrize("version", [Version.V2_5, Version.V16_1])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_what_a_phone_sees(name: str, version: Version) -> None:
    assert dict(Shelf.of(taken(SAMPLES[name].text), version).seen) == SAMPLES[name].seen
