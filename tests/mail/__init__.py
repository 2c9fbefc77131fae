"""Tests of received mail: headers, structure, bodies."""
