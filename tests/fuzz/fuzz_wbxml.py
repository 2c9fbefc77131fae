"""Fuzz the codec: `python -m tests.fuzz.fuzz_wbxml -max_total_time=60 [CORPUS]`, and any libFuzzer option.

CORPUS is a folder that keeps the inputs found on the way; without it, the seeds of this repository are the
start and nothing is kept. An input that fails is written to the working directory as `crash-...`.
"""

from __future__ import annotations

from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from tests.fuzz.target import functions_of, fuzz
from wbxml import (
    DecodeError,
    Element,
    EncodeError,
    Tag,
    decode,
    decoder,
    encode,
    encoder,
    tags,
    tree,
    xmlview,
)
from wbxml.xmlview import from_xml, to_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = Path(__file__).parent / "corpus" / "wbxml"


def check(data: bytes) -> None:
    """Hold the codec to its word: a tree or DecodeError; a tree survives being written, and shown as XML."""
    try:
        found = decode(data)
    except DecodeError as error:
        assert 0 <= error.offset <= len(data), error  # noqa: PT017
        return
    mixed = any(node.value and node.children for node in found.iter())
    try:
        document = encode(found)
    except EncodeError:
        assert mixed, found
        return
    assert not mixed, found
    again = decode(document)
    assert encode(again) == document, found
    assert [shape(node) for node in again.iter()] == [shape(node) for node in found.iter()], found
    assert from_xml(to_xml(found)) == found, found


def shape(node: Element) -> tuple[Tag, bytes, int]:
    """Return what a document must keep; text in an opaque tag comes back as bytes."""
    return node.tag, node.data(), len(node)


def codec_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of((decoder, encoder, tags, tree, xmlview))


if __name__ == "__main__":
    fuzz(check, codec_functions(), SEEDS)
