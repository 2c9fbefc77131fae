"""Contacts: ApplicationData of the Contacts class (MS-ASCNTC) to the contacts of `pim`, and back.

elements    which element is which field, and how it is written
days        birthdays and anniversaries, whatever time a device gives them
pictures    photos of a size that devices take
telling     what a device is told
reading     what a device says
content     all of it, as the commands use it
"""

from gateway.eas.content.contacts.content import ContactsContent

__all__ = ["ContactsContent"]
