"""Tests of the gateway as a process, over HTTP."""
