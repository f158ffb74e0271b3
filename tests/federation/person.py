"""A client that does not mind what some rooms say beside the rules."""

from kit.stanzas import Element, find
from kit.wire import DEADLINE, Client


class Person(Client):
    """Ignores presence that a room sends as itself: ejabberd's tell of their capabilities before anything else."""

    def next(self, timeout: float = DEADLINE) -> Element:
        while True:
            element = super().next(timeout)
            if not is_of_room(element):
                return element


def is_of_room(element: Element) -> bool:
    """Whether it is presence of the room itself, and tells nothing of an occupant."""
    sender = element.get("from", "")
    is_room = "@conference." in sender and "/" not in sender
    return is_room and element.tag == "presence" and element.get("type") is None and find(element, "user:x") is None
