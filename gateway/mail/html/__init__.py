"""HTML of mail to readable text and back.

Reading takes time linear in the input but for the nesting of elements and the attributes of one, where the
parser needs the square of their number; what has more of them than people ever write is cut down first.
"""

from __future__ import annotations

from gateway.mail.html.documents import declared_charset, from_text, join, relabel
from gateway.mail.html.flattening import shallow
from gateway.mail.html.reading import to_text

__all__ = ["declared_charset", "from_text", "join", "relabel", "shallow", "to_text"]
