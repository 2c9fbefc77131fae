"""Task items: ApplicationData of the Tasks class (MS-ASTASK) to the tasks of `pim`, and back.

dates     dates by the clock and in UTC
series    recurrence
elements  the table of all elements, by which a whole ApplicationData is read and shown
content   all of it, as the commands use it
"""

from gateway.eas.content.tasks.content import TaskContent

__all__ = ["TaskContent"]
