"""The mail store: an IMAP server that the gateway does not own."""
