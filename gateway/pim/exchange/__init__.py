"""Calendars as files (.ics): read in pieces, however large and broken they are, and written."""
