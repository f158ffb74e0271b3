"""What a stand-in knows: what was wished, how it is with the room, which clients are attached."""

import json
from collections.abc import Callable
from enum import Enum
from math import inf
from typing import Final, NamedTuple

from ...xmpp.element import Element, child
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..muc.history import Limits
from .acts import Act, ToClients
from .missed import Repair
from .questions import Questions
from .recent import Recent
from .stanzas import MUC
from .view import View

GRACE_SECONDS: Final = 60.0  #: how long it stays in a room that nobody wants any more
NEWS_SECONDS: Final = 600.0  #: after that without success, clients are told that the room has shut down
SHOWN_SECONDS: Final = 60.0  #: within that time, what clients were shown is on disk
MOST_SHOWN: Final = 1_000  #: so many nicknames of a room are
COALESCE_SECONDS: Final = 5.0  #: changes of presence within that time are one


class Standing(Enum):
    """How it is with the room."""

    OUT = "out"
    ENTERING = "entering"
    IN = "in"
    FALLEN = "fallen out, for no reason of people's"
    REMOVED = "removed by people, or not let in"


class Wish(NamedTuple):
    """An account wants to be in a room with or without a client; the nickname is a proposal."""

    nick: str
    password: str = ""


class Beside(NamedTuple):
    """A client of the account that is in the room by itself, under this nickname, with this presence."""

    client: JID
    nick: str
    presence: Element


class Seat:
    """A client that is attached. While it is told the history, what is said meanwhile is `held`."""

    __slots__ = ("before", "held", "is_new", "limits", "nick", "presence")

    def __init__(self, nick: str, presence: Element) -> None:
        self.nick, self.presence = nick, presence
        self.is_new = False  #: it gets what the room tells of before it came
        self.held: list[Payload] | None = None
        self.before: list[Payload] = []  #: of the history that the room tells now, what the archive has not
        self.limits: Limits | None = None  #: it is told the history within these once the room has told its own


class Newcomer(NamedTuple):
    """A client that waits to be let in."""

    client: JID
    nick: str
    password: str
    history: dict[str, str]
    limits: Limits
    presence: Element

    @property
    def id(self) -> str:
        """Of its presence, by which it knows the answer; empty if it has none."""
        return self.presence.get("id", "")

    @property
    def credentials(self) -> tuple[str, str]:
        """What the room judges by."""
        return self.nick, self.password

    @property
    def is_back(self) -> bool:
        """Whether it did not know that it was not in, and must forget what it knew."""
        return child(self.presence, MUC) is None


class StandInState:
    """One account in one room. `me` is the full JID that is in it; `extra` goes into each of its presences."""

    __slots__ = (
        "added",
        "attached",
        "away_since",
        "before",
        "beside",
        "driver",
        "extra",
        "gathered",
        "here",
        "is_archived",
        "is_doubted",
        "joined",
        "keeps",
        "last",
        "leaves_at",
        "me",
        "new_id",
        "nick",
        "parked",
        "password",
        "pings",
        "presence_at",
        "questions",
        "recent",
        "renaming",
        "repair",
        "room",
        "shown",
        "shown_at",
        "since",
        "standing",
        "stated",
        "tells_at",
        "view",
        "waiting",
        "waits",
        "why",
        "wish",
    )

    def __init__(self, me: JID, room: JID, new_id: Callable[[], str], extra: tuple[Element, ...] = ()) -> None:
        self.me, self.room, self.new_id, self.extra = me, room, new_id, extra
        self.wish: Wish | None = None
        self.added: tuple[Element, ...] = ()  #: to presence, for the account: of what clients say it is a part already
        self.keeps = False  #: it stays without a wish, as long as no client says otherwise
        self.nick = self.password = ""  #: with which it enters
        self.here = ""  #: its nickname in the room, while it is in
        self.standing, self.why = Standing.OUT, ""  #: `why`: what has removed it
        self.is_doubted = False
        self.joined = 0.0  #: about when it was let in first: what was said before is the room's to tell
        #: Until then, it was told all that was said in the room; 0 for nothing. `last` is the stanza-id of the newest.
        self.since, self.last = 0.0, ""
        self.repair: Repair | None = None
        self.is_archived = True  #: whether what is said there has a place in the account's archive
        self.before = 0.0  #: when the newest was said of what is kept beside the archive; 0 for nothing
        self.gathered: list[Payload] | None = None  #: that, while the room tells it for the first time
        self.view, self.recent, self.questions = View(), Recent(), Questions()
        self.attached: dict[JID, Seat] = {}
        self.waiting: list[Newcomer] = []
        self.beside: dict[JID, Element] = {}  #: the presence of clients that are in the room by themselves
        self.waits = False  #: until those have gone, since the room does not take them and the account
        self.driver: JID | None = None  #: the client in whose words it is entering
        self.parked: list[tuple[JID, Element]] = []  #: what clients have said while it was out
        self.pings: list[tuple[JID, Element]] = []  #: self-pings that cannot be answered yet
        self.renaming: tuple[JID, Element] | None = None  #: who has asked for another nickname
        self.leaves_at = self.tells_at = self.presence_at = inf
        #: The nicknames of others that clients of the process before this one were shown, until the room has told anew.
        self.shown: list[str] = []
        self.shown_at = inf  #: when those are to be on disk that clients were shown since
        self.stated: tuple[str, ...] = ()  #: the presence that the room has of it
        self.away_since = 0.0

    @property
    def occupant(self) -> JID:
        """Its occupant JID; while it is not in, the one that it would have."""
        return self.room.with_resource(self.here or self.nick)

    @property
    def is_wanted(self) -> bool:
        """Whether it stays without any client."""
        return self.wish is not None or self.keeps

    @property
    def clients(self) -> tuple[JID, ...]:
        """All attached ones."""
        return tuple(self.attached)

    def to_all(self, payload: Payload) -> list[Act]:
        """Shows something to all attached clients, in its turn to those who are still told the history."""
        return self.to_some(payload, self.clients)

    def to_some(self, payload: Payload, clients: tuple[JID, ...]) -> list[Act]:
        """The same for some of them."""
        ready = self.ready(payload, clients)
        return [ToClients(payload, ready)] if ready else []

    def ready(self, payload: Payload, clients: tuple[JID, ...]) -> tuple[JID, ...]:
        """Those of them who can be shown something now; for the others it is held."""
        found = []
        for client in clients:
            seat = self.attached.get(client)
            if seat is not None and seat.held is not None:
                seat.held.append(payload)
            else:
                found.append(client)
        return tuple(found)

    def may_miss(self) -> None:
        """Something that the room says may not come: it is asked for, if it is known from where on."""
        if self.repair is None:
            self.repair = Repair() if self.since else None
        else:
            self.repair.begin()

    def forget_said(self) -> None:
        """It is out, for good as far as is known: what is said from now on is not said to this account."""
        self.joined, self.since, self.last = 0.0, 0.0, ""

    def doubted(self) -> None:
        """The way to the room is lost: nobody knows whether it is in, and whether it hears everything."""
        self.is_doubted = True
        if self.standing is Standing.IN and self.repair is None:
            self.may_miss()

    # -- on disk

    def saved(self) -> str:
        """What is kept of it, as JSON."""
        kept = {
            "wish": self.wish,
            "keeps": self.keeps,
            "nick": self.nick,
            "password": self.password,
            "here": self.here,
            "standing": self.standing.name,
            "why": self.why,
            "since": self.since,
            "last": self.last,
            "joined": self.joined,
            "before": self.before,
            "shown": list(self.view.others)[-MOST_SHOWN:] if self.attached and self.view.is_known else self.shown,
            "clients": {client.resource: seat.nick for client, seat in self.attached.items()},
        }
        return json.dumps({name: value for name, value in kept.items() if value})

    def restore(self, text: str) -> None:
        """Takes up what an earlier process has saved. Raises ValueError, KeyError or TypeError if it makes no sense."""
        kept = json.loads(text)
        self.wish = Wish(*kept["wish"]) if "wish" in kept else None
        self.keeps = bool(kept.get("keeps", False))
        self.nick, self.password = str(kept.get("nick", "")), str(kept.get("password", ""))
        self.here, self.why = str(kept.get("here", "")), str(kept.get("why", ""))
        self.standing, self.since = Standing[kept["standing"]], float(kept.get("since", 0.0))
        self.joined, self.before = float(kept.get("joined", 0.0)), float(kept.get("before", 0.0))
        self.last = str(kept.get("last", ""))
        if self.since and self.standing not in (Standing.OUT, Standing.REMOVED):
            self.repair = Repair()
        self.shown = [str(nick) for nick in kept.get("shown", ())]
        for resource, nick in kept.get("clients", {}).items():
            self.attached[self.me.with_resource(resource)] = Seat(nick, Element("presence"))
