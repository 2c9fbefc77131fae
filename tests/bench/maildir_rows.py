"""One new message where Dovecot keeps mail in Maildir, as it does by default and with very dirty syncs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.bench import corpus, sync_rows
from tests.bench.figures import Measured
from tests.bench.stage import Stage
from tests.support.dovecot_config import Options

__all__ = ["KINDS", "onechange"]

KINDS: Mapping[str, Options] = {
    "maildir": Options(storage="maildir"),
    "maildir-dirty": Options(storage="maildir", very_dirty=True),
}
_TOGETHER = 1000


async def onechange(stage: Stage, kind: str, size: str) -> Sequence[Measured]:
    """Milliseconds of a Sync that brings the one message that Dovecot has just delivered.

    It is measured on a stage of its own, with short messages in a folder beside the other measurements' mail.
    """
    count = stage.scale.sizes[sync_rows.SIZES.index(size)]
    folder = stage.dovecot.place.mail / "maildir"
    folder.mkdir(exist_ok=True)
    with Stage(stage.scale, folder, KINDS[kind]) as own:
        try:
            await own.mailbox(count, messages=corpus.notes("notes", count), together=_TOGETHER)
            [measured] = await sync_rows.onechange(own, size, by_agent=True)
        finally:
            await own.hang_up()
    return [replace(measured, name=f"{kind}-{size}")]
