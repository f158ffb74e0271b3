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

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken in or recalled yet."""
        return not self._known

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

    def recall(self, identities: Iterable[str], places: Iterable[int]) -> None:
        """What storage still knows, oldest first, more places than identities; it is older than what is here."""
        self._known = (array("q", map(hash, identities)) + self._known)[-MOST:]
        self.places = (array("q", places) + self.places)[-MOST:]
