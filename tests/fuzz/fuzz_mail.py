"""Fuzz the reading of mail: `python -m tests.fuzz.fuzz_mail -max_total_time=60 [CORPUS]`.

Takes any libFuzzer option. An input is a digit string that chooses how the body is described, a line end, a
header block, an empty line and a body. CORPUS is a folder that keeps the inputs found on the way; without it,
the seeds of this repository are the start and nothing is kept. An input that fails is written to the working
directory as `crash-...`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from gateway.eas.content import body, email_properties
from gateway.eas.content.email_properties import Place, properties
from gateway.eas.content.marks import Marks
from gateway.eas.content.preferences import HTML, MIME, PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.mail import addresses, charset, conversations, flowed, headers, mime, structure, transfer
from gateway.mail import body as mail_body
from gateway.mail.html import documents, flattening, reading
from gateway.types import BodyPart, CollectionId, MessageData
from tests.fuzz.target import functions_of, fuzz
from wbxml import Element, encode
from wbxml.pages import AirSync, AirSyncBase

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = Path(__file__).parent / "corpus" / "mail"
SUBTYPES = ("plain", "html")
ENCODINGS = ("7bit", "base64", "quoted-printable", "x-uuencode")
CHARSETS = ("utf-8", "us-ascii", "iso-2022-jp", "utf-16", "utf-7", "gb18030", "odd", "")
LIMITS = (None, 0, 7, 200)

_INNER = (
    addresses,
    body,
    charset,
    conversations,
    documents,
    email_properties,
    flattening,
    flowed,
    headers,
    mail_body,
    mime,
    reading,
    structure,
    transfer,
)
_PLACE = Place(CollectionId("5"), 1, owner="a@example.test")
_DATE = datetime(2026, 3, 1, tzinfo=UTC)


def message(data: bytes) -> tuple[MessageData, bytes, int | None]:
    """The message an input stands for: (what the server tells of it, its body, the size asked for)."""
    choice, _, rest = data.partition(b"\n")
    number = int(choice) if choice.isdigit() and len(choice) < 10 else 0
    number, subtype = divmod(number, len(SUBTYPES))
    number, encoding = divmod(number, len(ENCODINGS))
    number, name = divmod(number, len(CHARSETS))
    number, limit = divmod(number, len(LIMITS))
    header, _, content = rest.partition(b"\n\n")
    file_name = header[:40].decode("utf-8", "surrogateescape")
    part = BodyPart(
        "1",
        "text",
        SUBTYPES[subtype],
        {"charset": CHARSETS[name], "format": "flowed" if number % 2 else ""},
        encoding=ENCODINGS[encoding],
        size=len(content),
    )
    file = BodyPart("2", "image", "png", {"name*0*": file_name, "name*1": "x", "name": file_name}, file_name)
    root = BodyPart("", "multipart", "related", children=(part, file))
    return MessageData(1, frozenset(), _DATE, len(rest), root, header), content, LIMITS[limit]


def check(data: bytes) -> None:
    """Render in every form; the outcome must be such that it can be sent, and no longer than asked."""
    found, content, limit = message(data)
    layout = structure.lay_out(found.structure)
    for kind in (PLAIN, HTML, MIME):
        options = BodyOptions((BodyPreference(kind, limit, preview=50),), mime_support=2)
        plan = body.plan_body(layout, found.size, options, Version.V16_1)
        sections = {"1": content, "": data}
        answers = {name: sections[name][:most] for name, most in plan.sections.items()}
        made = body.body_elements(plan, body.received(plan, answers), Version.V16_1)
        marks = Marks.of(found.flags)
        shown = properties(found, layout, made, _PLACE, Version.V16_1, marks=marks)
        assert len(encode(Element(AirSync.ApplicationData, None, shown))) > 100, data
        text = made[0].child_text(AirSyncBase.Data) or ""
        assert limit is None or len(text.encode("utf-8")) <= limit, data


def reader_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
