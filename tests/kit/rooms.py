"""A room in tests: people who write to it, and what each of them gets to read."""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest

from fermata.core.archive_query import Found, Selection
from fermata.core.muc.changelog import SPACES
from fermata.core.muc.config import Config
from fermata.core.muc.effects import Effects, Flood
from fermata.core.muc.room import Room
from fermata.core.muc.vcard import SPACE as VCARD_SPACE
from fermata.core.records import (
    MessageArchived,
    MessageReplaced,
    OccupancyEnded,
    OccupancySaved,
    Record,
    ValueRemoved,
    ValueSaved,
)
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, child
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.xml import read

ROOM = JID.parse("tea@muc.a.example")
ANN = JID.parse("ann@a.example/phone")
ANN2 = JID.parse("ann@a.example/desk")
BOB = JID.parse("bob@b.example/tram")
BOB2 = JID.parse("bob@b.example/home")
CAT = JID.parse("cat@c.example/roof")
DAN = JID.parse("dan@d.example/den")
PEOPLE = {ANN: "Ann", BOB: "Bob", CAT: "Cat", DAN: "Dan"}

MUC = f"<x xmlns='{ns.MUC}'/>"
START = 1_000_000.0


def id_of(seq: int) -> str:
    """The stanza-id of a place in the archive; all are of one length, as real ones are."""
    return f"sid-{seq:06}"


class Said(dict[JID, list[Element]]):
    """What one step sent: everything that each address got, in order; and what it kept."""

    def __init__(self, effects: Effects) -> None:
        self.effects = effects
        self.order: list[tuple[JID, Element]] = []
        for send in effects.sends:
            if isinstance(send, Flood):
                self.order += [(send.to, read(payload.addressed(send.to))) for payload in send.payloads]
            else:
                self.order += [(to, read(send.payload.addressed(to))) for to in send.to]
        for to, stanza in self.order:
            assert stanza.get("to") == to
            self.setdefault(to, []).append(stanza)

    def __missing__(self, key: JID) -> list[Element]:
        return []

    def only(self, to: JID) -> Element:
        """The one stanza that this address got."""
        assert len(self[to]) == 1, self[to]
        return self[to][0]

    def kept(self, kind: type[Any]) -> list[Any]:
        """The records of one class."""
        return [record for record in self.effects.records if isinstance(record, kind)]


class Archive:
    """Places in the archive of a room (see core.muc.state.Archive)."""

    is_kept = True

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self) -> tuple[int, str]:
        number = next(self._numbers)
        return number, id_of(number)

    def seq_of(self, id: str) -> int | None:
        return int(id[4:]) if id.startswith("sid-") and id[4:].isdecimal() else None

    def id_of(self, seq: int) -> str:
        return id_of(seq)


class Stage:
    """A room that Ann (a moderator and its owner) is in, made and opened; time stands still unless told to move."""

    def __init__(self, locked: bool = False, **config: Any) -> None:
        self.now = START
        self.ids = count(1)
        self.archive = Archive()
        self.records: list[Record] = []
        self.room, effects = Room.create(
            7, ROOM, Config(**config), b"secret", self.archive, self.new_id, ANN, _enter(ANN, "Ann"), self.now
        )
        self.made = self._done(effects)
        if not locked:
            self.iq(ANN, f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='jabber:x:data' type='submit'/></query>", "set")

    def new_id(self) -> str:
        return f"made-{next(self.ids)}"

    def _done(self, effects: Effects) -> Said:
        self.records += effects.records
        return Said(effects)

    def give(self, sender: JID, stanza: Element) -> Said:
        """Hands a stanza to the room; if it is refused, nothing may have changed."""
        before = self.fingerprint()
        take = {"message": self.room.message, "presence": self.room.presence, "iq": self.room.iq}[stanza.tag]
        try:
            effects = take(sender, stanza, self.now)
            if effects.reading is not None and stanza.tag == "presence":
                answer = self.found(effects.reading.selection)
                self.after_reading()
                effects = self.room.told(sender, stanza, self.now, answer)
            if effects.recall:
                stored = {row.seq: row.xml for row in self.archived()}
                recalled = self.room.recalled(sender, stanza, self.now, stored.get(effects.recall, ""))
                effects.records += recalled.records
                effects.sends += recalled.sends
            return self._done(effects)
        except StanzaError:
            assert self.fingerprint() == before, "a refused stanza changed the room"
            raise

    def send(self, sender: JID, xml: str) -> Said:
        """Hands over a stanza as XML; `from` and, unless it is there, `to` are added."""
        stanza = read(xml)
        stanza.set("from", sender)
        stanza.attrib.setdefault("to", ROOM)
        return self.give(sender, stanza)

    def enter(self, sender: JID, nick: str = "", inside: str = MUC, id: str = "join") -> Said:
        return self.give(sender, _enter(sender, nick or PEOPLE[sender], inside, id))

    def arrive(self, sender: JID, nick: str) -> None:
        """Enters, and nobody reads what is said of it: for crowds."""
        self.records += self.room.presence(sender, _enter(sender, nick), self.now).records

    def presence(self, sender: JID, nick: str, inside: str = "", type: str = "") -> Said:
        attributes = f" type='{type}'" if type else ""
        return self.send(sender, f"<presence to='{ROOM}/{nick}'{attributes}>{inside}</presence>")

    def leave(self, sender: JID, to: str = "", inside: str = "") -> Said:
        return self.send(sender, f"<presence to='{to or ROOM}' type='unavailable'>{inside}</presence>")

    def say(self, sender: JID, body: str, inside: str = "", id: str = "m") -> Said:
        return self.send(sender, f"<message type='groupchat' id='{id}'><body>{body}</body>{inside}</message>")

    def iq(self, sender: JID, inside: str, type: str = "get", to: str = ROOM) -> Said:
        return self.send(sender, f"<iq type='{type}' id='q' to='{to}'>{inside}</iq>")

    def admin(self, sender: JID, *items: str) -> Said:
        return self.iq(sender, f"<query xmlns='{ns.MUC_ADMIN}'>{''.join(items)}</query>", "set")

    def configure(self, sender: JID, **fields: str | Iterable[str]) -> Said:
        """Submits a configuration form with these fields."""
        prefixes = {"maxhistoryfetch": "muc#"} | dict.fromkeys(("registration", "reservednick"), "x-muc#roomconfig_")
        xml = "".join(
            f"<field var='{prefixes.get(name, 'muc#roomconfig_')}{name}'>"
            + "".join(f"<value>{value}</value>" for value in ([values] if isinstance(values, str) else values))
            + "</field>"
            for name, values in fields.items()
        )
        form = f"<field var='FORM_TYPE' type='hidden'><value>{ns.MUC_ROOM_CONFIG}</value></field>{xml}"
        query = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='jabber:x:data' type='submit'>{form}</x></query>"
        return self.iq(sender, query, "set")

    def fingerprint(self) -> object:
        """All that a room is, to be compared."""
        state = self.room.state
        return (
            state.config,
            state.subject.text,
            state.locked_until,
            dict(state.affiliations),
            dict(state.reserved),
            set(state.applicants),
            state.vcard,
            len(state.queries),
            list(state.pushes.all.values()),
            seats(self.room),
            state.occupants.everyone,
            state.occupants.moderators,
            state.changelog and state.changelog.seq,
        )

    def archived(self) -> list[MessageArchived]:
        """The archive as it stands."""
        rows: dict[int, MessageArchived] = {}
        for record in self.records:
            if isinstance(record, MessageArchived):
                rows[record.seq] = record
            elif isinstance(record, MessageReplaced):
                assert record.owner == rows[record.seq].owner
                rows[record.seq] = rows[record.seq]._replace(xml=record.xml)
        return list(rows.values())

    def newest(self) -> list[MessageArchived]:
        """The newest messages of the archive, as many as the room remembers."""
        most = self.room.state.config.maxhistoryfetch
        return self.archived()[-most:] if most else []

    def vcard(self) -> str:
        """What is left of the records of its vCard."""
        values = [record for record in self.records if isinstance(record, ValueSaved | ValueRemoved)]
        saved = [record for record in values if record.space == VCARD_SPACE]
        return saved[-1].value if saved and isinstance(saved[-1], ValueSaved) else ""

    def changelog(self) -> dict[str, dict[str, str]]:
        """What is left of the records of its changelog."""
        kept: dict[str, dict[str, str]] = {space: {} for space in SPACES}
        for record in self.records:
            if isinstance(record, ValueSaved) and record.space in kept:
                kept[record.space][record.key] = record.value
            elif isinstance(record, ValueRemoved) and record.space in kept:
                kept[record.space].pop(record.key, None)
        return {space: dict(sorted(values.items())) for space, values in kept.items()}  # as a database has them

    def after_reading(self) -> None:
        """What happens before somebody enters for whom the archive was read: nothing, unless a test says otherwise."""

    def found(self, selection: Selection | None) -> Found:
        """The messages of the archive that are asked for by their places alone."""
        assert selection is not None
        rows = [row for row in self.archived() if selection.after < row.seq < selection.before]
        most = selection.most + 1
        return Found.of(selection, rows[-most:] if selection.newest else rows[:most])

    def restart(self) -> None:
        """The process dies and comes back: the room is what was recorded of it."""
        self.room = self.reloaded()

    def occupancies(self) -> list[OccupancySaved]:
        """What is left of the records of occupancy after playing them through, as a database has them."""
        left: dict[str, OccupancySaved] = {}
        for record in self.records:
            if isinstance(record, OccupancySaved):
                left[record.jid] = record
            elif isinstance(record, OccupancyEnded):
                del left[record.jid]
        return sorted(left.values(), key=lambda row: (row.entered, row.jid))

    def reloaded(self) -> Room:
        """The room as it would come back from what was recorded of it."""
        state = self.room.state
        return Room(
            state.number,
            state.jid,
            state.config,
            state.secret,
            self.archive,
            self.new_id,
            affiliations={JID.parse(bare): found for bare, found in state.affiliations.items()},
            subject=state.subject[:3],
            locked_until=state.locked_until,
            vcard=self.vcard(),
            history=[(id_of(row.seq), row.stamp, row.keep, row.xml) for row in self.newest()],
            occupancies=self.occupancies(),
            changelog=self.changelog(),
        )


def seats(room: Room) -> object:
    """Who sits where."""
    return {
        occupant.nick: (occupant.bare, occupant.role, occupant.affiliation, [*map(_seat, occupant.sessions.values())])
        for occupant in room.occupants
    }


def _seat(session: Any) -> tuple[str, str]:
    return session.jid, session.presence


def _enter(sender: JID, nick: str, inside: str = MUC, id: str = "join") -> Element:
    presence = read(f"<presence id='{id}'>{inside}</presence>")
    presence.set("from", sender)
    presence.set("to", f"{ROOM}/{nick}" if nick else ROOM)
    return presence


def refusal(call: Callable[..., object], *arguments: Any, **more: Any) -> tuple[str, str]:
    """Condition and type of the StanzaError that the call must raise; `by` must be the room."""
    with pytest.raises(StanzaError) as caught:
        call(*arguments, **more)
    assert caught.value.by == ROOM
    return caught.value.condition, caught.value.type


def x(stanza: Element) -> Element:
    """The `muc#user` element of a stanza, of which there is one."""
    found = [each for each in stanza if each.tag == "{%s}x" % ns.MUC_USER]
    assert len(found) == 1, found
    return found[0]


def codes(stanza: Element) -> list[int]:
    """Its status codes."""
    return [int(each.get("code", "")) for each in x(stanza) if each.tag == "{%s}status" % ns.MUC_USER]


def item(stanza: Element) -> dict[str, str]:
    """The attributes of its item."""
    found = child(x(stanza), "{%s}item" % ns.MUC_USER)
    assert found is not None
    return dict(found.attrib)


def said_in_item(stanza: Element) -> dict[str, str]:
    """Actor and reason."""
    found = child(x(stanza), "{%s}item" % ns.MUC_USER)
    items = found if found is not None else ()
    return {each.tag.partition("}")[2]: each.get("nick") or each.text or "" for each in items}


def nick(stanza: Element) -> str:
    """The nickname in its `from`."""
    return stanza.get("from", "").partition("/")[2]


def has(stanza: Element, uri: str, name: str) -> Element | None:
    """Its child of that name, anywhere below it."""
    return next(stanza.iter("{%s}%s" % (uri, name)), None)
