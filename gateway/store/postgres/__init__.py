"""State, items and people in PostgreSQL, for any number of processes."""

from gateway.store.postgres.database import PostgresTransactions, connect_alone
from gateway.store.postgres.location import Location, parse_url

__all__ = ["Location", "PostgresTransactions", "connect_alone", "parse_url"]
