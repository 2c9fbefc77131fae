"""Adapters to the servers behind the gateway."""
