"""The directory that holds what is the server's own."""

from pathlib import Path

from .errors import CommandError


def make_data_directory(directory: Path) -> None:
    """Makes it, for its owner alone, unless it is there. Raises CommandError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"the data directory {directory} cannot be made: {error.strerror}") from error
