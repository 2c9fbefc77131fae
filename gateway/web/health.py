"""Whether the process lives (/healthz), and whether it can serve (/readyz)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import GatewayError, StoreUnavailable

__all__ = ["Check", "Health"]

Check = Callable[[], Awaitable[None]]
"""Returns when all is well; raises GatewayError otherwise."""

_CHECK_SECONDS = 5.0


class Health:
    """Runs named checks when asked, and remembers their outcome for a few seconds."""

    def __init__(self, checks: Mapping[str, Check], *, remember: float = 5.0) -> None:
        self._checks = checks
        self._remember = remember
        self._outcome: dict[str, str] = {}
        self._why: dict[str, str] = {}
        self._until = 0.0
        self._lock = asyncio.Lock()
        self._log = structlog.get_logger("gateway.health")

    def routes(self) -> list[Route]:
        return [Route("/healthz", _alive), Route("/readyz", self._ready)]

    async def outcome(self) -> Mapping[str, str]:
        """How each check went, "ok" or "failing", by its name; not older than a few seconds."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                outcomes = await asyncio.gather(*(self._run(name) for name in self._checks))
                self._outcome = dict(zip(self._checks, outcomes, strict=True))
                self._until = asyncio.get_running_loop().time() + self._remember
            return self._outcome

    async def _ready(self, _request: Request) -> Response:
        checks = await self.outcome()
        ready = all(outcome == "ok" for outcome in checks.values())
        page = {"ready": ready, "checks": dict(checks), **({"why": dict(self._why)} if self._why else {})}
        return JSONResponse(page, status_code=200 if ready else 503)

    async def _run(self, name: str) -> str:
        """Return "ok" or "failing". The page is open to everybody: it says why in words that name nothing.

        The rest goes to the log alone.
        """
        self._why.pop(name, None)
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await self._checks[name]()
        except (GatewayError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            self._log.warning("check failed", check=name, reason=reason)
            if isinstance(error, TimeoutError):
                self._why[name] = f"no answer within {_CHECK_SECONDS:.0f} seconds"
            elif isinstance(error, StoreUnavailable) and error.why:
                self._why[name] = error.why
            return "failing"
        return "ok"


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok")
