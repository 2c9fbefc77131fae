"""Fuzz the IMAP reader: `python -m tests.fuzz.fuzz_imap -max_total_time=60 [CORPUS]`, any libFuzzer option.

CORPUS is a folder that keeps the inputs found on the way; without it, the seeds of this repository are the
start and nothing is kept. An input that fails is written to the working directory as `crash-...`.
"""

from __future__ import annotations

from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from gateway.upstream.imap import (
    codes,
    commands,
    dates,
    fetch,
    flags,
    mailboxes,
    parser,
    sets,
    structure,
    tokens,
    utf7,
    wire,
)
from gateway.upstream.imap.responses import Fetch, List, Response, Unparsed
from gateway.upstream.imap.syntax import Dialect, WireName
from gateway.upstream.imap.wire import ResponseReader, WireError
from tests.fuzz.target import functions_of, fuzz

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.types import BodyPart

SEEDS = Path(__file__).parent / "corpus" / "imap"
_INNER = (codes, dates, fetch, flags, mailboxes, parser, sets, structure, tokens, utf7, wire)


def read(data: bytes, size: int) -> tuple[list[Response], bool]:
    """Read `data` in pieces of `size` octets: (responses, whether a limit was exceeded)."""
    reader = ResponseReader(max_line=4096, max_literal=1024, max_buffer=5000)
    found: list[Response] = []
    fault: WireError | None = None
    for at in range(0, len(data), size):
        try:
            found += reader.feed(data[at : at + size])
        except WireError as error:
            fault = error
            break
    assert fault is None or 0 <= fault.offset <= len(data), data
    return found, fault is not None


def check(data: bytes) -> None:
    """Hold the reader to its word: responses or WireError, the same ones however the octets arrive."""
    whole, over = read(data, len(data) or 1)
    single, single_over = read(data, 1)
    assert over == single_over, data
    assert over or whole == single, data
    for index, response in enumerate(single):
        if isinstance(response, Fetch):
            assert not response.faults or isinstance(single[index - 1], Unparsed), data
            assert response.structure is None or sections(response.structure), data
        elif isinstance(response, List) and "\0" not in response.raw_name:
            assert commands.on_mailbox(Dialect(), "SELECT", WireName(response.raw_name)).parts, data


def sections(part: BodyPart) -> bool:
    """Whether each section number is "" or numbers and dots, and lies below that of its parent."""
    return all(number.isdigit() for number in part.section.split(".") if part.section) and all(
        child.section.startswith(part.section) and sections(child) for child in part.children
    )


def reader_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
