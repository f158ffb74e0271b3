"""Times as stanzas carry them (XEP-0082), and as everything inside has them: Unix seconds."""

from datetime import UTC, datetime


def text_of(stamp: float) -> str:
    """A time as text: UTC, to the millisecond."""
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def stamp_of(text: str) -> float:
    """The time that a text names; one without a time zone is taken as UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        return parsed.timestamp()
    except OverflowError as error:
        raise ValueError("a time that no clock shows") from error
