"""One file for each extension."""
