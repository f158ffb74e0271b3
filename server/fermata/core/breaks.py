"""Where connections between servers have broken lately."""

from typing import Final


class Breaks:
    """What was not acknowledged may come again from there."""

    SECONDS: Final = 600.0  #: for so long it may

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def note(self, domain: str, now: float) -> None:
        """A connection with that domain is new, or, if it is empty, all of them are."""
        self._until[domain] = now + self.SECONDS

    def is_recent(self, domain: str, now: float) -> bool:
        """Whether somebody at that domain may say again what he has said."""
        until = self._until
        if not until:
            return False
        if min(until.values()) < now:
            for each in [each for each, end in until.items() if end < now]:
                del until[each]
        return domain in until or "" in until
