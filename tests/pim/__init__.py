"""Tests of gateway.pim."""
