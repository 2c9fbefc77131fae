"""Tests of the HTTP endpoint and the pages beside it."""
