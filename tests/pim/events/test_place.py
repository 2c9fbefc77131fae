"""Places, in the properties that programs use for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.events.model import Location
from gateway.pim.events.place import read_place, write_place
from gateway.pim.tree import Node
from tests.pim.events.made import event

OUTLOOK = (
    '[{"DisplayName":"Room","LocationAnnotation":"","LocationUri":"room@example.org","LocationCity":"Town",'
    '"LocationStreet":"Main Street 1","LocationState":null,"Latitude":1,"Altitude":"high","Accuracy":true}]'
)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ((), None),
        (("LOCATION:",), None),
        (("LOCATION:Room 1\\, left",), Location("Room 1, left")),
        (("GEO:52.5;13.4",), Location(latitude=52.5, longitude=13.4)),
        (("LOCATION:Here", "GEO:52.5\\;13.4"), Location("Here", latitude=52.5, longitude=13.4)),
        (("LOCATION:Here", "GEO:152.5;13.4"), Location("Here")),
        (("LOCATION:Here", "GEO:x"), Location("Here")),
        (
            (
                "LOCATION:Park\\nMain Street",
                "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS=Main Street;X-TITLE=Park:geo:52.5,-13.4",
            ),
            Location("Park\nMain Street", latitude=52.5, longitude=-13.4),
        ),
        (
            (
                "LOCATION:Room",
                "X-MICROSOFT-LOCATIONS:" + OUTLOOK,
            ),
            Location("Room", street="Main Street 1", city="Town", uri="room@example.org", latitude=1.0),
        ),
        # Another program has set another place since.
        (("LOCATION:There", 'X-MICROSOFT-LOCATIONS:[{"DisplayName":"Room"}]'), Location("There")),
        (("LOCATION:There", "X-MICROSOFT-LOCATIONS:[1]"), Location("There")),
        (("LOCATION:There", "X-MICROSOFT-LOCATIONS:{"), Location("There")),
        (("LOCATION:There", "X-MICROSOFT-LOCATIONS:" + "[" * 50_000), Location("There")),
        (
            ("LOCATION:Room", 'X-MICROSOFT-LOCATIONS:[{"DisplayName":"Room","Latitude":1e999}]'),
            Location("Room"),
        ),
    ],
)
def test_places(lines: tuple[str, ...], place: Location | None) -> None:
    assert event(*lines).location == place


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
numbers = st.none() | st.floats(-90, 90, allow_nan=False).map(lambda one: round(one, 6))
places = st.builds(Location, *[words] * 7, *[numbers] * 5, words)


@given(places)
def test_what_is_written_is_read(place: Location) -> None:
    written = Node.new("VEVENT", write_place(place)).component
    assert read_place(written) == (None if place == Location() else place)
