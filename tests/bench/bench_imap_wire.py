"""How fast IMAP responses become values: `python -m tests.bench.bench_imap_wire`; the last line is JSON.

Rates are the best of several rounds, the bytes fed in pieces as large as asyncio reads. `linear` is the
time for twice as many messages over the time for half of them: 2 when the cost follows the length.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from gateway.eas.content.email_properties import HEADER_FIELDS
from gateway.upstream.imap.responses import Fetch
from gateway.upstream.imap.wire import ResponseReader

PIECE = 256 * 1024
ROUNDS = 5
MESSAGES = 10_000
LITERAL = 30 * 1024 * 1024

_SINGLE = (
    '("text" "plain" ("charset" "utf-8" "format" "flowed") NIL NIL'
    ' "quoted-printable" 2279 48 NIL NIL NIL NIL)'
)
_MIXED = (
    '((("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 1024 30 NIL NIL NIL NIL)'
    '("text" "html" ("charset" "utf-8") NIL NIL "quoted-printable" 4096 90 NIL NIL NIL NIL)'
    ' "alternative" ("boundary" "b2") NIL NIL NIL)'
    '("application" "pdf" ("name" "report.pdf") "<1@example.com>" NIL "base64" 120000 NIL'
    ' ("attachment" ("filename" "report.pdf" "size" "87000")) NIL NIL)'
    ' "mixed" ("boundary" "b1") NIL NIL NIL)'
)


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of message data: its name, the octets for message `n`, the rate to reach (messages/s)."""

    name: str
    template: str
    target: int | None

    def stream(self, messages: int) -> bytes:
        lines = (f"* {n} FETCH ({self.template.format(n=n)})\r\n" for n in range(1, messages + 1))
        return "".join(lines).encode("utf-8")


CASES = (
    Case("FLAGS", "UID {n} FLAGS (\\Seen $Forwarded) MODSEQ ({n})", 182_000),
    Case("FLAGS, general parser", "FLAGS (\\Seen $Forwarded) MODSEQ ({n}) UID {n}", None),
    Case(
        "ENVELOPE",
        'UID {n} ENVELOPE ("Mon, 02 Nov 2026 10:00:00 +0100" "Re: minutes of meeting {n} :)"'
        ' (("Ann Example" NIL "ann" "example.com")) (("Ann Example" NIL "ann" "example.com"))'
        ' (("Ann Example" NIL "ann" "example.com")) (("Bob \\"B\\" Example" NIL "bob" "example.org")'
        '("Eve" NIL "eve" "example.net")) NIL NIL "<{n}.a@example.com>" "<{n}.b@example.com>")',
        22_000,
    ),
    Case("BODYSTRUCTURE, one part", f"UID {{n}} BODYSTRUCTURE {_SINGLE}", 36_000),
    Case("BODYSTRUCTURE, four parts", f"UID {{n}} BODYSTRUCTURE {_MIXED}", None),
    Case(
        "what a window is planned from",
        'UID {n} FLAGS (\\Seen) INTERNALDATE "20-Jan-2026 18:51:00 +0000" RFC822.SIZE 2646'
        f" BODYSTRUCTURE {_MIXED} BODY[HEADER.FIELDS ({' '.join(HEADER_FIELDS).upper()})]"
        " {{38}}\r\nFrom: Ann\r\nTo: Ben\r\nSubject: Offer\r\n\r\n",
        None,
    ),
)


def read(stream: bytes) -> tuple[float, int]:
    """Feed a stream in pieces; (seconds, responses)."""
    reader = ResponseReader(max_line=1 << 20, max_literal=64 << 20, max_buffer=65 << 20)
    pieces = [stream[at : at + PIECE] for at in range(0, len(stream), PIECE)]
    count = 0
    start = time.perf_counter()
    for piece in pieces:
        for response in reader.feed(piece):
            assert isinstance(response, Fetch), response
            assert not response.faults
            count += 1
    return time.perf_counter() - start, count


def best(stream: bytes, expected: int) -> float:
    """The shortest time of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        seconds, count = read(stream)
        assert count == expected
        times.append(seconds)
    return min(times)


def main() -> None:
    """Measure and print."""
    results: dict[str, dict[str, float | int | None]] = {}
    print(f"{'what':28} {'rate':>12} {'target':>10} {'linear':>7}")
    for case in CASES:
        seconds = best(case.stream(MESSAGES), MESSAGES)
        double = best(case.stream(2 * MESSAGES), 2 * MESSAGES)
        rate = round(MESSAGES / seconds)
        linear = round(double / seconds, 2)
        results[case.name] = {"per_second": rate, "target": case.target, "linear": linear}
        print(f"{case.name:28} {rate:10,}/s {case.target or '':>10} {linear:7}")
    body = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%b)\r\n" % (LITERAL, b"0123456789abcde\n" * (LITERAL // 16))
    rate = round(len(body) / best(body, 1) / 1e6)
    results["literal of 30 MiB"] = {"megabytes_per_second": rate, "target": 500}
    print(f"{'literal of 30 MiB':28} {rate:8,} MB/s {500:>10}")
    print(json.dumps({"bench": "imap_wire", "results": results}))


if __name__ == "__main__":
    main()
