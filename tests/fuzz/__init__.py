"""Fuzz targets: each a script for atheris, and a test that runs it over its seeds."""
