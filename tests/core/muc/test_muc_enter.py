"""Entering a room: order, codes, refusals, several sessions, resynchronisation (XEP-0045 §7.2)."""

import pytest

from fermata.core.muc.occupants import occupant_id
from fermata.core.records import (
    AffiliationSaved,
    EntityMade,
    Journalled,
    MessageArchived,
    OccupancyEnded,
    OccupancySaved,
    RoomSaved,
)
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from kit.rooms import ANN, ANN2, BOB, BOB2, CAT, DAN, MUC, ROOM, START, Stage, codes, has, item, nick, refusal


def test_others_come_first_then_oneself_then_history_then_the_subject():
    stage = Stage()
    stage.enter(BOB)
    stage.say(ANN, "one")
    stage.say(BOB, "two")
    stage.send(ANN, "<message type='groupchat'><subject>tea</subject></message>")
    got = stage.enter(CAT)[CAT]
    assert [(each.tag, nick(each)) for each in got] == [
        ("presence", "Ann"),
        ("presence", "Bob"),
        ("presence", "Cat"),
        ("message", "Ann"),
        ("message", "Bob"),
        ("message", "Ann"),
    ]
    assert [110 in codes(each) for each in got[:3]] == [False, False, True]
    assert [child(each, "body") is not None for each in got[3:]] == [True, True, False]
    assert child(got[5], "subject").text == "tea"


def test_self_presence_has_the_id_of_the_presence_that_entered():
    got = Stage().enter(BOB, id="j1")
    assert got[BOB][1].get("id") == "j1"
    assert got.only(ANN).get("id") is None


def test_an_empty_subject_is_told_where_there_is_none():
    subject = Stage().enter(BOB)[BOB][-1]
    assert (subject.tag, subject.get("type"), subject.get("from")) == ("message", "groupchat", ROOM)
    assert child(subject, "subject") is not None
    assert not child(subject, "subject").text
    assert child(subject, "body") is None


def test_the_subject_says_who_set_it_when():
    stage = Stage()
    stage.send(ANN, "<message type='groupchat'><subject>tea</subject></message>")
    subject = stage.enter(BOB)[BOB][-1]
    assert subject.get("from") == f"{ROOM}/Ann"
    delay = child(subject, "{%s}delay" % ns.DELAY)
    assert (delay.get("from"), delay.get("stamp")) == (ROOM, "1970-01-12T13:46:40.000Z")
    assert has(subject, ns.OCCUPANT_ID, "occupant-id").get("id") == occupant_id(b"secret", ANN.bare)


def test_history_is_delayed_by_the_room_and_keeps_its_ids():
    stage = Stage()
    live = stage.say(ANN, "one", id="m1").only(ANN)
    old = stage.enter(BOB)[BOB][2]
    delay = child(old, "{%s}delay" % ns.DELAY)
    assert (delay.get("from"), delay.get("stamp")) == (ROOM, "1970-01-12T13:46:40.000Z")
    assert old.get("id") == "m1"
    for name, uri in (("stanza-id", ns.SID), ("occupant-id", ns.OCCUPANT_ID)):
        assert has(old, uri, name).attrib == has(live, uri, name).attrib


def test_the_others_are_told_of_who_enters():
    stage = Stage()
    stage.enter(BOB)
    got = stage.enter(CAT, inside=MUC + "<show>away</show>")
    for reader in (ANN, BOB):
        presence = got.only(reader)
        assert nick(presence) == "Cat"
        assert child(presence, "show").text == "away"
        assert not codes(presence)


def test_entering_is_recorded_before_it_is_told():
    got = Stage().enter(BOB, inside=MUC + "<show>dnd</show>")
    assert got.kept(OccupancySaved) == [
        OccupancySaved(7, BOB, "Bob", "participant", "<presence><show>dnd</show></presence>", START)
    ]
    assert got.kept(Journalled) == [Journalled(7, START, BOB, "Bob", "enter", "entered")]


def test_a_new_room_is_its_makers_and_locked():
    stage = Stage(locked=True)
    own, subject = stage.made[ANN]
    assert codes(own) == [110, 201]
    assert item(own) == {"affiliation": "owner", "role": "moderator", "jid": ANN}
    assert child(subject, "subject") is not None
    assert stage.made.kept(EntityMade) == [EntityMade(7, ROOM, START)]
    assert stage.made.kept(RoomSaved)[0].locked
    assert stage.made.kept(AffiliationSaved) == [AffiliationSaved(7, ANN.bare, "owner", "", "")]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [110]),
        ({"whois": "anyone"}, [110, 100]),
        ({"enablelogging": True}, [110, 170]),
        ({"whois": "anyone", "enablelogging": True}, [110, 100, 170]),
    ],
)
def test_self_presence_warns_of_how_the_room_is(config, expected):
    assert codes(Stage(**config).enter(BOB)[BOB][1]) == expected


def test_a_nickname_that_the_service_respelled_is_told():
    stage = Stage()
    got = stage.enter(ANN2, "ANN")
    assert codes(got[ANN2][0]) == [110, 210]
    assert nick(got[ANN2][0]) == "Ann"


# -- what is refused


@pytest.mark.parametrize("address", ["", " "])
def test_a_nickname_is_needed(address):
    stage = Stage()
    assert refusal(stage.send, BOB, f"<presence to='{ROOM}/{address}'>{MUC}</presence>") == ("jid-malformed", "modify")
    assert refusal(stage.send, BOB, f"<presence>{MUC}</presence>") == ("jid-malformed", "modify")


@pytest.mark.parametrize("password", ["", "<password>wrong</password>", "<password/>"])
def test_a_password_is_needed_where_one_is_set(password):
    stage = Stage()
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="cauldron")
    inside = f"<x xmlns='{ns.MUC}'>{password}</x>"
    assert refusal(stage.enter, BOB, inside=inside) == ("not-authorized", "auth")
    stage.enter(BOB, inside=f"<x xmlns='{ns.MUC}'><password>cauldron</password></x>")


def test_a_members_only_room_is_for_members():
    stage = Stage(membersonly=True)
    assert refusal(stage.enter, BOB) == ("registration-required", "auth")
    stage.admin(ANN, f"<item affiliation='member' jid='{BOB.bare}'/>")
    assert item(stage.enter(BOB)[BOB][1])["affiliation"] == "member"


def test_who_is_banned_stays_out():
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='outcast' jid='{BOB.bare}'/>")
    assert refusal(stage.enter, BOB) == ("forbidden", "auth")


def test_a_banned_domain_stays_out_but_for_those_with_an_affiliation():
    stage = Stage()
    stage.admin(ANN, "<item affiliation='outcast' jid='b.example'/>")
    assert refusal(stage.enter, BOB) == ("forbidden", "auth")
    stage.admin(ANN, f"<item affiliation='member' jid='{BOB.bare}'/>")
    stage.enter(BOB)


@pytest.mark.parametrize("taken", ["Ann", "ann", "ANN", "\uff21nn", "A\u00adnn"])
def test_a_nickname_that_looks_like_somebody_elses_is_taken(taken):
    assert refusal(Stage().enter, BOB, taken) == ("conflict", "cancel")


def test_a_reserved_nickname_is_only_for_its_owner():
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}' nick='Puss'/>")
    assert refusal(stage.enter, BOB, "puss") == ("conflict", "cancel")
    stage.enter(CAT, "Puss")


def test_a_full_room_takes_only_admins_and_further_sessions():
    stage = Stage(maxusers=2)
    stage.enter(BOB)
    assert refusal(stage.enter, CAT) == ("service-unavailable", "wait")
    stage.enter(BOB2, "Bob")
    stage.admin(ANN, f"<item affiliation='admin' jid='{DAN.bare}'/>")
    stage.enter(DAN)


def test_no_room_takes_more_than_the_server_allows():
    stage = Stage(maxusers=50)
    stage.room.state.most_occupants = 2
    stage.enter(BOB)
    assert refusal(stage.enter, CAT) == ("service-unavailable", "wait")


def test_a_locked_room_is_not_there_for_others():
    stage = Stage(locked=True)
    assert refusal(stage.enter, BOB) == ("item-not-found", "cancel")
    stage.enter(ANN2, "Ann")


def test_an_owner_who_comes_back_to_a_locked_room_is_told_that_it_is_to_be_set_up():
    stage = Stage(locked=True)
    assert codes(stage.enter(ANN2, "Ann")[ANN2][-2]) == [110, 201]
    stage.room.tick(START + 600)
    assert codes(stage.enter(BOB)[BOB][-2]) == [110]


def test_a_locked_room_opens_by_itself_after_ten_minutes():
    stage = Stage(locked=True)
    assert stage.room.next_deadline() == START + 600
    assert not stage.room.tick(START + 599).records
    (saved,) = stage.room.tick(START + 600).records
    assert not saved.locked
    assert stage.room.next_deadline() is None
    stage.enter(BOB)


def test_a_nonsensical_wish_for_history_is_refused():
    for wish in ("maxstanzas='many'", "since='tomorrow'", "seconds='-1'", "maxchars='²'"):
        inside = f"<x xmlns='{ns.MUC}'><history {wish}/></x>"
        assert refusal(Stage().enter, BOB, inside=inside) == ("bad-request", "modify")


# -- sessions


def test_one_person_may_have_several_sessions_under_one_nickname():
    stage = Stage()
    stage.enter(BOB)
    got = stage.enter(BOB2, "Bob")
    assert [(nick(each), codes(each)) for each in got[BOB2][:2]] == [("Ann", []), ("Bob", [110])]
    # Nothing that others can see has changed.
    assert ANN not in got
    assert BOB not in got
    assert got.kept(OccupancySaved)[0].jid == BOB2


def test_a_further_session_with_another_presence_is_told():
    stage = Stage()
    stage.enter(BOB)
    got = stage.enter(BOB2, "Bob", MUC + "<show>away</show>")
    assert codes(got.only(BOB)) == [110]
    assert child(got.only(ANN), "show").text == "away"
    assert item(got.only(ANN))["jid"] == BOB2


def test_entering_again_brings_everything_again_and_tells_nobody():
    stage = Stage()
    stage.enter(BOB)
    stage.enter(CAT)
    stage.say(ANN, "one")
    got = stage.enter(CAT, id="again")
    assert [(each.tag, nick(each)) for each in got[CAT]] == [
        ("presence", "Ann"),
        ("presence", "Bob"),
        ("presence", "Cat"),
        ("message", "Ann"),
        ("message", ""),
    ]
    assert codes(got[CAT][2]) == [110]
    assert got[CAT][2].get("id") == "again"
    assert set(got) == {CAT}
    assert not got.effects.records


def test_entering_again_with_another_presence_is_told():
    stage = Stage()
    stage.enter(BOB)
    got = stage.enter(BOB, inside=MUC + "<show>xa</show>")
    assert child(got.only(ANN), "show").text == "xa"
    assert got.kept(OccupancySaved)
    assert not got.kept(Journalled)


def test_entering_again_under_another_nickname_renames_and_brings_everything():
    stage = Stage()
    stage.enter(BOB)
    got = stage.enter(BOB, "Rob")
    assert [codes(each) for each in got[ANN]] == [[303], []]
    assert [(each.tag, nick(each)) for each in got[BOB]][-3:] == [
        ("presence", "Ann"),
        ("presence", "Rob"),
        ("message", ""),
    ]


def test_entering_again_needs_no_password():
    stage = Stage()
    stage.enter(BOB)
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="cauldron")
    stage.enter(BOB)


def test_a_presence_that_does_not_enter_from_a_stranger_is_answered_with_the_truth():
    stage = Stage()
    got = stage.presence(BOB, "Bob")
    presence = got.only(BOB)
    assert presence.get("type") == "unavailable"
    assert presence.get("from") == f"{ROOM}/Bob"
    assert codes(presence) == [110, 307, 333]
    assert item(presence) == {"affiliation": "none", "role": "none"}
    assert set(got) == {BOB}
    assert not got.effects.records


@pytest.mark.parametrize("type", ["probe", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "error", "silly"])
def test_no_other_presence_enters_or_leaves(type):
    stage = Stage()
    before = stage.fingerprint()
    for person in (ANN, BOB):
        got = stage.presence(person, "Ann", MUC, type)
        assert not got
        assert not got.effects.records
    assert stage.fingerprint() == before


def test_entering_records_no_end_and_archives_nothing():
    got = Stage().enter(BOB)
    assert not got.kept(OccupancyEnded)
    assert not got.kept(MessageArchived)


def test_of_a_very_long_presence_only_that_somebody_is_there_is_told():
    stage = Stage()
    said = stage.enter(BOB, inside=MUC + f"<status>{'x' * 20_000}</status>")
    assert said.only(ANN).find("status") is None
    assert stage.presence(BOB, "Bob", "<status>short</status>").only(ANN).findtext("status") == "short"
    assert stage.presence(BOB, "Bob", f"<status>{'x' * 20_000}</status>").only(ANN).find("status") is None
    assert stage.leave(BOB, inside=f"<status>{'x' * 20_000}</status>").only(ANN).get("type") == "unavailable"
