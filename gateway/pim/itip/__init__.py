"""Meetings by message (iTIP, RFC 5546): what a message changes in a calendar, and what a change is told by.

Pure rules over the text of events; the mail around them is written by `mail/imip.py`.
"""
