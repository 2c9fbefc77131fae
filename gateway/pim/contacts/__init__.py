"""Contacts without a protocol: vCard text, read and changed line by line.

model       what is known of a contact
table       where it is in a vCard: the one mapping
places      single properties and the parts of one
relations   people around the contact, and days to remember
slots       properties of which a vCard has any number, and a phone so many
allotting   which line is in which of these slots
forms       how values stand in such lines
dates       days of a year, or of every year
picture     the photo, and smaller ones of it
naming      how the contact is called and filed
card        a vCard taken apart
recipient   people a user writes to, who are no contacts
document    what others call: contacts read, made and changed
intake      vCards of any version and make, as they are to be stored
legacy      the lines of version 2.1
"""
