"""How fast messages become ApplicationData: `python -m tests.bench.bench_render`; the last line is JSON.

1,000 messages as the upstream shows them, structure parsed already; bodies of 2.5 to 10 kB, some with a file;
the figure is processor time per message, without any I/O, as the best of several rounds.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from email.message import EmailMessage
from email.policy import SMTP

from gateway.eas.content.email import render
from gateway.eas.content.preferences import HTML, MIME, PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.types import CollectionId
from tests.support.mailboxes import MemoryMailboxes

MESSAGES = 1000
ROUNDS = 3
TARGET_MS = 0.25

CASES = {
    "HTML, 32 KiB": BodyOptions((BodyPreference(HTML, 32768), BodyPreference(PLAIN, 32768))),
    "HTML, 32 KiB, preview": BodyOptions((BodyPreference(HTML, 32768, preview=250),)),
    "plain, 32 KiB": BodyOptions((BodyPreference(PLAIN, 32768),)),
    "MIME": BodyOptions((BodyPreference(MIME),), mime_support=2),
}


def message(number: int, randomness: random.Random) -> bytes:
    """One message of the kind that fills inboxes."""
    words = ["Grüße", "meeting", "tomorrow", "Straße", "report", "naïve", "the", "of", "and", "quarterly"]
    text = " ".join(randomness.choices(words, k=randomness.randint(250, 1000)))
    made = EmailMessage(policy=SMTP)
    made["From"] = f"Jörg Müller {number} <joerg{number}@example.org>"
    made["To"] = ", ".join(f"User {index} <user{index}@example.org>" for index in range(5))
    made["Subject"] = f"Re: Bericht über Nr. {number}"
    made["Message-ID"] = f"<{number}@example.org>"
    made["References"] = f"<{number // 3}@example.org>"
    made.set_content(text)
    if number % 4:
        paragraphs = "</p><p style='margin:0'>".join(text[at : at + 200] for at in range(0, len(text), 200))
        made.add_alternative(f"<html><body><p>{paragraphs}</p></body></html>", subtype="html")
    if number % 3 == 0:
        made.add_attachment(
            bytes(3000), maintype="application", subtype="pdf", filename=f"Übersicht {number}.pdf"
        )
    return bytes(made)


async def measure(mailboxes: MemoryMailboxes, options: BodyOptions) -> float:
    """Processor milliseconds per message."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        done = await render(
            mailboxes.port,
            "INBOX",
            1,
            range(1, MESSAGES + 1),
            options,
            Version.V16_1,
            collection=CollectionId("1"),
        )
        best = min(best, time.process_time() - start)
        assert len(done) == MESSAGES
        assert not any(one.poison for one in done.values())
    return best / MESSAGES * 1000


async def main() -> None:
    """Measure every case."""
    randomness = random.Random(1)
    mailboxes = MemoryMailboxes([message(number, randomness) for number in range(1, MESSAGES + 1)])
    await mailboxes.fetch("INBOX", 1, range(1, MESSAGES + 1), None)
    figures = {}
    for name, options in CASES.items():
        figures[name] = round(await measure(mailboxes, options), 4)
        print(f"{name:24} {figures[name]:.3f} ms/message  {1000 / figures[name]:,.0f} messages/s")
    print(json.dumps({"ms_per_message": figures, "target_ms": TARGET_MS}))


if __name__ == "__main__":
    asyncio.run(main())
