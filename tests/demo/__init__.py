"""Tests of gateway.demo."""
