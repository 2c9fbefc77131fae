"""Exchange ActiveSync gateway in front of IMAP and SMTP servers."""
