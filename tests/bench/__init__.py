"""Measurements: run by hand, none of them a test."""
