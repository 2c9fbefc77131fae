"""Tests of gateway.pim.timezones."""
