"""The numbered SQL scripts that make a schema, as files in the package of a store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

__all__ = ["Script", "scripts_in"]

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Script:
    """One numbered script."""

    number: int
    name: str
    script: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.script.encode()).hexdigest()


AnyScript = TypeVar("AnyScript", bound=Script)


def scripts_in(package: str, kind: type[AnyScript]) -> Sequence[AnyScript]:
    """The scripts of a package, in order."""
    found = [
        kind(int(match[1]), match[2], entry.read_text("utf-8"))
        for entry in resources.files(package).iterdir()
        if (match := _NAME.fullmatch(entry.name))
    ]
    return sorted(found, key=lambda script: script.number)
