"""What stops a benchmark."""


class BenchError(Exception):
    """It can't go on; the text says why, and what would help."""
