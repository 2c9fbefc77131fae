"""Tests of gateway.pim.itip."""
