"""What goes wrong on a page, told to whoever looks at it."""

from __future__ import annotations

__all__ = ["Problem"]


class Problem(Exception):
    """A page cannot be shown, or is not done as asked: the HTTP code, and a text that says what to do."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
