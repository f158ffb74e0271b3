"""Presence in rooms after entering: changes, nicks, leaving, occupant ids (XEP-0045 §7.6, §7.7, §7.14; XEP-0421)."""

import pytest

from kit import ns
from kit.muc import create, drain, enter, join, party
from kit.people import People
from kit.stanzas import Element, codes, find, find_all, item, show, text
from kit.wire import Client, SocketLink

FORGED = (
    f"<x xmlns='{ns.MUC_USER}'><item affiliation='owner' role='moderator' jid='evil@localhost/x'/>"
    "<status code='110'/></x>"
    f"<occupant-id xmlns='{ns.OCCUPANT_ID}' id='forged'/>"
    "<hats xmlns='urn:xmpp:hats:0'><hat uri='urn:example:boss' title='Boss'/></hats>"
    "<presence-session xmlns='urn:xmpp:presence-session:0' session='x' id='1'/>"
    "<version xmlns='urn:xmpp:muc-presence-versioning:0' version='1'/>"
    "<rejoined xmlns='urn:x-fermata:rejoin:0'/>"
)


def occupant_id(stanza: Element) -> str:
    ids = find_all(stanza, "occupant:occupant-id")
    assert len(ids) == 1, show(stanza)
    value = ids[0].get("id", "")
    assert 0 < len(value) <= 128
    return value


def name(client: Client) -> str:
    return client.jid.split("@")[0]


# Presence in the room (§7.7)


def test_a_change_of_presence_is_seen_by_all(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence to='{room}/Ben' id='p'><show>away</show><x xmlns='urn:example'/></presence>")
    seen = ann.expect("presence", "{urn:example}x", from_=f"{room}/Ben", type=None)
    assert text(seen, "show") == "away"
    assert item(seen)["role"] == "participant"
    own = ben.expect("presence", from_=f"{room}/Ben")
    assert "110" in codes(own)


@pytest.mark.parametrize("when", ["entering", "changing", "leaving"])
def test_forged_elements_are_taken_out_of_presence(ann: Client, ben: Client, room: str, when: str) -> None:
    create(ann, room, "Ann")
    if when == "entering":
        ben.send(join(room, "Ben", content=FORGED))
    else:
        enter(ben, room, "Ben")
        drain(room, {"Ann": ann, "Ben": ben})
        type = "type='unavailable'" if when == "leaving" else ""
        ben.send(f"<presence {type} to='{room}/Ben'><status>changed</status>{FORGED}</presence>")
    seen = ann.expect("presence", from_=f"{room}/Ben")
    assert len(find_all(seen, "user:x")) == 1
    assert item(seen)["affiliation"] == "none"
    assert "110" not in codes(seen)
    assert occupant_id(seen) != "forged"
    for path in ("{urn:xmpp:hats:0}hats", "{urn:xmpp:presence-session:0}presence-session", "muc:x",
                 "{urn:xmpp:muc-presence-versioning:0}version", "{urn:x-fermata:rejoin:0}rejoined"):  # fmt: skip
        assert find(seen, path) is None, show(seen)


def test_presence_can_be_kept_from_the_others_by_role(ann: Client, ben: Client, cat: Client, room: str) -> None:
    """muc#roomconfig_presencebroadcast; one's own 110 always comes."""
    create(ann, room, "Ann", moderatedroom="1", presencebroadcast=["moderator", "participant"])
    entry = enter(ben, room, "Ben")
    assert "110" in entry.codes
    assert f"{room}/Ben" not in {stanza.get("from") for stanza in ann.sync(f"{room}/Ann")}
    assert {presence.get("from") for presence in enter(cat, room, "Cat").others} == {f"{room}/Ann"}
    ben.nothing_before(f"{room}/Ben")


# Nicks (§7.6)


def test_a_nick_can_be_changed(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence to='{room}/Benno'/>")
    for client in (ann, ben):
        own = {"110"} if client is ben else set()
        old = client.expect("presence", type="unavailable", from_=f"{room}/Ben")
        assert codes(old) == {"303"} | own
        assert item(old)["nick"] == "Benno"
        new = client.expect("presence", type=None, from_=f"{room}/Benno")
        assert codes(new) == own
        assert item(new)["role"] == "participant"
    ben.send(f"<message type='groupchat' to='{room}'><body>me</body></message>")
    ann.expect("message", from_=f"{room}/Benno")


def test_changing_the_nick_is_not_entering(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<message type='groupchat' to='{room}'><body>old</body></message>")
    drain(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence to='{room}/Benno'/>")
    ben.expect("presence", type="unavailable")
    ben.expect("presence", type=None)
    ben.nothing_before(f"{room}/Benno")


@pytest.mark.parametrize("nick", ["Ann", "ANN"])
def test_a_nick_cannot_be_changed_to_one_that_is_taken(ann: Client, ben: Client, room: str, nick: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence to='{room}/{nick}' id='c'/>")
    ben.expect_error("presence", "conflict", "cancel", id="c")
    ann.nothing_before(f"{room}/Ann")
    ben.nothing_before(f"{room}/Ben")


def test_ones_own_nick_may_change_its_case(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence to='{room}/BEN'/>")
    assert item(ann.expect("presence", type="unavailable", from_=f"{room}/Ben"))["nick"] == "BEN"
    ann.expect("presence", type=None, from_=f"{room}/BEN")


def test_the_old_nick_is_free_again(ann: Client, ben: Client, cat: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence to='{room}/Benno'/>")
    ben.sync(f"{room}/Benno")
    assert enter(cat, room, "Ben").own.get("from") == f"{room}/Ben"


# Leaving (§7.14)


def test_leaving_is_seen_by_all_and_confirmed(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence type='unavailable' to='{room}/Ben' id='bye'><status>tired</status></presence>")
    own = ben.expect("presence", type="unavailable", from_=f"{room}/Ben")
    assert codes(own) == {"110"}
    seen = ann.expect("presence", type="unavailable", from_=f"{room}/Ben")
    assert codes(seen) == set()
    assert text(seen, "status") == "tired"
    for presence in (own, seen):
        assert item(presence)["role"] == "none"
        assert item(presence)["affiliation"] == "none"


def test_who_left_hears_nothing_more(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.expect("presence", type="unavailable")
    ann.send(f"<message type='groupchat' to='{room}'><body>alone</body></message>")
    ann.sync(f"{room}/Ann")
    ben.nothing_before()


@pytest.mark.parametrize("to", ["room", "room/Another"])
def test_one_may_leave_by_any_address_of_the_room(ann: Client, ben: Client, room: str, to: str) -> None:
    """What is addressed to the room is his word, whatever the nick in it: he was renamed, or forgot it."""
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence type='unavailable' to='{to.replace('room', room)}'/>")
    ann.expect("presence", type="unavailable", from_=f"{room}/Ben")


def test_the_end_of_a_stream_leaves_all_rooms(ann: Client, ben: Client, room: str) -> None:
    rooms = [room, f"other-{room}"]
    for each in rooms:
        party(each, {"Ann": ann, "Ben": ben})
    ben.close()
    came = {ann.expect("presence", type="unavailable").get("from") for _ in rooms}
    assert came == {f"{each}/Ben" for each in rooms}


def test_unavailable_presence_leaves_all_rooms(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send("<presence type='unavailable'><status>gone</status></presence>")
    seen = ann.expect("presence", type="unavailable", from_=f"{room}/Ben")
    assert text(seen, "status") == "gone"


def test_a_lost_connection_does_not_leave_at_once(ann: Client, ben: Client, room: str) -> None:
    """Without stream management the exit is held back for 30 seconds."""
    party(room, {"Ann": ann, "Ben": ben})
    assert isinstance(ben.link, SocketLink)
    ben.cut()
    ann.send(f"<message type='groupchat' to='{room}'><body>hello</body></message>")
    ann.expect("message", "body")
    ann.nothing_before(f"{room}/Ann")


def test_a_room_survives_being_empty(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", roomname="Tea")
    ann.send(f"<message type='groupchat' to='{room}'><body>kept</body></message>")
    ann.sync(f"{room}/Ann")
    ann.send(f"<presence type='unavailable' to='{room}/Ann'/>")
    ann.expect("presence", type="unavailable")
    entry = enter(ben, room, "Ben")
    assert "201" not in entry.codes
    assert [text(message, "body") for message in entry.history] == ["kept"]


def test_a_temporary_room_ends_with_its_last_occupant(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann", persistentroom="0")
    ann.send(f"<presence type='unavailable' to='{room}/Ann'/>")
    ann.expect("presence", type="unavailable")
    assert "201" in enter(ben, room, "Ben").codes


# Occupant ids (XEP-0421)


def test_everything_from_an_occupant_carries_his_id(ann: Client, ben: Client, cat: Client, room: str) -> None:
    create(ann, room, "Ann", changesubject="1")
    enter(ben, room, "Ben")
    id = occupant_id(ann.expect("presence", from_=f"{room}/Ben"))
    ben.send(f"<presence to='{room}/Ben'><show>away</show></presence>")
    ben.send(f"<message type='groupchat' to='{room}'><body>hello</body></message>")
    ben.send(f"<message type='groupchat' to='{room}'><subject>tea</subject></message>")
    ben.send(f"<message type='chat' to='{room}/Ann'><body>psst</body></message>")
    ben.send(f"<presence to='{room}/Benno'/>")
    ben.send(f"<presence type='unavailable' to='{room}/Benno'/>")
    assert [occupant_id(ann.next()) for _ in range(7)] == [id] * 7
    entry = enter(cat, room, "Cat")
    assert occupant_id(entry.history[0]) == id
    assert occupant_id(entry.subject) == id


def test_an_id_belongs_to_a_person_and_a_room(guests: People, ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    create(ann, f"other-{room}", "Ann")
    first = occupant_id(enter(ben, room, "Ben").own)
    elsewhere = occupant_id(enter(ben, f"other-{room}", "Ben").own)
    for each in (room, f"other-{room}"):
        ann.sync(f"{each}/Ann")
    desk = guests.another(ben)
    assert occupant_id(enter(desk, room, "Ben").own) == first
    assert elsewhere != first
    ann.sync(f"{room}/Ann")
    assert occupant_id(enter(ann, room, "Ann").own) != first
    ben.close()
    desk.close()
    again = guests.online(name(ben))
    assert occupant_id(enter(again, room, "Someone").own) == first


def test_an_id_does_not_tell_the_address(ann: Client, room: str) -> None:
    id = occupant_id(enter(ann, room, "Ann").own)
    assert name(ann) not in id
    assert len(id) >= 16
