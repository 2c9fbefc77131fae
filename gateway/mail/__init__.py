"""Received and outgoing mail: structure, headers, bodies, composing."""
