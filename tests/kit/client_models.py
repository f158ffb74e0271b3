"""Clients as their sources say that they behave in rooms when something breaks, each in a few lines.

What is modelled is what they do about being in or out: how they resume, when they ask (XEP-0410), when they enter
again, what a status 332 or 333, an invitation or an error to what they say does to them.
"""

from collections import Counter
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from . import ns
from .federated import FederatedWorld
from .wire import Client, StreamClosed

_RECONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Habits:
    """What tells one client from another; times are in seconds, 0 is never."""

    name: str
    polls: float = 0.0  #: asks whether it is still in
    polls_on_resume: bool = False  #: does so after its stream was resumed
    polls_on_error: bool = False  #: does so when something that it says is refused, or on an invitation
    retries: float = 0.0  #: enters again so often once it knows that it is out, by 332 or 333
    manages: bool = True  #: uses stream management


CONVERSATIONS = Habits("Conversations", polls_on_error=True)
GAJIM = Habits("Gajim", retries=10.0)
DINO = Habits("Dino", polls=180.0, polls_on_resume=True)
MONAL = Habits("Monal", polls_on_resume=True)
CONVERSE = Habits("Converse", polls_on_error=True)
SIMPLE = Habits("a simple client", manages=False)
ALL = (CONVERSATIONS, GAJIM, DINO, MONAL, CONVERSE, SIMPLE)


class ModelClient:
    """One such client, in one room."""

    def __init__(self, habits: Habits, world: FederatedWorld, address: str, room: str, nick: str) -> None:
        self.habits, self._world, self.address, self.room, self.nick = habits, world, address, room, nick
        self.messages: Counter[str] = Counter()  #: by stanza-id: how often it was got
        self.seen: list[tuple[str, str]] = []  #: (nickname, type) of the presence of others since `forget`
        self.knows_it_is_out = False
        self.entrances = 0
        self._client: Client | None = None
        self._sm_id, self._handled = "", 0
        self._lost_at = self._polled_at = self._tried_at = world.clock.seconds()
        self._ping = ""
        self._connect()

    # -- what it does by itself

    def step(self) -> None:
        """Takes what has come, and does what is due."""
        now = self._world.clock.seconds()
        if self._client is None:
            if self._world.is_up and now >= self._lost_at + _RECONNECT_SECONDS:
                self._connect()
            return
        try:
            while True:
                self._take(self._client.next(0))
        except TimeoutError:
            pass
        except (StreamClosed, ConnectionError):
            self._lose()
            return
        if self.habits.polls and now >= self._polled_at + self.habits.polls:
            self._poll()
        if self.knows_it_is_out and self.habits.retries and now >= self._tried_at + self.habits.retries:
            self._enter()

    def cut(self) -> None:
        """Its connection breaks."""
        if self._client is not None:
            self._client.cut()
            self._lose()

    def say(self, body: str) -> None:
        """Says something in the room, if it can."""
        if self._client is not None:
            self._send(f"<message to='{self.room}' type='groupchat' id='{body}'><body>{body}</body></message>")

    def forget(self) -> None:
        """What it has seen of the others until now is forgotten."""
        self.seen.clear()

    def _send(self, xml: str) -> None:
        try:
            if self._client is not None:
                self._client.send(xml)
        except ConnectionError:
            self._lose()

    # -- its connection

    def _lose(self) -> None:
        assert self._client is not None
        self._handled, self._client = self._client.handled, None
        self._lost_at = self._world.clock.seconds()

    def _connect(self) -> None:
        try:
            client = self._world.authenticated(self.address)
            if self._sm_id and client.resume(self._sm_id, self._handled).tag == f"{{{ns.SM}}}resumed":
                self._client = client
                if self.habits.polls_on_resume:
                    self._poll()
                return
            self._client = client
            client.bind(self.address.split("/")[1])
            if self.habits.manages:
                self._sm_id = client.enable().get("id", "")
        except (StreamClosed, ConnectionError, AssertionError, TimeoutError):
            self._client, self._lost_at = None, self._world.clock.seconds()
            return
        self._send("<presence/>")
        self._enter()

    # -- the room

    def _enter(self) -> None:
        self.entrances += 1
        self._tried_at = self._world.clock.seconds()
        history = "<history maxstanzas='20'/>" if self.messages else "<history maxstanzas='0'/>"
        self._send(f"<presence to='{self.room}/{self.nick}'><x xmlns='{ns.MUC}'>{history}</x></presence>")

    def _poll(self) -> None:
        self._polled_at = self._world.clock.seconds()
        self._ping = f"ping-{self._polled_at}"
        self._send(f"<iq type='get' id='{self._ping}' to='{self.room}/{self.nick}'><ping xmlns='{ns.PING}'/></iq>")

    def _take(self, stanza: Element) -> None:
        if stanza.tag == "iq" and stanza.get("id") == self._ping:
            if _condition(stanza) not in ("", "service-unavailable", "feature-not-implemented", "item-not-found"):
                self._enter()
        elif (stanza.get("from") or "").split("/")[0] != self.room:
            return
        elif stanza.tag == "presence":
            self._take_presence(stanza)
        elif stanza.tag == "message":
            self._take_message(stanza)

    def _take_presence(self, presence: Element) -> None:
        codes = {status.get("code") for status in presence.iter(f"{{{ns.MUC_USER}}}status")}
        nick = (presence.get("from") or "").rpartition("/")[2]
        type = presence.get("type", "")
        if "110" not in codes and nick != self.nick:
            self.seen.append((nick, type))
        elif type == "unavailable":
            self.knows_it_is_out = True
            if "333" in codes and self.habits.polls_on_error:
                self._poll()
        elif type == "":
            self.knows_it_is_out = False

    def _take_message(self, message: Element) -> None:
        if message.get("type") == "error" or message.find(f"{{{ns.MUC_USER}}}x/{{{ns.MUC_USER}}}invite") is not None:
            if self.habits.polls_on_error:
                self._poll()
            return
        for item in message.iter(f"{{{ns.SID}}}stanza-id"):
            if item.get("by") == self.room and message.findtext("body"):
                self.messages[item.get("id", "")] += 1


def _condition(stanza: Element) -> str:
    error = stanza.find("error")
    if error is None:
        return ""
    return next((item.tag.rpartition("}")[2] for item in error if not item.tag.endswith("}text")), "")
