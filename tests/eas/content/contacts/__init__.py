"""The Contacts class."""
