"""A client that enters its rooms once, and from then on only loses and resumes its session."""

from contextlib import suppress

from .. import ns
from ..links import Link
from ..people import PASSWORD
from ..stanzas import Element, codes, find, show
from ..wire import Client, StreamClosed
from . import deeds
from .deeds import Deed, Message

_A, _R = f"{{{ns.SM}}}a", f"{{{ns.SM}}}r"


class Resident:
    """`sent` are its stanzas in order, of which the server has acknowledged the first `acked`.

    What it has not acknowledged goes again when the session is resumed, as it does in every client (XEP-0198 §5).
    """

    def __init__(self, name: str, domain: str, rooms: list[str]) -> None:
        self.name, self.domain, self.rooms = name, domain, rooms
        self.account = f"{name}@{domain}"
        self.jid = f"{self.account}/home"
        self.sent: list[Deed] = []
        self.acked = 0
        self.seen: dict[str, dict[str, str]] = {room: {} for room in rooms}  # since `forget`: stanza-ids by text
        self.chats: dict[str, int] = {}  # how often each text came
        self._entered: set[str] = set()
        self.repeats = 0  # messages of rooms that came more than once
        self.gaps = 0  # how often a room said that it did not tell all
        self._newest: dict[tuple[str, str], int] = {}  # the number of the last message, by room and author
        self.left: list[str] = []  # what looked as if somebody had gone
        self.problems: list[str] = []
        self.is_gone = True  # it has no connection
        self._handled = 0
        self._sm_id = ""

    # Coming and going

    def log_in(self, link: Link) -> None:
        """For the first time."""
        self.client = client = self._authenticated(link)
        client.bind("home")
        self._sm_id = client.enable().get("id", "")
        client.transparent, self.is_gone = True, False
        self._do(deeds.available(self.new_id()))

    def enter(self, room: str) -> None:
        """Enter a room."""
        self._do(deeds.enter(self.new_id(), room, self.name, self.jid))

    def is_in(self, room: str) -> bool:
        """Whether the room has said that it is in."""
        return room in self._entered

    def accept_configuration(self, room: str) -> None:
        """Open a room that it has made."""
        self._do(deeds.accept_configuration(self.new_id(), room))

    def come_back(self, link: Link) -> bool:
        """Resume the session over a new connection; False if the server will not.

        Raises StreamClosed or OSError if the server dies meanwhile: nothing of the attempt then counts.
        """
        client = self._authenticated(link)
        answer = client.resume(self._sm_id, self._handled)
        if answer.tag != f"{{{ns.SM}}}resumed":
            link.close()
            return False
        self.client, client.transparent, self.is_gone = client, True, False
        self._acknowledged(int(answer.get("h", "-1")))
        self._send("".join(deed.xml for deed in self.sent[self.acked :]))
        self.ask()
        return True

    def _authenticated(self, link: Link) -> Client:
        client = Client(link, self.domain)
        client.open()
        client.authenticate(self.name, PASSWORD)
        return client

    def lose(self) -> None:
        """The connection is gone."""
        self._handled, self.is_gone = self.client.handled, True
        self.client.cut()

    # Doing

    def new_id(self) -> str:
        """An id that no other deed has."""
        return f"{self.name}.{len(self.sent) + 1}"

    def say(self, room: str, text: str = "") -> None:
        """Write to a room."""
        id = self.new_id()
        self._do(deeds.groupchat(id, room, id + text))

    def write_to(self, account: str) -> None:
        """Write to a person."""
        id = self.new_id()
        self._do(deeds.chat(id, account, id))

    def show(self, room: str) -> None:
        """Another status."""
        self._do(deeds.status(self.new_id(), room, self.name))

    def ask(self) -> None:
        """How far did the server get?"""
        self._send(f"<r xmlns='{ns.SM}'/>")

    def _do(self, deed: Deed) -> None:
        self.sent.append(deed)
        self._send(deed.xml)

    def _send(self, xml: str) -> None:
        with suppress(OSError):  # what it has sent before may still be read
            self.client.send(xml)

    @property
    def waiting(self) -> int:
        """How many stanzas it does not know to be safe."""
        return len(self.sent) - self.acked

    def said(self, until: int | None = None) -> list[Message]:
        """Its messages, or those among its first `until` stanzas."""
        return [deed for deed in self.sent[:until] if isinstance(deed, Message)]

    def forget(self) -> None:
        """What it has seen is known to be complete."""
        for seen in self.seen.values():
            seen.clear()
        self.chats.clear()

    # Seeing

    def read(self) -> None:
        """Take what has come."""
        try:
            while True:
                self._take(self.client.next(0.0))
        except TimeoutError:
            pass
        except (StreamClosed, OSError):
            self.lose()

    def _take(self, element: Element) -> None:
        tag, type = element.tag, element.get("type", "")
        if tag == _A:
            self._acknowledged(int(element.get("h", "-1")))
        elif tag == _R:
            self._send(f"<a xmlns='{ns.SM}' h='{self.client.handled}'/>")
        elif type == "error" or tag not in ("message", "presence", "iq"):
            self.problems.append(f"told {show(element)}")
        elif tag == "message":
            self._message(element, type)
        elif tag == "presence":
            self._presence(element, type)
        elif type == "get":  # a room asks whether it is there
            id = element.get("id", "")
            self._do(Deed(id, f"<iq type='result' id='{id}' to='{element.get('from')}'/>"))
            self.ask()

    def _acknowledged(self, h: int) -> None:
        if not self.acked <= h <= len(self.sent):
            self.problems.append(f"h is {h} after {self.acked}, with {len(self.sent)} sent")
        self.acked = max(self.acked, h)

    def _message(self, message: Element, type: str) -> None:
        text = message.findtext("body")
        if text is None:
            return
        if type != "groupchat":
            self.chats[text] = self.chats.get(text, 0) + 1
            return
        if find(message, f"{{{ns.HISTORY}}}history") is not None:
            self.gaps += 1
            return
        stanza_id = find(message, "sid:stanza-id")
        id = "" if stanza_id is None else stanza_id.get("id", "")
        room, _, author = message.get("from", "").partition("/")
        number = int(text.split(" ")[0].rpartition(".")[2])
        self.repeats += number <= self._newest.get((room, author), 0)
        self._newest[room, author] = max(number, self._newest.get((room, author), 0))
        if self.seen[room].setdefault(text, id) != id:
            self.problems.append(f"{text} came with two stanza-ids")

    def _presence(self, presence: Element, type: str) -> None:
        room = presence.get("from", "").partition("/")[0]
        if room not in self.seen:
            return
        if type == "unavailable":
            self.left.append(show(presence))
        elif "110" in codes(presence):
            self._entered.add(room)
