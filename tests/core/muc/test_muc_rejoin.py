"""A presence that lets in who is not in the room, and does nothing else (urn:x-fermata:rejoin:0)."""

import pytest

from fermata.core.records import Journalled, OccupancySaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.jid import JID
from kit.rooms import ANN, BOB, BOB2, CAT, DAN, MUC, ROOM, Stage, codes, has, item, nick, refusal, seats

AWAY = "<show>away</show>"


def rejoin(inside: str = "", presence: str = "") -> str:
    return f"{presence}<rejoin-if-needed xmlns='{ns.REJOIN}'>{inside}</rejoin-if-needed>"


def party(*people: JID, **config) -> Stage:
    stage = Stage(**config)
    for person in people:
        stage.enter(person)
    return stage


# -- who is in


def test_whoever_is_in_is_told_so_and_nobody_else_anything():
    stage = party(BOB, CAT)
    said = stage.enter(BOB, inside=rejoin(), id="r7")
    own = said.only(BOB)
    assert set(said) == {BOB}
    assert (own.get("id"), own.get("from"), codes(own)) == ("r7", f"{ROOM}/Bob", [110])
    assert has(own, ns.REJOIN, "rejoined") is None
    assert said.effects.records == []


def test_the_same_presence_in_another_order_and_with_a_delay_is_no_change():
    stage = party(CAT)
    stage.enter(BOB, inside=f"{MUC}{AWAY}<status>tea</status><c xmlns='{ns.CAPS}' ver='1'/>")
    delay = f"<delay xmlns='{ns.DELAY}' stamp='2026-01-01T00:00:00Z'/>"
    said = stage.enter(BOB, inside=rejoin(presence=f"<c xmlns='{ns.CAPS}' ver='1'/><status>tea</status>{delay}{AWAY}"))
    assert set(said) == {BOB}


def test_another_presence_is_told_to_everybody():
    stage = party(BOB, CAT)
    said = stage.enter(BOB, inside=rejoin(presence=AWAY), id="r8")
    assert said.only(CAT).findtext("show") == "away"
    assert said.only(BOB).get("id") == "r8"
    assert said.only(BOB).findtext("show") == "away"
    assert has(said.only(CAT), ns.REJOIN, "rejoin-if-needed") is None


def test_another_nickname_is_a_change_of_nickname():
    stage = party(BOB, CAT)
    said = stage.enter(BOB, "Robert", inside=rejoin(), id="r9")
    assert [(nick(each), each.get("type")) for each in said[CAT]] == [("Bob", "unavailable"), ("Robert", None)]
    assert said[BOB][-1].get("id") == "r9"


def test_a_nickname_that_is_taken_is_refused():
    assert refusal(party(BOB, CAT).enter, BOB, "Cat", inside=rejoin()) == ("conflict", "cancel")


def test_whoever_asks_too_often_is_only_told_that_he_is_in():
    stage = party(BOB, CAT)
    stage.enter(BOB, inside=rejoin())
    stage.now += 9
    for nickname, presence in (("Bob", AWAY), ("Robert", "")):
        said = stage.enter(BOB, nickname, inside=rejoin(presence=presence), id="soon")
        assert set(said) == {BOB}
        assert (nick(said.only(BOB)), said.only(BOB).get("id")) == ("Bob", "soon")
    stage.now += 1
    assert stage.enter(BOB, inside=rejoin(presence=AWAY))[CAT]


# -- who is not


def test_whoever_is_not_in_enters_and_is_told_that_he_was_out():
    stage = party(CAT)
    stage.say(CAT, "hello")
    said = stage.enter(BOB, inside=rejoin(presence=AWAY), id="r7")
    out, *others, own, message, subject = said[BOB]
    assert (out.get("type"), nick(out), codes(out)) == ("unavailable", "Bob", [110, 333])
    assert item(out)["role"] == "none"
    assert [nick(each) for each in others] == ["Ann", "Cat"]
    assert (own.get("id"), codes(own)) == ("r7", [110])
    assert has(own, ns.REJOIN, "rejoined") is not None
    assert message.findtext("body") == "hello"
    assert subject.find("subject") is not None
    assert said.only(CAT).findtext("show") == "away"
    assert has(said.only(CAT), ns.REJOIN, "rejoined") is None
    assert [record.event for record in said.kept(Journalled)] == ["enter"]


def test_a_rejoin_with_the_nickname_of_another_session_of_his_is_one_more_session():
    stage = party(BOB, CAT)
    said = stage.enter(BOB2, "Bob", inside=rejoin())
    assert has(said[BOB2][-2], ns.REJOIN, "rejoined") is not None
    assert not said[CAT]


@pytest.mark.parametrize(
    ("config", "affiliation", "expected"),
    [
        ({"membersonly": "1"}, "none", ("registration-required", "auth")),
        ({"passwordprotectedroom": "1", "roomsecret": "s"}, "none", ("not-authorized", "auth")),
        ({"maxusers": "1"}, "none", ("service-unavailable", "wait")),
        ({}, "outcast", ("forbidden", "auth")),
    ],
)
def test_whoever_may_not_enter_may_not_by_this_way_either(config, affiliation, expected):
    stage = Stage()
    stage.configure(ANN, **config)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='{affiliation}'/>")
    before = seats(stage.room)
    assert refusal(stage.enter, BOB, inside=rejoin()) == expected
    assert seats(stage.room) == before


def test_the_password_stands_inside():
    stage = Stage()
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="open sesame")
    assert refusal(stage.enter, BOB, inside=rejoin("<password>wrong</password>")) == ("not-authorized", "auth")
    assert codes(stage.enter(BOB, inside=rejoin("<password>open sesame</password>"))[BOB][-2]) == [110]


def test_the_room_is_not_made_by_it():
    stage = Stage(locked=True)
    assert refusal(stage.enter, BOB, inside=rejoin()) == ("item-not-found", "cancel")


def test_a_usable_token_spares_the_list_and_the_notice():
    stage = party(CAT, DAN)
    asking = f"{MUC}<presence-session xmlns='{ns.PRESENCE_SESSION}'/>"
    found = has(stage.enter(BOB, inside=asking)[BOB][-1], ns.PRESENCE_SESSION, "presence-session")
    stage.leave(BOB)
    stage.leave(CAT)
    given = dict(found.attrib) | {"type": "resume"}
    token = " ".join(f"{name}='{value}'" for name, value in given.items())
    said = stage.enter(BOB, inside=rejoin(f"<presence-session xmlns='{ns.PRESENCE_SESSION}' {token}/>"))
    told = [(nick(each), each.get("type", "")) for each in said[BOB] if each.tag == "presence"]
    assert told == [("Cat", "unavailable"), ("Bob", "")]
    assert has(said[BOB][1], ns.REJOIN, "rejoined") is not None


def test_a_void_token_brings_both_notices_and_the_list():
    stage = party(CAT)
    token = f"<presence-session xmlns='{ns.PRESENCE_SESSION}' session='x' id='y' type='resume'/>"
    said = stage.enter(BOB, inside=rejoin(token))
    told = [(nick(each), each.get("type", "")) for each in said[BOB] if each.tag == "presence"]
    assert told == [("Bob", "unavailable"), ("", "unavailable"), ("Ann", ""), ("Cat", ""), ("Bob", "")]


def test_history_by_id_stands_inside():
    stage = party(CAT)
    stage.say(CAT, "seen")
    stage.say(CAT, "unseen")
    said = stage.enter(BOB, inside=rejoin(f"<history xmlns='{ns.HISTORY}' after='sid-000001' max='5'/>"))
    assert [each.findtext("body") for each in said[BOB] if each.find("body") is not None] == ["unseen"]


def test_an_entering_x_beside_it_makes_it_an_ordinary_entry():
    stage = party(BOB, CAT)
    said = stage.enter(BOB, inside=MUC + rejoin())
    assert [nick(each) for each in said[BOB] if each.tag == "presence"] == ["Ann", "Cat", "Bob"]


def test_switched_off_it_is_only_a_presence():
    stage = party(BOB)
    stage.room.state.cheap_rejoin = False
    assert codes(stage.enter(CAT, inside=rejoin()).only(CAT)) == [110, 307, 333]
    assert stage.enter(BOB, inside=rejoin(presence=AWAY))[ANN]


# -- entering again by the <x/> of XEP-0045


def test_entering_again_is_told_to_nobody_else():
    stage = party(BOB, CAT)
    said = stage.enter(BOB)
    assert set(said) == {BOB}
    assert said.kept(OccupancySaved) == []


def test_entering_again_with_the_same_in_another_order_is_told_to_nobody_else():
    stage = party(CAT)
    stage.enter(BOB, inside=f"{MUC}{AWAY}<status>tea</status>")
    assert set(stage.enter(BOB, inside=f"<status>tea</status>{MUC}{AWAY}")) == {BOB}


def test_entering_again_with_another_presence_is_told_as_a_change():
    stage = party(BOB, CAT)
    assert stage.enter(BOB, inside=MUC + AWAY).only(CAT).findtext("show") == "away"


def test_a_presence_that_is_too_long_to_keep_is_none_and_compares_as_such():
    stage = party(CAT)
    huge = f"<status>{'x' * 20_000}</status>"
    said = stage.enter(BOB, inside=MUC + huge)
    assert said.only(CAT).find("status") is None
    assert set(stage.enter(BOB, inside=rejoin(presence=huge))) == {BOB}


# -- leaving, to whatever nickname it is addressed (RFC 6121 §4.6)


@pytest.mark.parametrize("to", [ROOM, f"{ROOM}/Bob", f"{ROOM}/Robert", f"{ROOM}/Cat", f"{ROOM}/nobody"])
def test_unavailable_presence_is_the_end_of_that_session_wherever_it_goes(to):
    stage = party(BOB, CAT)
    stage.presence(BOB, "Robert")
    said = stage.leave(BOB, to=to)
    assert stage.room.occupants.at(BOB) is None
    assert stage.room.occupants.at(CAT) is not None
    assert nick(said.only(CAT)) == "Robert"
