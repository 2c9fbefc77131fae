"""Events as the store keeps them: iCalendar text, read into values, changed, and expanded."""
