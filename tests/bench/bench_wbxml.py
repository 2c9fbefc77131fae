"""How fast documents become trees and back: `python -m tests.bench.bench_wbxml`; the last line is JSON.

Two Sync replies of 100 messages each: one with HTML bodies of 2 kB, and one with headers only, where nearly
every byte is markup. The codec of pyactivesync reads and writes the same bytes in turn with ours, so that
both meet the same load of the machine; the garbage collector is on. Rates are MB (10^6 bytes) of the document
per second. The table and the JSON set the measured ratio beside the one aimed at, and say whether it is met.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from pyactivesync import _codepages as peer_pages
from pyactivesync import _wbxml as peer

from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, AirSyncBase, Email, Email2

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 60
MESSAGES = 100
TARGETS = {"encode": 100, "decode": 40}
"""MB/s, for the reply with bodies."""
TARGET_RATIO = 5
"""How many times as fast as pyactivesync both directions are to be, for both replies."""

_TEXT = (
    "plan meeting report budget review invoice customer project deadline travel contract Grüße über "
    "the of to and for with please find attached as discussed yesterday regarding our next steps 😀"
)


def reply(*, with_bodies: bool) -> Element:
    """Build a Sync reply like those a phone gets for a full window of new mail (MS-ASCMD 2.2.1.21)."""
    random_ = random.Random(1)
    collection = element(
        AirSync.Collection,
        element(AirSync.SyncKey, "6f1d3c5e-17"),
        element(AirSync.CollectionId, "5"),
        element(AirSync.Status, 1),
        element(AirSync.MoreAvailable),
    )
    commands = collection.add(AirSync.Commands)
    for number in range(MESSAGES):
        data = _headers(random_, number)
        if with_bodies:
            data.append(_body(random_))
        commands.append(element(AirSync.Add, element(AirSync.ServerId, f"5:{number}"), data))
    return element(AirSync.Sync, element(AirSync.Collections, collection))


def _headers(random_: random.Random, number: int) -> Element:
    subject = " ".join(random_.choices(_TEXT.split(), k=6))
    return element(
        AirSync.ApplicationData,
        element(Email.To, '"Ann Example" <ann@example.org>'),
        element(Email.From, f'"Bob Example {number}" <bob{number}@example.org>'),
        element(Email.Subject, f"Re: {subject}"),
        element(Email.DateReceived, f"2026-03-01T09:15:{number % 60:02}.000Z"),
        element(Email.DisplayTo, "Ann Example"),
        element(Email.ThreadTopic, subject),
        element(Email.Importance, 1),
        element(Email.Read, number % 2),
        element(Email.MessageClass, "IPM.Note"),
        element(Email.InternetCPID, 65001),
        element(Email.Flag),
        element(Email.ContentClass, "urn:content-classes:message"),
        element(AirSyncBase.NativeBodyType, 2),
        element(Email2.ConversationId, random_.randbytes(16)),
        element(Email2.ConversationIndex, random_.randbytes(5)),
        element(Email.Categories),
    )


def _body(random_: random.Random) -> Element:
    html = "<html><body>"
    while len(html) < 1900:
        html += f"<p>{' '.join(random_.choices(_TEXT.split(), k=12))}</p>"
    return element(
        AirSyncBase.Body,
        element(AirSyncBase.Type, 2),
        element(AirSyncBase.EstimatedDataSize, 5 * len(html)),
        element(AirSyncBase.Truncated, 1),
        element(AirSyncBase.Data, html + "</body></html>"),
    )


def peer_builder(root: Element) -> peer.NodeBuilder:
    """Return the tree in the form that the writer of pyactivesync takes.

    Tags its tables lack are added to them first: all of page 22 and a few of page 2.
    """
    tag, value = root.tag, root.value
    page = peer_pages.PAGE_ORDER.setdefault(tag.page, tag.namespace)
    peer_pages.PAGE_INDEX.setdefault(page, tag.page)
    peer_pages.CODEPAGES.setdefault(page, {}).setdefault(tag.name, tag.token)
    return peer.wtag(
        page,
        tag.name,
        [peer_builder(child) for child in root.children],
        text=value if isinstance(value, str) else None,
        opaque=value if isinstance(value, bytes) else None,
    )


def peer_encode(builder: peer.NodeBuilder) -> bytes:
    writer = peer.WBXMLWriter()
    builder(writer)
    document: bytes = writer.render()
    return document


class Speed(NamedTuple):
    """MB/s."""

    best: float
    median: float


def measure(size: int, *operations: Callable[[], object]) -> list[Speed]:
    """Run the operations in turns and return the speed of each; `size` is in bytes."""
    seconds: list[list[float]] = [[] for _ in operations]
    for _ in range(ROUNDS):
        for operation, times in zip(operations, seconds, strict=True):
            start = time.perf_counter()
            operation()
            times.append(time.perf_counter() - start)
    return [Speed(size / min(times) / 1e6, size / statistics.median(times) / 1e6) for times in seconds]


def measure_reply(name: str, root: Element) -> dict[str, object]:
    """Measure both codecs on one document, print a line for each direction, and return the figures."""
    document = encode(root)
    builder = peer_builder(root)
    assert decode(document) == root
    assert peer_encode(builder) == document
    figures: dict[str, object] = {"bytes": len(document), "elements": sum(1 for _ in root.iter())}
    speeds = {
        "encode": measure(len(document), lambda: encode(root), lambda: peer_encode(builder)),
        "decode": measure(
            len(document), lambda: decode(document), lambda: peer.WBXMLReader(document).parse()
        ),
    }
    for direction, (ours, theirs) in speeds.items():
        ratio = ours.median / theirs.median
        figures[direction] = {
            "best": round(ours.best, 1),
            "median": round(ours.median, 1),
            "pyactivesync_best": round(theirs.best, 1),
            "pyactivesync_median": round(theirs.median, 1),
            "ratio_of_medians": round(ratio, 1),
            "target_ratio": TARGET_RATIO,
            "target_ratio_met": ratio >= TARGET_RATIO,
        }
        print(
            f"{name:<13} {len(document):>8} {direction:<7} {ours.best:>8.1f} {ours.median:>8.1f}"
            f" {theirs.best:>8.1f} {theirs.median:>8.1f} {ratio:>11.1f}"
            f" {TARGET_RATIO:>8} {'met' if ratio >= TARGET_RATIO else 'missed'}"
        )
    return figures


def main() -> None:
    """Measure, print a table, and as the last line the figures as JSON."""
    print(f"{'MB/s':<30} {'wbxml':>17} {'pyactivesync':>17}")
    print(f"{'document':<13} {'bytes':>8}", " " * 7, *["    best   median"] * 2, "      times   target")
    figures = {
        "with bodies": measure_reply("with bodies", reply(with_bodies=True)),
        "headers only": measure_reply("headers only", reply(with_bodies=False)),
    }
    print(json.dumps({"bench": "wbxml", "targets": TARGETS, **figures}))


if __name__ == "__main__":
    main()
