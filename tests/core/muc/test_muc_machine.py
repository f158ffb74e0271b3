"""A room under random people who do random things: what holds after every step, whatever it was."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fermata.core.muc.history import Limits
from fermata.core.muc.occupants import occupant_id as occupant_id_of
from fermata.core.muc.ranks import AFFILIATIONS, ROLES
from fermata.core.records import MessageArchived, MessageReplaced
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from fermata.xmpp.nickname import nickname_key
from kit.rooms import ANN, MUC, ROOM, Said, Stage, codes, id_of, seats
from kit.xml import read

ACCOUNTS = [f"{name}@{name[0]}.example" for name in ("ann", "bob", "cat", "dan")]
SESSIONS = [JID.parse(f"{account}/{resource}") for account in ACCOUNTS for resource in ("phone", "desk")]
# Each account's name is part of its JID and of nothing else that anybody writes.
SECRETS = {account: account.partition("@")[0] + "@" for account in ACCOUNTS}

people = st.sampled_from(SESSIONS)
accounts = st.sampled_from(ACCOUNTS)
nicks = st.sampled_from(["One", "one", "Two", "Three", "Thr\u00e9e", "Four", "Nobody"])
reserved = st.sampled_from(["", " nick=''", " nick='Two'"])
shows = st.sampled_from(["", "<show>away</show>", "<status>x</status>"])
words = st.sampled_from(["", "<body>hi</body>", "<subject>tea</subject>", "<body>hi</body><thread>t</thread>"])
switches = st.sampled_from(["0", "1"])


def wish(nick: str, **more: str) -> str:
    """A form that registers somebody."""
    fields = {"FORM_TYPE": ns.MUC_REGISTER, "muc#register_roomnick": nick, **more}
    xml = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields.items())
    return f"<x xmlns='jabber:x:data' type='submit'>{xml}</x>"


class RandomRoom(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.alive = True
        self.said = ["silly"]

    def do(self, sender: JID, xml: str) -> None:
        if not self.alive:
            return
        self.stage.now += 1
        before = set(self.stage.room.occupants.everyone)
        try:
            said = self.stage.send(sender, xml)
        except StanzaError:
            return  # the stage has checked that nothing changed
        self.check(sender, said, before)
        self.alive = not said.effects.destroyed

    def check(self, sender: JID, said: Said, before: set[JID]) -> None:
        inside = before | set(self.stage.room.occupants.everyone) | {sender}
        for to, stanza in said.order:
            invited = stanza.tag == "message" and any(True for _ in stanza.iter("{%s}invite" % ns.MUC_USER))
            asked = stanza.tag == "iq" and stanza.get("type") in ("get", "set") and to in {jid.bare for jid in inside}
            if stanza.tag == "message" and to in self.admins():
                continue  # a request to register
            assert to in inside or invited or asked
            if not invited:
                self.check_anonymous(to, stanza)
            if stanza.tag == "presence" and 110 in codes(stanza) and codes(stanza) != [110, 307, 333]:
                assert self.is_own(to, stanza)
        told = [
            stanza
            for to, stanza in said.order
            if stanza.get("type") == "groupchat" and stanza.find("{%s}delay" % ns.DELAY) is None
        ]
        for record in said.kept(MessageArchived):
            self.said.append(id_of(record.seq))
            if self.stage.room.occupants.everyone:
                assert id_of(record.seq) in {each.get("id") for each in told[0].iter("{%s}stanza-id" % ns.SID)}
        for replaced in said.kept(MessageReplaced):
            assert "<body" not in replaced.xml

    def admins(self) -> set[str]:
        """The bare JIDs of admins and owners."""
        affiliations = self.stage.room.state.affiliations.items()
        return {bare for bare, found in affiliations if found.affiliation in ("admin", "owner")}

    def check_anonymous(self, to: JID, stanza: Element) -> None:
        """No address of anybody but the reader is in what he reads, unless he may see it."""
        if to in self.stage.room.state.entitled():
            return
        text = "".join(repr((each.attrib, each.text, each.tail)) for each in stanza.iter())
        for account, secret in SECRETS.items():
            assert account == to.bare or secret not in text, (to, text)

    def is_own(self, to: JID, stanza: Element) -> bool:
        """110 comes from an occupant of the reader's own: the occupant-id tells."""
        (found,) = stanza.findall("{%s}occupant-id" % ns.OCCUPANT_ID)
        return found.get("id") == occupant_id_of(self.stage.room.state.secret, to.bare)

    # -- what people do

    @rule(who=people, nick=nicks, show=shows)
    def enter(self, who: JID, nick: str, show: str) -> None:
        self.do(who, f"<presence to='{ROOM}/{nick}'>{MUC}{show}</presence>")

    @rule(who=people, nick=nicks, show=shows)
    def tell_presence(self, who: JID, nick: str, show: str) -> None:
        self.do(who, f"<presence to='{ROOM}/{nick}'>{show}</presence>")

    @rule(who=people, nick=nicks)
    def leave(self, who: JID, nick: str) -> None:
        self.do(who, f"<presence to='{ROOM}/{nick}' type='unavailable'/>")

    @rule(who=people, inside=words)
    def speak(self, who: JID, inside: str) -> None:
        self.do(who, f"<message type='groupchat' id='m'>{inside}</message>")

    @rule(who=people, nick=nicks)
    def whisper(self, who: JID, nick: str) -> None:
        self.do(who, f"<message type='chat' to='{ROOM}/{nick}'><body>psst</body></message>")

    @rule(who=people, nick=nicks, role=st.sampled_from(ROLES))
    def change_role(self, who: JID, nick: str, role: str) -> None:
        self.admin(who, f"<item nick='{nick}' role='{role}'/>")

    @rule(who=people, whom=accounts, affiliation=st.sampled_from(AFFILIATIONS), nick=reserved)
    def change_affiliation(self, who: JID, whom: str, affiliation: str, nick: str) -> None:
        self.admin(who, f"<item jid='{whom}' affiliation='{affiliation}'{nick}/>")

    @rule(who=people, whom=accounts, nick=nicks)
    def change_both(self, who: JID, whom: str, nick: str) -> None:
        self.admin(who, f"<item jid='{whom}' affiliation='outcast'/><item nick='{nick}' role='participant'/>")

    @rule(who=people, domain=st.sampled_from(["b.example", "c.example"]), lift=st.booleans())
    def ban_domain(self, who: JID, domain: str, lift: bool) -> None:
        self.admin(who, f"<item jid='{domain}' affiliation='{'none' if lift else 'outcast'}'/>")

    def admin(self, who: JID, items: str) -> None:
        self.do(who, f"<iq type='set' id='q'><query xmlns='{ns.MUC_ADMIN}'>{items}</query></iq>")

    @rule(
        who=st.sampled_from([ANN, *SESSIONS]),
        field=st.sampled_from(["membersonly", "moderatedroom", "changesubject", "allowinvites", "reservednick"]),
        value=switches,
    )
    def configure(self, who: JID, field: str, value: str) -> None:
        self.submit(who, field, value)

    @rule(who=st.sampled_from([ANN, *SESSIONS]), value=st.sampled_from(["anyone", "moderators"]))
    def configure_whois(self, who: JID, value: str) -> None:
        self.submit(who, "whois", value)

    @rule(who=st.sampled_from([ANN, *SESSIONS]), role=st.sampled_from(["moderator", "participant", "visitor"]))
    def configure_broadcast(self, who: JID, role: str) -> None:
        self.submit(who, "presencebroadcast", role)

    def submit(self, who: JID, field: str, value: str) -> None:
        prefix = "x-" if field == "reservednick" else ""
        form = f"<field var='{prefix}muc#roomconfig_{field}'><value>{value}</value></field>"
        query = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='jabber:x:data' type='submit'>{form}</x></query>"
        self.do(who, f"<iq type='set' id='q'>{query}</iq>")

    @rule(who=people, whom=accounts)
    def invite(self, who: JID, whom: str) -> None:
        self.do(who, f"<message><x xmlns='{ns.MUC_USER}'><invite to='{whom}'/></x></message>")

    @rule(who=people, role=st.just("participant"))
    def ask_for_voice(self, who: JID, role: str) -> None:
        fields = f"<field var='FORM_TYPE'><value>{ns.MUC_REQUEST}</value></field>"
        fields += f"<field var='muc#role'><value>{role}</value></field>"
        self.do(who, f"<message><x xmlns='jabber:x:data' type='submit'>{fields}</x></message>")

    @rule(who=people, nick=nicks)
    def register(self, who: JID, nick: str) -> None:
        self.do(who, f"<iq type='set' id='q'><query xmlns='{ns.REGISTER}'>{wish(nick)}</query></iq>")

    @rule(who=people)
    def unregister(self, who: JID) -> None:
        self.do(who, f"<iq type='set' id='q'><query xmlns='{ns.REGISTER}'><remove/></query></iq>")

    @rule(who=people, whom=accounts, nick=nicks, allow=switches)
    def decide(self, who: JID, whom: str, nick: str, allow: str) -> None:
        fields = {"muc#jid": whom, "muc#register_allow": allow}
        self.do(who, f"<message>{wish(nick, **fields)}</message>")

    @rule(who=people, data=st.data())
    def retract(self, who: JID, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.said))
        self.do(who, f"<message type='groupchat' id='r'><retract xmlns='{ns.RETRACT}' id='{id}'/></message>")

    @rule(who=people, data=st.data())
    def moderate(self, who: JID, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.said))
        asked = f"<moderate xmlns='{ns.MODERATE}' id='{id}'><retract xmlns='{ns.RETRACT}'/></moderate>"
        self.do(who, f"<iq type='set' id='q'>{asked}</iq>")

    @rule(who=people, name=nicks)
    def change_vcard(self, who: JID, name: str) -> None:
        self.do(who, f"<iq type='set' id='q'><vCard xmlns='vcard-temp'><FN>{name}</FN></vCard></iq>")

    @rule(who=people, nick=nicks, tag=st.sampled_from([f"<ping xmlns='{ns.PING}'/>", "<vCard xmlns='vcard-temp'/>"]))
    def ask(self, who: JID, nick: str, tag: str) -> None:
        self.do(who, f"<iq type='get' id='q' to='{ROOM}/{nick}'>{tag}</iq>")

    @rule(who=people, condition=st.sampled_from(["gone", "remote-server-timeout"]))
    def bounce(self, who: JID, condition: str) -> None:
        error = f"<error><{condition} xmlns='{ns.STANZA_ERRORS}'/></error>"
        self.do(who, f"<message type='error' to='{ROOM}/One'>{error}</message>")

    @rule()
    def crash(self) -> None:
        """Whenever the process dies, the room comes back as it was: who is where, and what others see of him."""
        if not self.alive:
            return
        before, shown = seats(self.stage.room), self.shown()
        self.stage.room = self.stage.reloaded()
        assert seats(self.stage.room) == before
        assert self.shown() == shown

    def shown(self) -> dict[str, tuple[str, str]]:
        occupants = self.stage.room.occupants
        return {occupant.nick: (occupant.plain.rest, occupant.revealing.rest) for occupant in occupants}

    # -- what holds

    @invariant()
    def each_nickname_is_one_persons(self) -> None:
        owners: dict[str, JID] = {}
        for occupant in self.stage.room.occupants:
            assert owners.setdefault(nickname_key(occupant.nick), occupant.bare) == occupant.bare
            assert occupant.sessions
            assert {session.bare for session in occupant.sessions} == {occupant.bare}
            assert occupant.role in ROLES[1:]
            assert occupant.affiliation == self.stage.room.state.affiliation_of(occupant.bare) != "outcast"

    @invariant()
    def everybody_is_counted_once(self) -> None:
        occupants = self.stage.room.occupants
        sessions = [session for occupant in occupants for session in occupant.sessions]
        moderators = [session for one in occupants if one.role == "moderator" for session in one.sessions]
        assert sorted(occupants.everyone) == sorted(set(sessions)) == sorted(sessions)
        assert sorted(occupants.moderators) == sorted(moderators)
        assert sorted(occupants.others) == sorted(set(sessions) - set(moderators))

    @invariant()
    def what_others_see_is_how_it_is(self) -> None:
        for occupant in self.stage.room.occupants:
            for payload in (occupant.plain, occupant.revealing):
                presence = read(payload.addressed(ANN))
                (found,) = presence.iter("{%s}item" % ns.MUC_USER)
                assert presence.get("from") == occupant.jid
                assert (found.get("role"), found.get("affiliation")) == (occupant.role, occupant.affiliation)
            assert found.get("jid") == occupant.shown.jid

    @invariant()
    def what_was_retracted_is_told_to_nobody(self) -> None:
        archived = {id_of(row.seq): row.xml for row in self.stage.archived()}
        for message in self.stage.room.state.history.within(Limits(), ANN):
            assert "<body" in archived[message.archive_id]

    @invariant()
    def somebody_owns_it(self) -> None:
        assert any(found.affiliation == "owner" for found in self.stage.room.state.affiliations.values())

    def teardown(self) -> None:
        """The records tell who is in."""
        if self.alive:
            again = self.stage.reloaded()
            assert seats(again) == seats(self.stage.room)
            assert again.state.vcard == self.stage.room.state.vcard
        else:
            assert self.stage.occupancies() == []

    @invariant()
    def nobody_is_in_who_may_not(self) -> None:
        state = self.stage.room.state
        if state.config.membersonly:
            assert all(occupant.affiliation != "none" for occupant in state.occupants)


TestRandomRoom = RandomRoom.TestCase
TestRandomRoom.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
