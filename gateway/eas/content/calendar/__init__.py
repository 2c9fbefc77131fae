"""Calendar items: ApplicationData of the Calendar class (MS-ASCAL) to the events of `pim`, and back.

additions   new events
absent      what it means that a property is left out
changes     stored events after what a device does to them
exceptions  occurrences that are different or gone
files       attachments
notes       the text
people      attendees, organizer, the state of a meeting
places      locations
properties  what series, single events and occurrences have alike
reading     a whole ApplicationData, read
series      recurrence
times       start, end, whole days, time zones
writing     a whole ApplicationData, written
content     all of it, as the commands use it
"""

from gateway.eas.content.calendar.content import CalendarContent

__all__ = ["CalendarContent"]
