"""Tasks without a protocol: the text of a VTODO (RFC 5545 3.6.2) read and changed.

model     what is known of a task, and what is to become of it
reading   what a VTODO says
series    a task that repeats: where it stands, and how it goes on
writing   values as lines of a VTODO, in one table
document  all of it, as others call it
"""
