"""A client in one round: what it has done, what of that it was told is safe, and what it has seen."""

from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple

from .. import ns
from ..links import Link
from ..stanzas import Element, codes, find, show
from ..wire import Client, StreamClosed
from . import deeds
from .deeds import Deed

DOMAIN = "localhost"
PASSWORD = "o-wild-west-wind"

_A, _R = f"{{{ns.SM}}}a", f"{{{ns.SM}}}r"


class Seen(NamedTuple):
    """A message with a body that came; `is_old` if with a delay, from a room's history or a spool."""

    text: str
    stanza_id: str
    is_old: bool


class Place:
    """A room, as a client knows it; each visit is what it saw there from its 110 presence to the end."""

    def __init__(self) -> None:
        self.visits: list[list[Seen]] = []
        self.is_in = False
        self.under_way = 0  # the position of an enter or leave whose echo has not come


class Participant:
    """`sent` are the deeds in order: the position of the first is 1, as `h` counts it."""

    def __init__(self, name: str, resource: str, is_managed: bool) -> None:
        self.name, self.resource, self.is_managed = name, resource, is_managed
        self.account = f"{name}@{DOMAIN}"
        self.jid = f"{self.account}/{resource}"
        self.sent: list[Deed] = []
        self.acked = 0  # the highest h that came
        self.confirmed: set[int] = set()  # positions whose result or echo came
        self.answered = 0  # the newest of those
        self.chats: list[Seen] = []
        self.places: dict[str, Place] = defaultdict(Place)
        self.roster: dict[str, str] = {}
        self.problems: list[str] = []
        self.sm_id = ""
        self.is_gone = False
        self.has_come = False  # it has become available, and the server said that it knows
        self._positions: dict[str, int] = {}

    # Logging in, one thing after the other

    def log_in(self, link: Link) -> None:
        """Log in, bind and, with stream management, turn that on."""
        self.client = client = self._authenticated(link)
        client.bind(self.resource)
        result = client.get(f"<query xmlns='{ns.ROSTER}'/>")
        items = result.findall("roster:query/roster:item", ns.PREFIXES)
        self.roster = {item.get("jid", ""): item.get("name", "") for item in items}
        if self.is_managed:
            self.sm_id = client.enable().get("id", "")
        client.transparent = True

    def come_back(self, link: Link) -> int | None:
        """Resume the session over a new connection: how far the server says it got, or None if it will not."""
        handled, self.client = self.client.handled, self._authenticated(link)
        answer = self.client.resume(self.sm_id, handled)
        if answer.tag != f"{{{ns.SM}}}resumed":
            return None
        self.client.transparent, self.is_gone = True, False
        return int(answer.get("h", "-1"))

    def _authenticated(self, link: Link) -> Client:
        client = Client(link, DOMAIN)
        client.open()
        client.scram("SCRAM-SHA-1", self.name, PASSWORD)
        client.open()
        return client

    # Doing

    def new_id(self) -> str:
        """An id that no other deed of any round has, if `resource` is of one round only."""
        return f"{self.resource}.{self.name}.{len(self.sent) + 1}"

    def do(self, deed: Deed) -> str:
        """Note that a deed is done; returns the XML, which must then be sent."""
        self.sent.append(deed)
        self._positions[deed.id] = len(self.sent)
        return deed.xml

    def send(self, xml: str) -> None:
        """Write to the server, if it still listens."""
        with suppress(OSError):  # what it has sent before may still be read
            self.client.send(xml)

    def enter(self, room: str) -> str:
        """The XML for entering a room."""
        xml = self.do(deeds.enter(self.new_id(), room, self.name, self.jid))
        self.places[room].under_way = len(self.sent)
        return xml

    def leave(self, room: str) -> str:
        """The XML for leaving it."""
        xml = self.do(deeds.leave(self.new_id(), room, self.name, self.jid))
        self.places[room].under_way = len(self.sent)
        return xml

    @property
    def rooms(self) -> list[str]:
        """The rooms that it is in and is not about to leave."""
        return [room for room, place in self.places.items() if place.is_in and not place.under_way]

    @property
    def is_settled(self) -> bool:
        """Whether no enter or leave is under way."""
        return not any(place.under_way for place in self.places.values())

    @property
    def waiting(self) -> int:
        """How many deeds it does not know to be handled."""
        return len(self.sent) - (self.acked if self.is_managed else self.answered)

    def is_told(self, position: int) -> bool:
        """Whether it may rely on that deed: an `<a/>` has counted it, or its result has come."""
        return position <= self.acked or position in self.confirmed

    # Seeing

    def acknowledge(self) -> None:
        """Tell the server what has come."""
        self.send(f"<a xmlns='{ns.SM}' h='{self.client.handled}'/>")

    def read(self) -> None:
        """Take what has come."""
        try:
            while True:
                self._take(self.client.next(0.0))
        except TimeoutError:
            pass
        except (StreamClosed, OSError):
            self.is_gone = True

    def _take(self, element: Element) -> None:
        tag = element.tag
        if tag == _A:
            self._acknowledged(int(element.get("h", "-1")))
        elif tag == _R:
            self.acknowledge()
        elif element.get("type") == "error":
            self._refused(element)
        elif tag == "message":
            self._message(element)
        elif tag == "presence":
            self._presence(element)
        elif tag != "iq":
            if find(element, "stream-errors:system-shutdown") is None:
                self.problems.append(show(element))
        elif element.get("type") == "result":
            self._confirm(self._positions.get(element.get("id", ""), 0))

    def _acknowledged(self, h: int) -> None:
        if not self.acked <= h <= len(self.sent):
            self.problems.append(f"h is {h} after {self.acked}, with {len(self.sent)} sent")
        self.acked = max(self.acked, h)
        self.has_come = self.acked > 0

    def _confirm(self, position: int) -> None:
        if position:
            self.confirmed.add(position)
            self.answered = max(self.answered, position)

    def _refused(self, stanza: Element) -> None:
        """Only what leaves nothing may be: a chat state for somebody who is offline, say."""
        position = self._positions.get(stanza.get("id", ""), 0)
        if not position or type(self.sent[position - 1]) is not Deed:
            self.problems.append(f"refused: {show(stanza)}")
        self.answered = max(self.answered, position)

    def _message(self, message: Element) -> None:
        text = message.findtext("body")
        if text is None:
            return
        stanza_id = find(message, "sid:stanza-id")
        is_old = find(message, "delay:delay") is not None
        seen = Seen(text, "" if stanza_id is None else stanza_id.get("id", ""), is_old)
        if message.get("type") != "groupchat":
            self.chats.append(seen)
            return
        place = self.places[message.get("from", "").partition("/")[0]]
        if place.is_in:
            place.visits[-1].append(seen)
        else:
            self.problems.append(f"seen outside of the room: {show(message)}")

    def _presence(self, presence: Element) -> None:
        place = self.places.get(presence.get("from", "").partition("/")[0])
        if place is None or "110" not in codes(presence):
            return
        is_here = presence.get("type") != "unavailable"
        if is_here == place.is_in:
            return
        place.is_in = is_here
        if is_here:
            place.visits.append([])
        if not place.under_way:
            self.problems.append(f"not asked for: {show(presence)}")
        self._confirm(place.under_way)
        place.under_way = 0
