"""PostgreSQL's errors, said in words that tell the administrator what to do."""

from __future__ import annotations

import asyncpg
from asyncpg import exceptions as pg

from gateway.errors import GatewayError, Kind

__all__ = ["FAILURES", "explain", "is_lost", "is_worth_another_try"]

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What the database, the way to it and the library fail with."""

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.CannotConnectNowError,
    pg.IdleInTransactionSessionTimeoutError,
    OSError,
)
"""The connection is gone, or was never there."""
_COLLIDED = (pg.SerializationError, pg.DeadlockDetectedError)
"""Nothing was done, because of another transaction at the same time."""
_REMEDIES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (pg.InvalidAuthorizationSpecificationError, pg.InvalidPasswordError),
        "the server does not let us in: check user and password in store.url, and the server's pg_hba.conf",
    ),
    ((pg.InvalidCatalogNameError,), "there is no such database: create it, or change store.url"),
    ((pg.InsufficientPrivilegeError,), "access denied: the user of store.url must own the database's tables"),
    ((pg.ReadOnlySQLTransactionError,), "the server only lets us read: it is no primary (any more)"),
    ((pg.DiskFullError,), "the disk of the server is full: free some space"),
    (
        (pg.TooManyConnectionsError,),
        "the server takes no more connections: raise its max_connections, or lower store.connections",
    ),
    (
        (pg.CannotConnectNowError, pg.AdminShutdownError, pg.CrashShutdownError),
        "the server is stopping or starting",
    ),
    ((pg.QueryCanceledError, TimeoutError), "the server took too long to answer"),
    ((pg.InsufficientResourcesError, pg.OperatorInterventionError, pg.PostgresSystemError), "it failed"),
    (_COLLIDED, "too many writers at once"),
    ((pg.UndefinedTableError, pg.UndefinedColumnError), "the schema is not that of this gateway: restart it"),
    ((OSError,), "the server cannot be reached"),
    ((asyncpg.PostgresConnectionError, asyncpg.InterfaceError), "the connection was lost"),
)


def is_lost(error: BaseException) -> bool:
    """Whether there is no connection any more: another one may do."""
    return isinstance(error, _LOST)


def is_worth_another_try(error: BaseException) -> bool:
    """Whether a transaction that ended so, and was not committed, may go through at once when repeated."""
    return isinstance(error, (*_COLLIDED, *_LOST))


def explain(error: BaseException, name: str) -> GatewayError:
    """The `GatewayError` for one of `FAILURES`.

    It is of `Kind.MAILBOX_OFFLINE` when waiting may help: phones are told so by HTTP, and wait.
    """
    said = " ".join(str(error).split()) or type(error).__name__
    for kinds, remedy in _REMEDIES:
        if isinstance(error, kinds):
            explained = GatewayError(f"database {name}: {remedy} ({said})")
            explained.kind = Kind.MAILBOX_OFFLINE
            return explained
    return GatewayError(f"database {name}: unexpected error ({type(error).__name__}: {said})")
