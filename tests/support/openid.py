"""An OpenID provider for the tests: discovery, keys that change, tokens made out as a test wants them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.ports import LOOPBACK

AUDIENCE = "activesync"
START_SECONDS = 60.0
_SECONDS = 600
SigningKey = RSAKey | ECKey


class OpenIdProvider:
    """Runs in a thread of its own on a free loopback port; a context manager.

    `asked` counts the requests by path. With `broken` it answers 500; `changed` is laid over what discovery
    tells.
    """

    host = LOOPBACK

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.broken = False
        self.changed: dict[str, Any] = {}
        self.keys: list[SigningKey] = []
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self.issuer = f"http://{LOOPBACK}:{self.port}/realm"
        self.renew_keys()

    def renew_keys(self, *, keep: bool = False) -> RSAKey:
        """Signs with another key from now on, and forgets the others unless they are kept."""
        name = f"key{len(self.keys) + 1}-{id(object())}"
        made = RSAKey.generate_key(2048, {"kid": name, "use": "sig"})
        self.keys = [made, *(self.keys if keep else ())]
        return made

    def token(
        self, user: str, *, key: SigningKey | None = None, head: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A token for the user's address; `claims` are laid over the usual ones, None takes one out."""
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": [AUDIENCE, "account"],
            "sub": f"id-{user}",
            "email": f"{user}@example.test",
            "scope": "openid email mail",
            "iat": now,
            "nbf": now,
            "exp": now + _SECONDS,
        }
        made = {name: value for name, value in (usual | claims).items() if value is not None}
        key = key or self.keys[0]
        named = {"alg": "RS256", "typ": "JWT", "kid": key.kid} | (head or {})
        return jwt.encode({name: value for name, value in named.items() if value is not None}, made, key)

    def leave_keys(self, folder: Path) -> None:
        """Writes the public keys as Dovecot looks for them (local_validation_key_dict)."""
        place = folder / "default" / "RS256"
        place.mkdir(parents=True, exist_ok=True)
        for key in self.keys:
            (place / str(key.kid)).write_bytes(key.as_pem(private=False))
        for path in (folder, folder / "default", place):
            path.chmod(0o755)

    def _app(self) -> Starlette:
        def counted(answer: Callable[[], object]) -> Callable[[Request], Awaitable[Response]]:
            async def endpoint(request: Request) -> Response:
                self.asked[request.url.path] += 1
                return Response(status_code=500) if self.broken else JSONResponse(answer())

            return endpoint

        def discovery() -> object:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            } | self.changed

        def keys() -> object:
            return {"keys": [key.as_dict(private=False) for key in self.keys]}

        return Starlette(
            routes=[
                Route("/realm/.well-known/openid-configuration", counted(discovery)),
                Route("/realm/keys", counted(keys)),
            ]
        )

    def __enter__(self) -> OpenIdProvider:
        config = uvicorn.Config(self._app(), log_config=None, lifespan="off", loop="asyncio")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self) -> None:
        asyncio.run(self._server.serve([self._listening]))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._listening.close()
