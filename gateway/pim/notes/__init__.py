"""Notes without a protocol: the text of a VJOURNAL (RFC 5545 3.6.3) read and changed.

That is what iCalendar has for notes: summary, description, categories and times, as events and tasks have.
So notes are kept, imported and exported as these are, and programs that know journals can read them.
"""
