"""Somebody who is cut off many times, and resumes: whatever happened meanwhile, what she knows is what there is."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule

from fermata.core.muc.ranks import AFFILIATIONS, ROLES
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, child
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.rooms import ANN, MUC, ROOM, Stage, codes, has, item, nick
from kit.xml import read

EVE = JID.parse("eve@e.example/tablet")
PEOPLE = [JID.parse(f"{name}@{name[0]}.example/{place}") for name in ("bob", "cat", "dan") for place in ("a", "b")]
MARK = "{%s}presence-session" % ns.PRESENCE_SESSION
ALL = 1_000_000

people = st.sampled_from(PEOPLE)
names = st.sampled_from(["One", "Two", "Three", "Four"])
shows = st.sampled_from(["", "<show>away</show>", "<show>dnd</show>"])
accounts = st.sampled_from([*{person.bare for person in PEOPLE}, EVE.bare])
broadcasts = st.sampled_from([["moderator"], ["moderator", "participant"], ["moderator", "participant", "visitor"]])


class Known:
    """What a client knows of a room, by what it has received."""

    def __init__(self) -> None:
        self.others: dict[str, dict[str, str | None]] = {}
        self.token: dict[str, str] = {}
        self.bodies: set[str] = set()
        self.is_in = False

    def receive(self, stanza: Element) -> None:
        mark = child(stanza, MARK)
        if mark is not None and mark.get("type") is None:
            self.token = {"session": mark.get("session", ""), "id": mark.get("id", "")}
        if stanza.tag == "message":
            self.bodies |= {stanza.findtext("body", "")} - {""}
        elif stanza.get("from") == ROOM:
            self.others = {}
        elif stanza.tag == "presence" and stanza.get("type") != "error":
            self._see(stanza)

    def _see(self, presence: Element) -> None:
        is_own = 110 in codes(presence)
        if presence.get("type") == "unavailable":
            self.others.pop(nick(presence), None)
            self.is_in = self.is_in and not (is_own and 303 not in codes(presence))
            if is_own and 333 in codes(presence):
                self.others = {}
        elif is_own:
            self.is_in = True
            self.others.pop(nick(presence), None)
        else:
            self.others[nick(presence)] = facts(presence)


def facts(presence: Element) -> dict[str, str | None]:
    found = item(presence)
    stamp = has(presence, ns.OCCUPANT_ID, "occupant-id")
    bare = found["jid"].partition("/")[0] if "jid" in found else None
    return {
        "who": stamp.get("id") if stamp is not None else None,
        "role": found["role"],
        "affiliation": found["affiliation"],
        "show": presence.findtext("show"),
        "jid": bare,
    }


class Resuming(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stage, self.known = Stage(), Known()
        self.line = ALL  # so many stanzas more reach her
        self.said: list[str] = []
        self.back(ALL, "x")

    def do(self, sender: JID, xml: str) -> None:
        self.stage.now += 1
        try:
            said = self.stage.send(sender, xml)
        except StanzaError:
            return
        for stanza in said[EVE]:
            self.line -= 1
            if self.line >= 0:
                self.known.receive(stanza)

    def admin(self, item: str) -> None:
        self.do(ANN, f"<iq type='set' id='a'><query xmlns='{ns.MUC_ADMIN}'>{item}</query></iq>")

    @rule(person=people, name=names, show=shows)
    def enter(self, person, name, show):
        self.do(person, f"<presence to='{ROOM}/{name}'>{show}{MUC}</presence>")

    @rule(person=people, name=names, show=shows)
    def change(self, person, name, show):
        if self.stage.room.occupants.at(person) is not None:
            self.do(person, f"<presence to='{ROOM}/{name}'>{show}</presence>")

    @rule(person=people)
    def leave(self, person):
        self.do(person, f"<presence to='{ROOM}' type='unavailable'/>")

    @rule(name=st.one_of(names, st.just("Eve")), role=st.sampled_from(ROLES))
    def give_role(self, name, role):
        self.admin(f"<item nick='{name}' role='{role}'/>")

    @rule(bare=accounts, affiliation=st.sampled_from(AFFILIATIONS))
    def affiliate(self, bare, affiliation):
        self.admin(f"<item jid='{bare}' affiliation='{affiliation}'/>")

    @rule(roles=broadcasts, whois=st.sampled_from(["anyone", "moderators"]))
    def configure(self, roles, whois):
        values = "".join(f"<value>{role}</value>" for role in roles)
        form = (
            f"<field var='FORM_TYPE'><value>{ns.MUC_ROOM_CONFIG}</value></field>"
            f"<field var='muc#roomconfig_presencebroadcast'>{values}</field>"
            f"<field var='muc#roomconfig_whois'><value>{whois}</value></field>"
        )
        query = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='jabber:x:data' type='submit'>{form}</x></query>"
        self.do(ANN, f"<iq type='set' id='c'>{query}</iq>")

    @rule()
    def say(self):
        self.said.append(f"said {len(self.said)}")
        self.do(ANN, f"<message type='groupchat' id='m'><body>{self.said[-1]}</body></message>")

    @rule()
    def restart(self):
        self.stage.restart()

    @rule(more=st.integers(0, 3))
    def cut(self, more):
        self.line = min(self.line, more)

    @rule(more=st.one_of(st.just(ALL), st.integers(0, 6)), way=st.sampled_from(["x", "rejoin", "left"]))
    def back(self, more, way):
        """She comes back on a new line, on which so many stanzas reach her."""
        if way == "left":
            self.line = 0
            self.do(EVE, f"<presence to='{ROOM}' type='unavailable'/>")
        self.line, self.known.is_in = more, False
        token = "".join(f" {name}='{value}'" for name, value in self.known.token.items())
        kind = " type='resume'" if token else ""
        resume = f"<presence-session xmlns='{ns.PRESENCE_SESSION}'{token}{kind}/>"
        if way == "rejoin" and self.stage.room.occupants.at(EVE) is None:
            inside = f"<rejoin-if-needed xmlns='{ns.REJOIN}'>{resume}</rejoin-if-needed>"
        else:
            inside = MUC + resume
        self.do(EVE, f"<presence to='{ROOM}/Eve' id='e'>{inside}</presence>")
        if self.line >= 0 and self.known.is_in:
            self.compare()

    def compare(self) -> None:
        state = self.stage.room.state
        own = state.occupants.at(EVE)
        sees_all = state.config.nonanonymous or own.role == "moderator"
        there = {
            one.nick: facts(read((one.revealing if sees_all else one.plain).addressed(EVE)))
            for one in state.occupants
            if one is not own and one.role in state.config.presencebroadcast
        }
        known = {
            name: facts | ({} if there.get(name, {}).get("jid") else {"jid": None})
            for name, facts in self.known.others.items()
        }
        assert known == there
        assert set(self.said[-10:]) <= self.known.bodies, "the last ones are always told"


Resuming.TestCase.settings = settings(
    max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestWhoeverResumesKnowsWhatThereIs = Resuming.TestCase
