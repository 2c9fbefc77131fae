"""State, items and people in one SQLite file."""

from gateway.store.sqlite.database import Database
from gateway.store.sqlite.items import SqliteItems
from gateway.store.sqlite.location import parse_url
from gateway.store.sqlite.lock import serving
from gateway.store.sqlite.people import SqlitePeople
from gateway.store.sqlite.state import SqliteState

__all__ = ["Database", "SqliteItems", "SqlitePeople", "SqliteState", "parse_url", "serving"]
