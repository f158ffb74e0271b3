"""What `fermata check` finds, and how bad it is."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """Errors keep the server or its clients from working, warnings will or may; a note is only good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(NamedTuple):
    """One thing found; `hint` is what to do about it, where that is not plain."""

    severity: Severity
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}" + (f"\n    {self.hint}" if self.hint else "")


def error(text: str, hint: str = "") -> Finding:
    """A finding that must be put right."""
    return Finding(Severity.ERROR, text, hint)


def warning(text: str, hint: str = "") -> Finding:
    """A finding that should be put right."""
    return Finding(Severity.WARNING, text, hint)


def note(text: str, hint: str = "") -> Finding:
    """A finding that is only good to know."""
    return Finding(Severity.NOTE, text, hint)
