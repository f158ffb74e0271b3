"""Requests of clients that go to the room in the stand-in's name, and the ids under which they do."""

from typing import Final, NamedTuple

from ...xmpp.element import Element, copy_of
from ...xmpp.jid import JID

MOST: Final = 200  #: the oldest of more is given up


class Question(NamedTuple):
    """Which client has asked, whom, and under which id."""

    client: JID
    to: JID
    id: str


class Questions:
    """Those that have no answer yet, and what was said that may still be refused."""

    __slots__ = ("_open", "_said")

    def __init__(self) -> None:
        self._open: dict[str, Question] | None = None
        self._said: dict[str, tuple[JID, Element]] | None = None

    def ask(self, iq: Element, client: JID, to: JID, me: JID, id: str) -> Element:
        """The request as the room gets it."""
        if self._open is None:
            self._open = {}
        if len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        self._open[id] = Question(client, to, iq.get("id", ""))
        asked = copy_of(iq)
        asked.attrib.update({"from": me, "to": to, "id": id})
        return asked

    def answered(self, id: str, sender: JID) -> Question | None:
        """Which request that answers; nobody else can answer than was asked."""
        found = None if self._open is None else self._open.get(id)
        if found is None or found.to != sender:
            return None
        assert self._open is not None
        del self._open[id]
        return found

    def say(self, message: Element, client: JID) -> None:
        """A client's message is on its way, and may come back as an error."""
        id = message.get("id")
        if not id:
            return
        if self._said is None:
            self._said = {}
        self._said.pop(id, None)
        if len(self._said) >= MOST:
            del self._said[next(iter(self._said))]
        self._said[id] = (client, message)

    def heard(self, id: str) -> tuple[JID, Element] | None:
        """A message with that id has come back, for better or worse: whose it was."""
        return None if self._said is None else self._said.pop(id, None)
