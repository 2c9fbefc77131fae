"""Calendars without a protocol: iCalendar text, time zones, recurrence and invitations."""
