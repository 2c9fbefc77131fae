"""State and items in one SQLite file."""

from gateway.store.sqlite.location import parse_url
from gateway.store.sqlite.lock import serving
from gateway.store.sqlite.state import SqliteState

__all__ = ["SqliteState", "parse_url", "serving"]
