"""State and items in one SQLite file."""
