"""Tests of the adapters to other servers."""
