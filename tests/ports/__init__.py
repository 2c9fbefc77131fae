"""Conformance: one suite per port, run over every adapter."""
