"""Rooms of one server, with people from another."""

from collections.abc import Callable

import pytest

from federation.seen import Seen, gone, here, said, stanza
from federation.site import Site
from kit import ns
from kit.muc import change, configuration, create, enter, items, join
from kit.stanzas import Element, codes, error, find, form_values, item, quoteattr, text
from kit.wire import Client

pytestmark = pytest.mark.interop


class Party:
    """A room of `near` in which ann, its owner, and ben from `far` are; nothing of that is left to read."""

    def __init__(self, near: Site, far: Site, **fields: str) -> None:
        self.room = near.room()
        self.ann, self.ben = near.guest(), far.guest()
        create(self.ann, self.room, "ann", **fields)
        enter(self.ben, self.room, "ben")
        self.ann.wait_for(here(f"{self.room}/ben"))

    def sees(self, person: Client, nick: str, kind: Callable[..., Seen], *checks: str) -> set[str]:
        """Wait until that person sees that presence of an occupant; its status codes."""
        return codes(person.wait_for(kind(f"{self.room}/{nick}", "user:x", *checks)))

    def says(self, person: Client, body: str) -> None:
        person.send(f"<message to='{self.room}' type='groupchat' id='id-of-{body}'><body>{body}</body></message>")

    def hears(self, nick: str, body: str, *people: Client) -> None:
        for person in people:
            person.wait_for(said(body, type="groupchat", from_=f"{self.room}/{nick}", to=person.jid))


def has(**attributes: str) -> Callable[[Element], bool]:
    """Whether a presence from a room has an item like that."""
    return lambda presence: item(presence).items() >= attributes.items()


@pytest.fixture
def party(near: Site, far: Site) -> Party:
    return Party(near, far)


def test_whoever_enters_sees_all_and_is_seen(near: Site, far: Site) -> None:
    room, ann, ben = near.room(), near.guest(), far.guest()
    create(ann, room, "ann", whois="anyone")
    entry = enter(ben, room, "ben")
    assert [each.get("from") for each in entry.others] == [f"{room}/ann"]
    assert entry.codes >= {"110", "100"}
    assert item(entry.own)["affiliation"] == "none"
    seen = ann.wait_for(here(f"{room}/ben"))
    assert item(seen)["jid"] == ben.jid


def test_everybody_hears_everybody_in_one_order(party: Party) -> None:
    for number in range(40):
        party.says(party.ann if number % 2 else party.ben, str(number))
    bodies = [
        [person.wait_for(stanza("message", "body", type="groupchat")).findtext("body") for _ in range(40)]
        for person in (party.ann, party.ben)
    ]
    assert bodies[0] == bodies[1]
    assert [body for body in bodies[0] if int(body or 0) % 2] == [str(number) for number in range(1, 40, 2)]
    assert [body for body in bodies[0] if not int(body or 1) % 2] == [str(number) for number in range(0, 40, 2)]


def test_ones_own_message_comes_back_with_its_id(party: Party) -> None:
    party.says(party.ben, "echo")
    party.ben.wait_for(said("echo", type="groupchat", id="id-of-echo", from_=f"{party.room}/ben"))


def test_a_private_message_reaches_one_person_alone(party: Party, far: Site) -> None:
    cat = far.guest()
    enter(cat, party.room, "cat")
    for sender, nick, other, name in ((party.ann, "ben", party.ben, "ann"), (party.ben, "ann", party.ann, "ben")):
        sender.send(f"<message to='{party.room}/{nick}' type='chat'><body>psst</body></message>")
        other.wait_for(said("psst", type="chat", from_=f"{party.room}/{name}"))
    party.says(party.ann, "aloud")
    assert text(cat.wait_for(stanza("message", "body")), "body") == "aloud", "others heard it"


def test_a_change_of_nick_is_seen_by_all(party: Party) -> None:
    party.ben.send(f"<presence to='{party.room}/benjamin'/>")
    for person in (party.ann, party.ben):
        left = person.wait_for(gone(f"{party.room}/ben"))
        assert "303" in codes(left)
        assert item(left)["nick"] == "benjamin"
        assert ("110" in party.sees(person, "benjamin", here)) == (person is party.ben)
    party.says(party.ben, "still here")
    party.hears("benjamin", "still here", party.ann, party.ben)


def test_a_nick_is_had_by_one_person(party: Party, far: Site) -> None:
    cat = far.guest()
    cat.send(join(party.room, "ann"))
    assert error(cat.wait_for(stanza("presence", type="error", from_=f"{party.room}/ann"))) == ("cancel", "conflict")


def test_the_subject_is_told_to_all_and_to_whoever_comes_later(party: Party, far: Site) -> None:
    party.ann.send(f"<message to='{party.room}' type='groupchat'><subject>tea</subject></message>")
    for person in (party.ann, party.ben):
        assert text(person.wait_for(stanza("message", "subject", type="groupchat")), "subject") == "tea"
    assert text(enter(far.guest(), party.room, "cat").subject, "subject") == "tea"


def test_whoever_comes_later_gets_what_was_said(party: Party, far: Site) -> None:
    party.says(party.ben, "before")
    party.hears("ben", "before", party.ann, party.ben)
    entry = enter(far.guest(), party.room, "cat")
    assert [each.findtext("body") for each in entry.history] == ["before"]
    assert [each.get("from") for each in entry.history] == [f"{party.room}/ben"]


def test_leaving_is_seen_by_all(party: Party) -> None:
    party.ben.send(f"<presence to='{party.room}/ben' type='unavailable'><status>bye</status></presence>")
    assert "110" in party.sees(party.ben, "ben", gone)
    assert text(party.ann.wait_for(gone(f"{party.room}/ben")), "status") == "bye"


def test_logging_out_is_leaving(party: Party) -> None:
    party.ben.close()
    party.sees(party.ann, "ben", gone)


def test_status_is_seen_by_all(party: Party) -> None:
    for person, nick, other in ((party.ben, "ben", party.ann), (party.ann, "ann", party.ben)):
        person.send(f"<presence to='{party.room}/{nick}'><show>away</show></presence>")
        party.sees(other, nick, here, "show")


def test_whoever_is_kicked_is_out_and_knows_why(party: Party) -> None:
    party.ann.set(change(nick="ben", role="none", reason="enough"), party.room)
    out = party.ben.wait_for(gone(f"{party.room}/ben"))
    assert codes(out) >= {"307", "110"}
    assert text(out, "user:x/user:item/user:reason") == "enough"
    assert "307" in party.sees(party.ann, "ben", gone)
    party.says(party.ben, "let me in")
    assert error(party.ben.wait_for(stanza("message", type="error")))[1] == "not-acceptable"


def test_whoever_is_banned_is_out_and_stays_out(party: Party) -> None:
    party.ann.set(change(jid=party.ben.bare, affiliation="outcast"), party.room)
    assert codes(party.ben.wait_for(gone(f"{party.room}/ben"))) >= {"301", "110"}
    party.ben.send(join(party.room, "ben"))
    assert error(party.ben.wait_for(stanza("presence", type="error"))) == ("auth", "forbidden")
    assert [each["jid"] for each in items(party.ann, party.room, affiliation="outcast")] == [party.ben.bare]


def test_people_of_other_servers_are_on_the_lists(party: Party) -> None:
    for affiliation in ("member", "admin"):
        party.ann.set(change(jid=party.ben.bare, affiliation=affiliation), party.room)
        seen = party.ben.wait_for(here(f"{party.room}/ben", has(affiliation=affiliation)))
        assert "110" in codes(seen)
        assert [each["jid"] for each in items(party.ann, party.room, affiliation=affiliation)] == [party.ben.bare]


def test_an_owner_from_another_server_runs_the_room(party: Party) -> None:
    party.ann.set(change(jid=party.ben.bare, affiliation="owner"), party.room)
    party.ben.wait_for(here(f"{party.room}/ben", has(affiliation="owner")))
    form = form_values(party.ben.get(f"<query xmlns='{ns.MUC_OWNER}'/>", party.room))
    assert "muc#roomconfig_moderatedroom" in form
    party.ben.set(configuration(moderatedroom="1"), party.room)
    party.ben.set(change(nick="ann", affiliation="none", jid=party.ann.bare), party.room)
    party.ann.wait_for(here(f"{party.room}/ann", has(affiliation="none")))


def test_voice_is_given_and_taken(party: Party) -> None:
    party.ann.set(change(nick="ben", role="visitor"), party.room)
    party.ben.wait_for(here(f"{party.room}/ben", has(role="visitor")))
    party.ann.set(change(nick="ben", role="participant"), party.room)
    party.ben.wait_for(here(f"{party.room}/ben", has(role="participant")))


def test_a_members_only_room_lets_members_of_other_servers_in(near: Site, far: Site) -> None:
    room, ann, ben = near.room(), near.guest(), far.guest()
    create(ann, room, "ann", membersonly="1")
    ben.send(join(room, "ben"))
    assert error(ben.wait_for(stanza("presence", type="error"))) == ("auth", "registration-required")
    ann.set(change(jid=ben.bare, affiliation="member"), room)
    ben.send(join(room, "ben"))
    ben.wait_for(here(f"{room}/ben"))  # after an invitation, from a room that invites its members


def test_a_password_opens_the_room(near: Site, far: Site) -> None:
    room, ann, ben = near.room(), near.guest(), far.guest()
    create(ann, room, "ann", passwordprotectedroom="1", roomsecret="open sesame")
    ben.send(join(room, "ben"))
    assert error(ben.wait_for(stanza("presence", type="error"))) == ("auth", "not-authorized")
    enter(ben, room, "ben", password="open sesame")


def test_an_invitation_reaches_another_server(near: Site, far: Site) -> None:
    room, ann, ben = near.room(), near.guest(), far.guest()
    create(ann, room, "ann")
    invite = f"<invite to={quoteattr(ben.bare)}><reason>tea</reason></invite>"
    ann.send(f"<message to='{room}'><x xmlns='{ns.MUC_USER}'>{invite}</x></message>")
    came = ben.wait_for(stanza("message", "user:x/user:invite", from_=room))
    assert text(came, "user:x/user:invite/user:reason") == "tea"


def test_a_question_passes_through_the_room(party: Party) -> None:
    party.ben.send(f"<iq type='get' id='v1' to='{party.room}/ann'><vCard xmlns='vcard-temp'/></iq>")
    party.ben.wait_for(stanza("iq", id="v1", from_=f"{party.room}/ann"))
    party.ann.send(f"<iq type='get' id='t1' to='{party.room}/ben'><time xmlns='{ns.TIME}'/></iq>")
    asked = party.ben.wait_for(stanza("iq", "time:time", type="get", from_=f"{party.room}/ann"))
    answer = f"<time xmlns='{ns.TIME}'><tzo>+01:00</tzo><utc>2026-11-20T12:00:00Z</utc></time>"
    party.ben.send(f"<iq type='result' id='{asked.get('id')}' to='{asked.get('from')}'>{answer}</iq>")
    assert text(party.ann.wait_for(stanza("iq", type="result", id="t1")), "time:time/time:tzo") == "+01:00"


def test_ones_own_nick_answers_a_ping(party: Party) -> None:
    party.ben.send(f"<iq type='get' id='p1' to='{party.room}/ben'><ping xmlns='{ns.PING}'/></iq>")
    came = party.ben.wait_for(lambda each: each.get("from") == f"{party.room}/ben" and each.tag == "iq")
    if came.get("type") == "get":  # a room that knows nothing of XEP-0410 asks one's own client
        party.ben.send(f"<iq type='result' id='{came.get('id')}' to='{party.room}/ben'/>")
        came = party.ben.wait_for(stanza("iq", id="p1"))
    assert came.get("type") == "result"


def test_a_stranger_is_told_that_he_is_not_in_the_room(party: Party, far: Site) -> None:
    cat = far.guest()
    assert cat.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{party.room}/cat")[1] in ("not-acceptable", "forbidden")


def test_the_end_of_a_room_is_told_to_all(party: Party) -> None:
    destroy = f"<query xmlns='{ns.MUC_OWNER}'><destroy><reason>over</reason></destroy></query>"
    party.ann.set(destroy, party.room)
    came = party.ben.wait_for(gone(f"{party.room}/ben"))
    assert find(came, "user:x/user:destroy") is not None
