"""What is told to a person at the command line instead of a traceback."""


class CommandError(Exception):
    """A command could not be done; the text says why, to the person who gave it."""
