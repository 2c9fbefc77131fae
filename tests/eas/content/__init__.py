"""Tests of the content classes on the wire."""
