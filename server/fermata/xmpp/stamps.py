"""Times as stanzas carry them (XEP-0082), and as everything inside has them: Unix seconds."""

from datetime import UTC, datetime
from functools import lru_cache


def text_of(stamp: float) -> str:
    """A time as text: UTC, to the millisecond."""
    second, millisecond = divmod(round(stamp * 1000), 1000)
    return f"{_second(second)}.{millisecond:03}Z"


@lru_cache(maxsize=256)
def _second(second: int) -> str:
    """Most of the times that are written together lie close together."""
    return datetime.fromtimestamp(second, UTC).isoformat()[:-6]


def stamp_of(text: str) -> float:
    """The time that a text names; one without a time zone is taken as UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    try:
        return parsed.timestamp()
    except OverflowError as error:
        raise ValueError("a time that no clock shows") from error
