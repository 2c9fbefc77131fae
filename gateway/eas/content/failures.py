"""Why something could not be shown, as the administrator may read it."""

from __future__ import annotations

import traceback

__all__ = ["reason_of"]


def reason_of(error: Exception) -> str:
    """The kind and the place of an error, without its text, which may quote what is a user's own."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
