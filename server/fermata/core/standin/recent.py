"""The newest messages of a room, as far as they must be told apart and found again."""

from array import array
from collections.abc import Iterable
from typing import Final

MOST: Final = 50


class Recent:
    """What they are known by, as 64 bits of a hash, and their places in the account's archive.

    Nobody can choose what a message is known by so that it looks like another: the hash is another one in each process.
    """

    __slots__ = ("_known", "places")

    def __init__(self) -> None:
        self._known, self.places = array("q"), array("q")

    def knows(self, identity: str) -> bool:
        """Whether a message is there already."""
        return hash(identity) in self._known

    def takes(self, identity: str) -> bool:
        """Takes a message in; False if it is there already."""
        key = hash(identity)
        if key in self._known:
            return False
        self._known.append(key)
        if len(self._known) > MOST:
            del self._known[0]
        return True

    def kept(self, place: int) -> None:
        """The message that was taken in last has this place."""
        self.places.append(place)
        if len(self.places) > MOST:
            del self.places[0]

    def recall(self, messages: Iterable[tuple[str, int]]) -> None:
        """What storage still knows, oldest first: identities and places; it is older than what is here."""
        found = list(messages)
        known = array("q", [hash(identity) for identity, _ in found])
        self._known = (known + self._known)[-MOST:]
        self.places = (array("q", [place for _, place in found]) + self.places)[-MOST:]
