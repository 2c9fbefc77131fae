"""Tests of the IMAP adapter."""
