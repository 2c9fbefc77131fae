"""HTML of mail to readable text and back.

Reading takes time and room linear in the input: a document of many tags is written anew before it is parsed.
"""

from __future__ import annotations

from gateway.mail.html.documents import declared_charset, from_text, join, relabel
from gateway.mail.html.flattening import restored, shallow
from gateway.mail.html.reading import to_text

__all__ = ["declared_charset", "from_text", "join", "relabel", "restored", "shallow", "to_text"]
