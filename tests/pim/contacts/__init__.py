"""Contacts as vCards."""
