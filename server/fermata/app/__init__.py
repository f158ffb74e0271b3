"""Puts the parts together: configuration, start, command line."""
