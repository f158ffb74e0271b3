"""What the room says of its occupants, and to whom (XEP-0045 §7.7, §7.14, §17.3; XEP-0421)."""

from xml.etree.ElementTree import tostring

import pytest

from fermata.core.muc.occupants import occupant_id
from fermata.core.records import Journalled, OccupancyEnded, OccupancySaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, child
from kit.rooms import ANN, BOB, BOB2, CAT, MUC, ROOM, Stage, codes, has, item, nick, refusal, x
from kit.xml import plain, read


def three(**config: object) -> Stage:
    """Ann moderates, Bob and Cat are there."""
    stage = Stage(**config)
    stage.enter(BOB)
    stage.enter(CAT)
    return stage


def test_real_jids_are_for_moderators_and_for_oneself():
    got = three().presence(BOB, "Bob", "<show>away</show>")
    assert item(got.only(ANN)) == {"affiliation": "none", "role": "participant", "jid": BOB}
    assert item(got.only(CAT)) == {"affiliation": "none", "role": "participant"}
    assert item(got.only(BOB)) == {"affiliation": "none", "role": "participant", "jid": BOB}


def test_real_jids_are_for_everybody_in_a_nonanonymous_room():
    stage = three(whois="anyone")
    got = stage.presence(BOB, "Bob", "<show>away</show>")
    assert item(got.only(CAT))["jid"] == BOB
    assert [item(each)["jid"] for each in stage.enter(CAT)[CAT][:3]] == [ANN, BOB, CAT]


def test_one_payload_serves_all_who_see_the_same():
    stage = three()
    sends = stage.room.presence(BOB, _presence("<show>away</show>"), stage.now).sends
    assert sorted(send.to for send in sends) == sorted([(ANN,), (BOB,), (CAT,)])
    sends = stage.room.message(BOB, _message(), stage.now).sends
    assert [set(send.to) for send in sends] == [{ANN, BOB, CAT}]


def _presence(inside: str) -> Element:
    return read(f"<presence from='{BOB}' to='{ROOM}/Bob'>{inside}</presence>")


def _message() -> Element:
    return read(f"<message from='{BOB}' to='{ROOM}' type='groupchat'><body>hi</body></message>")


def test_a_presence_is_passed_on_with_what_it_carries():
    got = three().send(
        BOB,
        f"<presence to='{ROOM}/Bob' xml:lang='de' id='p1'><show>dnd</show><status>müde &lt;</status>"
        f"<priority>5</priority><c xmlns='{ns.CAPS}' node='n' ver='v'/></presence>",
    )
    told = got.only(CAT)
    assert [each.tag for each in told] == [
        "show",
        "status",
        "priority",
        "{%s}c" % ns.CAPS,
        "{%s}occupant-id" % ns.OCCUPANT_ID,
        "{%s}x" % ns.MUC_USER,
    ]
    assert child(told, "status").text == "müde <"
    assert told.get("{%s}lang" % ns.XML) == "de"
    assert got.only(BOB).get("id") == "p1"
    assert told.get("id") is None


@pytest.mark.parametrize(
    "forged",
    [
        MUC,
        f"<x xmlns='{ns.MUC_USER}'><item affiliation='owner' role='moderator'/><status code='110'/></x>",
        f"<occupant-id xmlns='{ns.OCCUPANT_ID}' id='forged'/>",
        f"<hats xmlns='{ns.HATS}'><hat uri='king'/></hats>",
        f"<presence-session xmlns='{ns.PRESENCE_SESSION}' session='forged'/>",
        f"<version xmlns='{ns.PRESENCE_VERSIONING}' ver='forged'/>",
        f"<mav xmlns='{ns.MUC_AFFILIATION_VERSIONS}' since='forged'/>",
        "<rejoin-if-needed xmlns='urn:x-fermata:rejoin:0' id='forged'/>",
        f"<stanza-id xmlns='{ns.SID}' by='{ROOM}' id='forged'/>",
    ],
)
def test_what_only_the_room_may_say_is_taken_out(forged):
    stage = three()
    presence = stage.presence(BOB, "Bob", "<show>away</show>" + forged)
    for got in (presence, stage.say(BOB, "hi", forged), stage.leave(BOB, inside=forged)):
        for reader in (ANN, CAT):
            told = got[reader][-1]
            assert b"forged" not in _bytes(told)
            assert has(told, ns.MUC, "x") is None
            if told.tag == "presence":
                assert item(told)["affiliation"] == "none"
            assert has(told, ns.OCCUPANT_ID, "occupant-id").get("id") == occupant_id(b"secret", BOB.bare)


def _bytes(element: Element) -> bytes:
    return tostring(element)


def test_what_others_vouch_for_is_left_in():
    inside = f"<stanza-id xmlns='{ns.SID}' by='{BOB.bare}' id='theirs'/><origin-id xmlns='{ns.SID}' id='mine'/>"
    told = three().say(BOB, "hi", inside).only(CAT)
    assert has(told, ns.SID, "origin-id").get("id") == "mine"
    assert [each.get("by") for each in told if each.tag == "{%s}stanza-id" % ns.SID] == [BOB.bare, ROOM]


def test_the_original_stanza_is_left_as_it_is():
    stage = three()
    message = _message()
    message.append(child(_presence(MUC), "{%s}x" % ns.MUC))
    before = plain(message)
    stage.give(BOB, message)
    assert plain(message) == before


def test_an_occupant_id_is_the_persons_and_the_rooms():
    stage = three()
    ids = {
        has(each, ns.OCCUPANT_ID, "occupant-id").get("id")
        for got in (
            stage.presence(BOB, "Bob"),
            stage.presence(BOB, "Rob"),
            stage.enter(BOB2, "Bobby"),
            stage.leave(BOB),
        )
        for each in got[ANN]
    }
    assert ids == {occupant_id(b"secret", BOB.bare)}
    assert len(next(iter(ids))) == 32
    assert occupant_id(b"other", BOB.bare) not in ids


def test_a_presence_is_recorded_and_not_journalled():
    got = three().presence(BOB, "Bob", "<show>away</show>")
    (saved,) = got.effects.records
    assert isinstance(saved, OccupancySaved)
    assert (saved.jid, saved.presence) == (BOB, "<presence><show>away</show></presence>")


def test_the_session_that_spoke_last_is_the_one_that_others_see():
    stage = three()
    stage.enter(BOB2, "Bob", MUC + "<show>away</show>")
    got = stage.presence(BOB, "Bob", "<show>dnd</show>")
    assert child(got.only(CAT), "show").text == "dnd"
    assert codes(got.only(BOB2)) == [110]
    assert child(got.only(BOB2), "show").text == "dnd"
    got = stage.leave(BOB)
    assert child(got.only(CAT), "show").text == "away"
    assert got.only(CAT).get("type") is None


# -- leaving


def test_leaving_is_told_to_everybody_and_to_oneself_with_110():
    got = three().leave(BOB, f"{ROOM}/Bob", "<status>bye</status>")
    for reader, expected in ((ANN, []), (CAT, []), (BOB, [110])):
        told = got.only(reader)
        assert (told.get("type"), nick(told), item(told)["role"]) == ("unavailable", "Bob", "none")
        assert codes(told) == expected
        assert child(told, "status").text == "bye"
    assert "jid" not in item(got.only(CAT))
    assert got.kept(OccupancyEnded) == [OccupancyEnded(7, BOB)]
    assert got.kept(Journalled)[0][3:] == ("Bob", "exit", "left")


@pytest.mark.parametrize("to", [str(ROOM), f"{ROOM}/Bob", f"{ROOM}/Former", f"{ROOM}/Ann"])
def test_leaving_counts_wherever_in_the_room_it_is_addressed_to(to):
    stage = three()
    got = stage.leave(BOB, to)
    assert nick(got.only(CAT)) == "Bob"
    assert stage.room.occupants.at(BOB) is None
    assert stage.room.occupants.at(ANN) is not None


def test_leaving_without_being_there_is_ignored():
    stage = three()
    stage.leave(BOB)
    got = stage.leave(BOB)
    assert not got
    assert not got.effects.records


def test_losing_one_session_of_several_is_not_leaving():
    stage = three()
    stage.enter(BOB2, "Bob")
    got = stage.leave(BOB2)
    assert codes(got.only(BOB2)) == [110]
    assert got.only(BOB2).get("type") == "unavailable"
    assert [each.get("type") for reader in (ANN, CAT) for each in got[reader]] == [None, None]
    assert stage.room.occupants.named("Bob") is not None
    assert got.kept(OccupancyEnded) == [OccupancyEnded(7, BOB2)]


def test_losing_a_session_that_nobody_saw_is_told_to_nobody():
    stage = three()
    stage.enter(BOB2, "Bob")
    assert set(stage.leave(BOB)) == {BOB}


def test_a_temporary_room_goes_with_its_last_occupant():
    stage = Stage(persistentroom=False)
    stage.enter(BOB)
    assert not stage.leave(ANN).effects.destroyed
    got = stage.leave(BOB)
    assert got.effects.destroyed
    assert type(got.effects.records[-1]).__name__ == "EntityGone"


def test_a_persistent_room_stays():
    assert not Stage().leave(ANN).effects.destroyed


def test_a_room_that_was_never_configured_goes_with_its_maker():
    stage = Stage(locked=True)
    got = stage.leave(ANN)
    assert got.effects.destroyed
    assert has(x(got.only(ANN)), ns.MUC_USER, "destroy") is not None


# -- presencebroadcast


def test_roles_that_are_not_broadcast_are_seen_by_themselves_alone():
    stage = three(presencebroadcast=("moderator",))
    assert set(stage.presence(BOB, "Bob", "<show>away</show>")) == {BOB}
    got = stage.enter(CAT)[CAT]
    assert [nick(each) for each in got[:2]] == ["Ann", "Cat"]
    assert set(stage.presence(ANN, "Ann", "<show>away</show>")) == {ANN, BOB, CAT}
    assert set(stage.presence(BOB, "Rob")) == {BOB}
    assert set(stage.leave(BOB)) == {BOB}


def test_who_rises_into_a_role_that_is_broadcast_appears_and_vanishes_again():
    stage = three(presencebroadcast=("moderator",))
    got = stage.admin(ANN, "<item nick='Bob' role='moderator'/>")
    assert item(got.only(CAT))["role"] == "moderator"
    got = stage.admin(ANN, "<item nick='Bob' role='participant'/>")
    assert (got.only(CAT).get("type"), item(got.only(CAT))["role"]) == ("unavailable", "none")
    assert codes(got.only(BOB)) == [110]


def test_a_change_of_what_is_broadcast_shows_at_once():
    stage = three()
    got = stage.configure(ANN, presencebroadcast=["moderator"])
    assert [(nick(each), each.get("type")) for each in got[CAT]] == [("Bob", "unavailable"), ("", "groupchat")]
    got = stage.configure(ANN, presencebroadcast=["moderator", "participant"])
    assert [(nick(each), each.get("type")) for each in got[CAT]] == [("Bob", None), ("", "groupchat")]


def test_a_visitor_has_a_presence_too():
    stage = Stage(moderatedroom=True)
    assert item(stage.enter(BOB)[BOB][1])["role"] == "visitor"
    assert refusal(stage.say, BOB, "hi") == ("forbidden", "auth")
