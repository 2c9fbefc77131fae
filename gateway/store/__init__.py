"""Adapters to the databases that keep the gateway's own state."""
