"""Calendars and contacts as files (.ics, .vcf): read in pieces, however large and broken, and written."""
