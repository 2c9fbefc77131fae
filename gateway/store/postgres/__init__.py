"""State, items and people in PostgreSQL, for any number of processes."""

from gateway.store.postgres.database import PostgresTransactions, connect_alone
from gateway.store.postgres.location import Location, parse_url
from gateway.store.postgres.state import PostgresState

__all__ = ["Location", "PostgresState", "PostgresTransactions", "connect_alone", "parse_url"]
