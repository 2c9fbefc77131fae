"""Databases as older releases wrote them."""
