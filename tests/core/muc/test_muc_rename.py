"""Changing one's nickname (XEP-0045 §7.6)."""

import pytest

from fermata.core.records import Journalled, OccupancySaved
from kit.rooms import ANN, BOB, BOB2, CAT, Stage, codes, item, nick, refusal


def occupied(*more) -> Stage:
    stage = Stage()
    for person in (BOB, CAT, *more):
        stage.enter(person, "Bob" if person == BOB2 else "")
    return stage


def told(got, reader):
    return [(nick(each), each.get("type"), codes(each)) for each in got[reader]]


def test_a_change_of_nickname_is_an_end_and_a_beginning():
    got = occupied().presence(BOB, "Rob", "<show>away</show>")
    for reader, own in ((ANN, []), (CAT, []), (BOB, [110])):
        assert told(got, reader) == [("Bob", "unavailable", [*own, 303]), ("Rob", None, own)]
        assert item(got[reader][0])["nick"] == "Rob"
    assert "jid" not in item(got[CAT][0])
    assert [record.nick for record in got.kept(OccupancySaved)] == ["Rob"]
    assert got.kept(Journalled)[0][3:] == ("Rob", "nick", "was Bob")


@pytest.mark.parametrize("taken", ["Cat", "cat", "ANN"])
def test_a_nickname_that_is_taken_is_refused(taken):
    assert refusal(occupied().presence, BOB, taken) == ("conflict", "cancel")


def test_a_reserved_nickname_is_refused():
    stage = occupied()
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}' nick='Puss'/>")
    assert refusal(stage.presence, BOB, "Puss") == ("conflict", "cancel")
    stage.presence(CAT, "Puss")


def test_an_invisible_nickname_is_refused():
    assert refusal(occupied().presence, BOB, "\u200b") == ("jid-malformed", "modify")


def test_the_old_nickname_is_free_at_once():
    stage = occupied()
    stage.presence(BOB, "Rob")
    assert nick(stage.presence(CAT, "Bob")[ANN][-1]) == "Bob"


def test_a_nickname_may_be_spelled_otherwise():
    stage = occupied(BOB2)
    got = stage.presence(BOB, "BOB")
    assert told(got, CAT) == [("Bob", "unavailable", [303]), ("BOB", None, [])]
    for session in (BOB, BOB2):
        assert told(got, session) == [("Bob", "unavailable", [110, 303]), ("BOB", None, [110])]
    assert {record.jid for record in got.kept(OccupancySaved)} == {BOB, BOB2}


def test_one_of_several_sessions_moves_alone():
    stage = occupied(BOB2)
    got = stage.presence(BOB2, "Rob", "<show>away</show>")
    assert told(got, BOB2) == [("Bob", "unavailable", [110, 303]), ("Bob", None, []), ("Rob", None, [110])]
    assert ("Rob", None, []) in told(got, CAT)
    assert not [each for each in told(got, CAT) if each[1]]
    assert told(got, BOB)[-1] == ("Rob", None, [])
    assert [record.jid for record in got.kept(OccupancySaved)] == [BOB2]
    assert stage.room.occupants.at(BOB).nick == "Bob"
    assert stage.room.occupants.at(BOB2).nick == "Rob"


def test_a_session_may_move_to_ones_own_other_nickname():
    stage = occupied()
    stage.enter(BOB2, "Robert")
    got = stage.presence(BOB2, "bob", "<show>away</show>")
    assert told(got, BOB2)[0] == ("Robert", "unavailable", [110, 303])
    assert told(got, BOB2)[-1] == ("Bob", None, [110, 210])
    assert told(got, CAT) == [("Robert", "unavailable", [303]), ("Bob", None, [])]
    assert told(got, BOB) == [("Robert", "unavailable", [303]), ("Bob", None, [110])]
    assert list(stage.room.occupants.named("Bob").sessions) == [BOB, BOB2]
