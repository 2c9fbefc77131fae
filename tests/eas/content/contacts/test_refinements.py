"""Pictures, names and numbers: what devices are told of, and what becomes of what they are not told."""

from __future__ import annotations

import base64
import io
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from gateway.eas.content.contacts.days import day_of
from gateway.eas.content.contacts.elements import ELEMENTS, placed
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.contacts import picture as pictures
from gateway.pim.contacts.model import Field
from gateway.pim.contacts.table import TABLE
from tests.eas.content.contacts.support import JPEG, Shelf, card, properties
from tests.pim.contacts.test_intake import picture
from wbxml.pages import Contacts, Contacts2


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(1990, 5, 17, 0, tzinfo=UTC), "Europe/Berlin", "1990-05-17"),
        (datetime(1990, 5, 17, 11, 59, tzinfo=UTC), "Europe/Berlin", "1990-05-17"),
        (datetime(1990, 5, 17, 12, tzinfo=UTC), "Asia/Tokyo", "1990-05-17"),
        (datetime(1990, 5, 16, 22, tzinfo=UTC), "Europe/Berlin", "1990-05-17"),
        (datetime(1990, 5, 16, 23, tzinfo=UTC), "Europe/Berlin", "1990-05-17"),
        (datetime(1990, 5, 16, 15, tzinfo=UTC), "UTC", "1990-05-17"),
        (datetime(1990, 5, 17, 4, tzinfo=UTC), "America/New_York", "1990-05-17"),
        (datetime(1990, 5, 17, 10, tzinfo=UTC), "Pacific/Honolulu", "1990-05-17"),
        (datetime(1990, 5, 16, 12, tzinfo=UTC), "Pacific/Auckland", "1990-05-17"),
        (datetime(1990, 1, 16, 11, tzinfo=UTC), "Pacific/Auckland", "1990-01-17"),
        (datetime(1604, 4, 15, 0, tzinfo=UTC), "America/New_York", "1604-04-15"),
    ],
)
def test_days(moment: datetime, zone: str, day: str) -> None:
    assert day_of(moment, ZoneInfo(zone)) == day


@pytest.mark.parametrize("habit", ["1990-05-17T12:00:00.000Z", "1990-05-16T12:00:00.000Z"])
def test_no_day_moves_by_being_sent_back_where_midnight_is_at_noon(habit: str) -> None:
    shelf = Shelf.of(card("N:a;;;;", "BDAY:1990-05-17"))
    shelf.zone = ZoneInfo("Pacific/Auckland")
    for name in ("b", "c"):
        shelf.change(*properties(LastName=name, Birthday=habit))
    assert shelf.seen["Birthday"] == "1990-05-17T00:00:00.000Z"


def test_a_day_of_no_known_year() -> None:
    shelf = Shelf(Version.V16_1).add(*properties(FirstName="a", Birthday="1604-04-15T00:00:00.000Z"))
    assert shelf.lines("BDAY") == ["BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15"]
    new = Shelf.of(card("N:a;;;;", "BDAY:19800415", version="4.0"))
    new.change(*properties(LastName="a", Birthday="1604-04-15T00:00:00.000Z", Anniversary="20100601T000000Z"))
    assert new.lines("BDAY", "ANNI") == ["BDAY:--0415", "ANNIVERSARY:20100601"]


@pytest.mark.parametrize("none", ["4501-01-01T00:00:00.000Z", "45010101T110000Z", "0001-01-01", "1601-01-01"])
def test_a_date_that_means_none_is_cleared(none: str, capsys: pytest.CaptureFixture[str]) -> None:
    shelf = Shelf(Version.V16_1).add(
        *properties(FirstName="a", Birthday=none, Anniversary="20100601T000000Z")
    )
    assert shelf.seen["Anniversary"] == "2010-06-01T00:00:00.000Z"
    assert "Birthday" not in shelf.seen
    assert "a date that means none is left out" in capsys.readouterr().out
    shelf.change(*properties(FirstName="a", Birthday="1980-04-15T00:00:00.000Z", Anniversary=none))
    assert "Anniversary" not in shelf.seen
    assert str(shelf.seen["Birthday"]).startswith("1980-04-15")


def test_what_a_contact_is_filed_under_stays_when_its_name_goes() -> None:
    shelf = Shelf(Version.V16_1).add(*properties(FirstName="Ann"))
    assert shelf.seen == {"FileAs": "Ann", "FirstName": "Ann"}
    shelf.change(*properties(FileAs="Ann", FirstName="Anna"))
    assert shelf.seen == {"FileAs": "Anna", "FirstName": "Anna"}, "one that comes back follows the name"
    shelf.change(*properties(FileAs="Anna"))
    assert shelf.seen == {"FileAs": "Anna"}


def test_a_large_picture_is_told_smaller_and_kept_as_it_is() -> None:
    octets = picture(400, "JPEG")
    assert 36 * 1024 < len(octets) < 512 * 1024
    line = f"PHOTO;ENCODING=b;TYPE=JPEG:{base64.b64encode(octets).decode()}"
    shelf = Shelf.of(card("N:a;;;;", "FN:a", line))
    shown = str(shelf.seen["Picture"])
    assert len(shown) <= 48 * 1024
    assert Image.open(io.BytesIO(base64.b64decode(shown))).format == "JPEG"
    shelf.change(*properties(LastName="b", Picture=shown))
    assert shelf.lines("PHOTO") == [line]
    shelf.change(*properties(LastName="c"))
    assert shelf.lines("PHOTO") == [line]
    shelf.change(*properties(LastName="c", Picture=JPEG))
    assert shelf.seen["Picture"] == JPEG
    shelf.change(*properties(LastName="c", Picture=""))
    assert "Picture" not in shelf.seen
    assert not shelf.lines("PHOTO")


def test_without_pillow_a_large_picture_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"PHOTO;ENCODING=b;TYPE=JPEG:{base64.b64encode(picture(400, 'JPEG')).decode()}"
    monkeypatch.setitem(sys.modules, "PIL", None)
    pictures.shrunk.cache_clear()
    shelf = Shelf.of(card("N:a;;;;", "FN:a", line))
    assert shelf.seen == {"LastName": "a", "FileAs": "a"}
    shelf.change(*properties(LastName="b"))
    assert shelf.lines("PHOTO") == [line]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x1cftypavif", "AVIF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WEBP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
    ],
)
def test_a_picture_comes_back_as_a_device_sent_it(start: bytes, kind: str) -> None:
    sent = base64.b64encode(start + bytes(200)).decode()
    shelf = Shelf(Version.V16_1).add(*properties(FirstName="a", Picture=sent))
    assert shelf.seen["Picture"] == sent
    assert shelf.lines("PHOTO") == [f"PHOTO;ENCODING=b;TYPE={kind}:{sent}"]


def test_what_is_no_picture_takes_the_place_of_none() -> None:
    shelf = Shelf.of(card("N:a;;;;", f"PHOTO;ENCODING=b:{JPEG}"))
    with pytest.raises(BadItem):
        shelf.change(*properties(LastName="b", Picture=base64.b64encode(b"no picture").decode()))
    assert shelf.seen["Picture"] == JPEG


def test_an_empty_picture_of_a_device_that_has_none_means_nothing() -> None:
    shelf = Shelf.of(card("N:a;;;;", f"PHOTO;ENCODING=b:{JPEG}")).speaking(Version.V12_1, ["LastName"])
    shelf.change(*properties(LastName="b", Picture=""))
    assert shelf.seen["Picture"] == JPEG


def test_numbers_stay_where_the_device_put_them() -> None:
    """Also when the lines before go: what no device saw does not take their places."""
    shelf = Shelf.of(card("N:a;;;;", *(f"TEL;TYPE=HOME:{at}" for at in range(1, 5))))
    assert (shelf.seen["HomePhoneNumber"], shelf.seen["Home2PhoneNumber"]) == ("1", "2")
    shelf.change(*properties(LastName="a", Home2PhoneNumber="2"))
    assert "HomePhoneNumber" not in shelf.seen
    assert shelf.seen["Home2PhoneNumber"] == "2"
    assert [line.rpartition(":")[2] for line in shelf.lines("TEL")] == ["2", "3", "4"]
    shelf.change(*properties(LastName="a", HomePhoneNumber="9", Home2PhoneNumber="2"))
    assert (shelf.seen["HomePhoneNumber"], shelf.seen["Home2PhoneNumber"]) == ("9", "2")


def test_another_program_may_move_a_number() -> None:
    """A line that says it is somewhere its type does not belong was changed since."""
    shelf = Shelf.of(card("N:a;;;;", "TEL;TYPE=WORK;X-ACTIVESYNC-FIELD=Home2PhoneNumber:1"))
    assert shelf.seen["BusinessPhoneNumber"] == "1"


def test_a_contact_is_called_by_its_name() -> None:
    shelf = Shelf(Version.V16_1).add(*properties(FirstName="Ann", LastName="Lee", FileAs="Lee, Ann"))
    assert shelf.lines("FN") == ["FN:Ann Lee"]
    shelf.change(*properties(FirstName="Ann", LastName="Ray", FileAs="Lee, Ann"))
    assert shelf.lines("FN", "X-EVOLUTION") == ["FN:Ann Ray", "X-EVOLUTION-FILE-AS:Lee\\, Ann"]
    shelf.change(*properties(CompanyName="Example"))
    assert shelf.lines("FN") == ["FN:Example"]
    assert shelf.seen == {"CompanyName": "Example", "FileAs": "Example"}


def test_a_name_another_program_chose_stays() -> None:
    shelf = Shelf.of(card("N:Lee;Ann;;;", "FN:Dr. Ann Lee (work)", "TITLE:x"))
    shelf.change(*properties(FirstName="Ann", LastName="Lee", FileAs="Dr. Ann Lee (work)", JobTitle="y"))
    assert shelf.lines("FN") == ["FN:Dr. Ann Lee (work)"]


def test_a_label_goes_with_what_it_names() -> None:
    shelf = Shelf.of(card("N:a;;;;", "item1.TEL:1", "item1.X-ABLabel:Car", "item1.X-NOTE:x"))
    assert shelf.seen["CarPhoneNumber"] == "1"
    shelf.change(*properties(LastName="a"))
    assert shelf.lines("item1") == ["item1.X-ABLabel:Car", "item1.X-NOTE:x"]
    lone = Shelf.of(card("N:a;;;;", "item1.TEL:1", "item1.X-ABLabel:Car"))
    lone.change(*properties(LastName="a"))
    assert not lone.lines("item1")


def test_every_element_has_one_place() -> None:
    """One mapping holds all elements of both pages, but those of the recipient cache and of containers."""
    told = {tag for tag, _ in ELEMENTS.values()}
    others = {
        "Alias",
        "WeightedRank",
        "Category",
        "Child",
        "Body",
        "BodySize",
        "BodyTruncated",
        "CompressedRTF",
    }
    pages = {
        tag for page in (Contacts, Contacts2) for tag in vars(page).values() if hasattr(tag, "min_version")
    }
    assert {tag.name for tag in pages - told} == others
    assert sorted(field for place in TABLE for field in place.fields) == sorted(Field)
    assert all(one.place for one in placed())
