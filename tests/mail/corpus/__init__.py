"""Messages as the world writes them, well and badly, and what a phone should see of each.

All are made for this purpose, by hand or by rule, and the same in every run. `SAMPLES` is the whole; a module
has a family, and a new kind of trouble gets a line in one of them.
"""

from __future__ import annotations

from tests.mail.corpus import (
    broken,
    charsets,
    generated,
    headers,
    html,
    outlook,
    reports,
    secured,
    structures,
    texts,
)
from tests.mail.corpus.parts import (
    BOTH,
    INNER,
    MESSAGE,
    SIGNATURE,
    TEXT,
    Sample,
    base64_part,
    coded,
    mail,
    multi,
    part,
)

__all__ = [
    "BOTH",
    "FAMILIAR",
    "INNER",
    "MESSAGE",
    "SAMPLES",
    "SIGNATURE",
    "TEXT",
    "Sample",
    "base64_part",
    "coded",
    "mail",
    "multi",
    "part",
]

_FAMILIES = (charsets, headers, texts, html, structures, reports, secured, outlook, broken)

_WRITTEN = tuple(sample for family in _FAMILIES for sample in family.SAMPLES)

FAMILIAR: tuple[Sample, ...] = tuple(
    sample for family in (structures, reports, secured, charsets) for sample in family.SAMPLES
)
"""Messages whose text and files anybody would agree on."""

SAMPLES: tuple[Sample, ...] = (*_WRITTEN, *generated.samples(_WRITTEN))
