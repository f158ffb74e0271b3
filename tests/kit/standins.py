"""One stand-in, face to face with clients and a room that a test plays."""

from collections.abc import Sequence
from itertools import count

from fermata.core.archive_query import QUERY
from fermata.core.muc.history import limited
from fermata.core.standin import acts as done
from fermata.core.standin import repair
from fermata.core.standin.standin import StandIn
from fermata.core.standin.state import Beside, Standing, Wish
from fermata.core.stored_xml import stanza_from
from fermata.xmpp.element import Element, child
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload, payload_of

from . import ns
from .rejoin import rejoin
from .stanzas import quoteattr

ME = JID.parse("ann@a.example/~stay.1")
ROOM = JID.parse("tea@muc.b.example")
PHONE = JID.parse("ann@a.example/phone")
TABLET = JID.parse("ann@a.example/tablet")
_USER = "http://jabber.org/protocol/muc#user"


class Stage:
    """What the stand-in says to the room (`to_room`), to each client (`told`), to be kept (`said`), and all `acts`."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        ids = count(1)
        self.stand_in = StandIn(ME, ROOM, lambda: f"new{next(ids)}")
        self._before: tuple[Payload, ...] = ()
        self.has_archive = False
        self.clear()

    def clear(self) -> None:
        """Forgets what was said until now."""
        self.to_room: list[Element] = []
        self.queries: list[Element] = []
        self.told: dict[JID, list[Element]] = {}
        self.said: list[done.Said] = []
        self.acts: list[done.Act] = []

    @property
    def standing(self) -> Standing:
        return self.stand_in.state.standing

    def do(self, acts: list[done.Act]) -> list[done.Act]:
        """Does what is wanted, as far as a test can see it."""
        for act in acts:
            self.acts.append(act)
            if isinstance(act, done.ToRoom):
                self._take(act.stanza)
            elif isinstance(act, done.Turn):
                self.do(repair.turn(self.stand_in.state, self.now))
            elif isinstance(act, done.ToClients):
                self._tell(act.clients, act.payload)
            elif isinstance(act, done.Answer):
                self._tell((act.client,), payload_of(act.stanza))
            elif isinstance(act, done.Said):
                self.said.append(act)
                act.payload.stamp = self.now
                self.stand_in.state.recent.kept(len(self.said))
                self._tell(act.clients, act.payload)
            elif isinstance(act, done.Before):
                self._before = act.messages
            elif isinstance(act, done.Replay):
                kept = [each.payload for each in self.said if not each.is_private]
                told = limited([*(act.before or self._before), *kept], act.limits, act.client)
                self.do(self.stand_in.replayed(act.client, told))
        return acts

    def _take(self, stanza: Element) -> None:
        """Questions to the archive of the room are for a test to answer that wants to; there is none otherwise."""
        if stanza.tag == "iq" and stanza[0].tag == QUERY and stanza.get("from") == ME:
            self.queries.append(stanza)
            if not self.has_archive:
                self.refuses("service-unavailable")
        else:
            self.to_room.append(stanza)

    def _tell(self, clients: tuple[JID, ...], payload: object) -> None:
        for client in clients:
            self.told.setdefault(client, []).append(stanza_from(payload.addressed(client)))  # type: ignore[attr-defined]

    def wants(self, kind: type[done.Act]) -> list[done.Act]:
        """The acts of one kind."""
        return [act for act in self.acts if isinstance(act, kind)]

    def seen(self, client: JID = PHONE) -> list[str]:
        """What a client has seen, in short: presences by nickname, messages by body or `subject`."""
        return [_short(stanza) for stanza in self.told.get(client, [])]

    # -- clients

    def enters(self, client: JID = PHONE, nick: str = "Ann", inside: str = "", id: str = "", more: str = "") -> None:
        """A client enters."""
        named = f" id='{id}'" if id else ""
        xml = f"<presence to='{ROOM}/{nick}'{named}><x xmlns='{ns.MUC}'>{inside}</x>{more}</presence>"
        if client in self.stand_in.state.attached:
            self.sends(xml, client)
        else:
            self.do(self.stand_in.enter(client, stanza_from(xml), ROOM.with_resource(nick), self.now))

    def rejoins(self, client: JID, inside: str = "", nick: str = "Ann") -> None:
        """A client that is not attached enters, if it has to."""
        presence = stanza_from(rejoin(ROOM, nick, inside.replace("<password", f"<password xmlns='{ns.REJOIN}'")))
        self.do(self.stand_in.enter(client, presence, ROOM.with_resource(nick), self.now))

    def sends(self, xml: str, client: JID = PHONE) -> None:
        """A client sends something; its `to` is in it."""
        stanza = stanza_from(xml)
        stanza.set("from", client)
        self.do(self.stand_in.sent(client, stanza, JID.parse(stanza.get("to", "")), self.now))

    def leaves(self, client: JID = PHONE, inside: str = "") -> None:
        """A client leaves the room."""
        self.sends(f"<presence to='{ROOM}/Ann' type='unavailable'>{inside}</presence>", client)

    # -- the room

    def hears(self, xml: str) -> None:
        """The room says something; its `from` is in it."""
        stanza = stanza_from(xml)
        stanza.set("to", ME)
        sender = JID.parse(stanza.get("from", ""))
        self.do(self.stand_in.heard(stanza, payload_of(stanza), sender, self.now))

    def presence(self, nick: str, *codes: int, type: str = "", inside: str = "", item: str = "") -> None:
        """The room tells somebody's presence."""
        typed = f" type='{type}'" if type else ""
        statuses = "".join(f"<status code='{code}'/>" for code in codes)
        self.hears(
            f"<presence from={quoteattr(f'{ROOM}/{nick}')}{typed}>{inside}"
            f"<x xmlns='{_USER}'><item affiliation='none' role='participant' {item}/>{statuses}</x></presence>"
        )

    def message(self, body: str, nick: str = "Ben", id: str = "", stamp: str = "", type: str = "groupchat") -> None:
        """Somebody says something in the room; `id` is the room's stanza-id."""
        inside = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{id}'/>" if id else ""
        inside += f"<delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='{stamp}'/>" if stamp else ""
        self.hears(f"<message from='{ROOM}/{nick}' type='{type}' id='m-{body}'><body>{body}</body>{inside}</message>")

    def subject(self, text: str = "Tea") -> None:
        """The room tells its subject."""
        self.hears(f"<message from='{ROOM}' type='groupchat'><subject>{text}</subject></message>")

    def error(self, condition: str, type: str = "cancel", nick: str = "Ann") -> None:
        """The room answers a presence with an error."""
        self.hears(
            f"<presence from='{ROOM}/{nick}' type='error'><x xmlns='{ns.MUC}'/><error type='{type}'>"
            f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
        )

    # -- its archive

    def answers(self, *messages: str, complete: bool = True, sender: str = ROOM) -> None:
        """The archive answers the newest question with these messages: ids that are bodies too, or results as XML."""
        id = self.queries[-1].get("id", "")
        for message in messages:
            self.hears(message if message.startswith("<") else self.result(message))
        ends = " complete='true'" if complete else ""
        self.hears(f"<iq from='{sender}' type='result' id='{id}'><fin xmlns='{ns.MAM}'{ends}/></iq>")

    def result(
        self, id: str, body: str = "", nick: str = "Ben", stamp: str = "1970-01-12T13:46:40Z", **other: str
    ) -> str:
        """A message of the archive, as it answers the newest question."""
        queryid, sender = other.get("queryid", self.queries[-1].get("id", "")), other.get("sender", ROOM)
        by = other.get("by", f"{ROOM}/{nick}")
        return (
            f"<message from='{sender}'><result xmlns='{ns.MAM}' queryid='{queryid}' id='{id}'>"
            f"<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='{stamp}'/>"
            f"<message xmlns='jabber:client' from='{by}' type='{other.get('type', 'groupchat')}'>"
            f"<body>{body or id}</body></message></forwarded></result></message>"
        )

    def refuses(self, condition: str) -> None:
        """The archive answers the newest question with an error."""
        id = self.queries[-1].get("id", "")
        self.hears(
            f"<iq from='{ROOM}' type='error' id='{id}'><error type='cancel'>"
            f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )

    def lets_in(self, *others: str, nick: str = "Ann", codes: tuple[int, ...] = (110,), subject: str = "Tea") -> None:
        """The room tells all that is told on entering."""
        for other in others:
            self.presence(other)
        self.presence(nick, *codes)
        if subject:
            self.subject(subject)

    # -- others

    def wished(self, nick: str = "Ann", password: str = "", beside: Sequence[Beside] = ()) -> None:
        """A bookmark says that the account is to be in; clients of it may be in by themselves."""
        self.do(self.stand_in.wished(Wish(nick, password), self.now))
        self.do(self.stand_in.come(beside))

    def unwished(self, grace: float = 0.0) -> None:
        """It does not any more."""
        self.do(self.stand_in.wished(None, self.now, grace=grace))

    def after(self, seconds: float) -> None:
        """Time passes."""
        until = self.now + seconds
        while (due := self.stand_in.next_deadline()) <= until:
            self.now = max(self.now, due)
            self.do(self.stand_in.tick(self.now))
        self.now = until

    def restarted(self) -> "Stage":
        """The same after a start of the server."""
        other = Stage()
        other.now = self.now
        other.stand_in.state.restore(self.stand_in.state.saved())
        return other


def _short(stanza: Element) -> str:
    nick = JID.parse(stanza.get("from", "")).resource
    type = stanza.get("type", "")
    if stanza.tag == "presence":
        return {"": "", "unavailable": "-", "error": "!"}[type] + nick
    if child(stanza, "subject") is not None:
        return "subject"
    body = child(stanza, "body")
    return body.text or "" if body is not None else type
