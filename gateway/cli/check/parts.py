"""The parts of an examination, one after the other, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.ports.examining import Finding, bad

__all__ = ["Part", "Row", "examined"]


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is looked at, for so many seconds at most."""

    name: str
    findings: AsyncIterator[Finding]
    seconds: float = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A finding, with the part it belongs to."""

    part: str
    finding: Finding


async def examined(parts: Iterable[Part]) -> AsyncIterator[Row]:
    """What is found, as it is found."""
    for part in parts:
        deadline = asyncio.get_running_loop().time() + part.seconds
        while (finding := await _next(part, deadline)) is not None:
            yield Row(part.name, finding)


async def _next(part: Part, deadline: float) -> Finding | None:
    """The next finding of a part; None at its end."""
    try:
        async with asyncio.timeout_at(deadline):
            return await anext(part.findings, None)
    except TimeoutError:
        return bad(
            f"not done within {part.seconds:g} s", "see what was found before, and the log of the server"
        )
    except (GatewayError, OSError) as error:
        return bad(str(error), "do what this says, and check again")
