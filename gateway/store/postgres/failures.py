"""PostgreSQL's errors, said in words that tell the administrator what to do."""

from __future__ import annotations

import ssl

import asyncpg
from asyncpg import exceptions as pg

from gateway.errors import GatewayError, StoreUnavailable

__all__ = ["FAILURES", "explain", "is_lost", "is_useless", "is_worth_another_try"]

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What the database, the way to it and the library fail with."""

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.CannotConnectNowError,
    pg.IdleInTransactionSessionTimeoutError,
    OSError,
)
"""The connection is gone, or was never there."""
_COLLIDED = (pg.SerializationError, pg.DeadlockDetectedError)
"""Nothing was done, because of another transaction at the same time."""
_OUTDATED = (pg.InvalidCachedStatementError,)
"""Nothing was done, because of a migration meanwhile: the library has forgotten what it knew by now."""

_Remedies = tuple[tuple[tuple[type[BaseException], ...], str], ...]

_OF_THE_STORE: _Remedies = (
    (
        (pg.InvalidAuthorizationSpecificationError, pg.InvalidPasswordError),
        "the server does not let us in: check user and password in store.url, and the server's pg_hba.conf",
    ),
    (
        (pg.ProtocolViolationError,),  # with which PgBouncer says all that is wrong
        "a pooler refuses us: see its log; in transaction mode it needs store.pooled and store.direct_url",
    ),
    ((pg.InvalidCatalogNameError,), "there is no such database: create it, or change store.url"),
    (
        (pg.UndefinedObjectError, pg.CantChangeRuntimeParamError),
        "the server does not know or take a setting of store.url",
    ),
    ((pg.InsufficientPrivilegeError,), "access denied: the user of store.url must own the database's tables"),
    (
        (pg.ReadOnlySQLTransactionError, asyncpg.TargetServerAttributeNotMatched),
        "the server only lets us read: it is no primary (any more)",
    ),
    ((pg.DiskFullError,), "the disk of the server is full: free some space"),
    (
        (pg.TooManyConnectionsError,),
        "the server takes no more connections: raise its max_connections, or lower store.connections",
    ),
    (
        (pg.CannotConnectNowError, pg.AdminShutdownError, pg.CrashShutdownError),
        "the server is stopping or starting",
    ),
    (
        (pg.QueryCanceledError, TimeoutError),
        "the server took too long to answer: it is overloaded, or cut off",
    ),
    (
        (pg.DataCorruptedError, pg.IndexCorruptedError),
        "it is damaged: restore it from a backup, or see the server's log",
    ),
    (
        (
            pg.InsufficientResourcesError,
            pg.OperatorInterventionError,
            pg.PostgresSystemError,
            pg.ObjectNotInPrerequisiteStateError,
            pg.InternalServerError,  # a quota of its disk that is used up, too
        ),
        "it failed: see the server's log",
    ),
    (_COLLIDED, "too many writers at once"),
    (_OUTDATED, "it is just being migrated"),
    ((pg.UndefinedTableError, pg.UndefinedColumnError), "the schema is not that of this gateway: restart it"),
    (
        (ssl.SSLCertVerificationError,),
        "its certificate is not trusted: see sslrootcert in store.url",
    ),
    ((FileNotFoundError,), "a socket or a file that store.url names is not there"),
    ((OSError,), "the server cannot be reached: see whether it runs where store.url says"),
    (
        (
            asyncpg.PostgresConnectionError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            pg.IdleInTransactionSessionTimeoutError,
        ),
        "the connection was lost",
    ),
)
"""What fails whatever is stored, until it passes or somebody sees to it: phones wait, and give up nothing."""
_OF_THE_URL = (asyncpg.ClientConfigurationError, asyncpg.UnsupportedClientFeatureError)


def is_lost(error: BaseException) -> bool:
    """Whether there is no connection any more: another one may do."""
    return isinstance(error, _LOST)


def is_useless(error: BaseException) -> bool:
    """Whether the connection can be of no use any more, and others made before neither.

    After a failover what was the primary can only be read.
    """
    return is_lost(error) or isinstance(error, pg.ReadOnlySQLTransactionError)


def is_worth_another_try(error: BaseException) -> bool:
    """Whether a transaction that ended so, and was not committed, may go through at once when repeated."""
    return isinstance(error, (*_COLLIDED, *_OUTDATED, *_LOST))


def explain(error: BaseException, name: str) -> GatewayError:
    """The error of the gateway for one of `FAILURES`: `StoreUnavailable`, unless it is for what was stored.

    That would fail again and again, and must not keep anything else waiting.
    """
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, _OF_THE_URL):
        return GatewayError(f"database {name}: store.url cannot be used: {said}")
    for kinds, why in _OF_THE_STORE:
        if isinstance(error, kinds):
            return StoreUnavailable(f"database {name}: {why} ({said})", why)
    return GatewayError(f"database {name}: unexpected error ({type(error).__name__}: {said})")
