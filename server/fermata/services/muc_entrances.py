"""People who are about to enter a room, once its archive was read for them: what they send meanwhile waits its turn."""

from collections.abc import Callable

from ..xmpp.jid import JID


class Entrances:
    """Who is about to enter which room."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[JID, JID], list[Callable[[], None]]] = {}
        self._depths: dict[tuple[JID, JID], int] = {}

    def __len__(self) -> int:
        return len(self._depths)

    def begin(self, room: JID, sender: JID) -> None:
        """The archive is read for a session; it may be read once more before that has ended."""
        key = room, sender
        self._depths[key] = self._depths.get(key, 0) + 1
        self._waiting.setdefault(key, [])

    def puts_off(self, room: JID, sender: JID, act: Callable[[], None]) -> bool:
        """Whether a session is about to enter; then `act` is called when it has."""
        waiting = self._waiting.get((room, sender))
        if waiting is None:
            return False
        waiting.append(act)
        return True

    def end(self, room: JID, sender: JID) -> None:
        """It was read. What waits goes on, in order, unless that makes it wait again."""
        key = room, sender
        self._depths[key] -= 1
        if self._depths[key]:
            return
        del self._depths[key]
        for act in self._waiting.pop(key):
            act()
