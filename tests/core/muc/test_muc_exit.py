"""Removing ghosts without removing the living, and the end of the service (XEP-0045 §11)."""

import pytest

from fermata.core.records import Journalled, OccupancyEnded
from fermata.xmpp import namespaces as ns
from kit.rooms import ANN, BOB, BOB2, CAT, ROOM, Stage, codes, item, nick
from kit.xml import read


def occupied() -> Stage:
    stage = Stage()
    stage.enter(BOB)
    stage.enter(CAT)
    return stage


def bounce(kind: str, condition: str, to: str = f"{ROOM}/Ann") -> str:
    error = f"<error type='cancel'><{condition} xmlns='{ns.STANZA_ERRORS}'/></error>"
    return f"<{kind} to='{to}' type='error' id='m'><body>hi</body>{error}</{kind}>"


HARD = ["gone", "redirect", "item-not-found", "recipient-unavailable", "jid-malformed"]
SOFT = [
    "remote-server-not-found",
    "remote-server-timeout",
    "internal-server-error",
    "resource-constraint",
    "policy-violation",
    "not-authorized",
    "undefined-condition",
    "silly",
]


@pytest.mark.parametrize("kind", ["message", "presence"])
@pytest.mark.parametrize("condition", HARD)
def test_who_is_not_there_any_more_is_removed_with_333(kind, condition):
    stage = occupied()
    got = stage.send(BOB, bounce(kind, condition))
    for reader, expected in ((ANN, [333]), (CAT, [333]), (BOB, [110, 333])):
        told = got.only(reader)
        assert (told.get("type"), nick(told), item(told)["role"]) == ("unavailable", "Bob", "none")
        assert codes(told) == expected
    assert got.kept(OccupancyEnded) == [OccupancyEnded(7, BOB)]
    assert got.kept(Journalled)[0].cause == f"undeliverable: {condition}"


@pytest.mark.parametrize("kind", ["message", "presence"])
@pytest.mark.parametrize("condition", SOFT)
def test_what_may_be_otherwise_in_a_minute_removes_nobody(kind, condition):
    stage = occupied()
    got = stage.send(BOB, bounce(kind, condition))
    assert not got
    assert not got.effects.records
    assert stage.room.occupants.at(BOB) is not None


def test_service_unavailable_says_so_of_a_message_only():
    stage = occupied()
    assert not stage.send(BOB, bounce("presence", "service-unavailable"))
    assert not stage.iq(BOB, f"<error><service-unavailable xmlns='{ns.STANZA_ERRORS}'/></error>", "error")
    assert stage.send(BOB, bounce("message", "service-unavailable"))


@pytest.mark.parametrize("condition", [*HARD, *SOFT, "service-unavailable"])
def test_an_error_that_our_own_side_made_removes_nobody(condition):
    stage = occupied()
    effects = stage.room.undeliverable(BOB, read(bounce("message", condition)), stage.now, own=True)
    assert not effects.sends
    assert not effects.records


@pytest.mark.parametrize("to", [str(ROOM), f"{ROOM}/Ann", f"{ROOM}/Nobody"])
def test_an_error_reaches_nobody_in_the_room(to):
    stage = occupied()
    assert not stage.send(BOB, bounce("message", "not-acceptable", to))


def test_an_error_from_a_stranger_is_ignored():
    stage = occupied()
    assert not stage.send(BOB2, bounce("message", "gone"))


def test_one_session_that_is_gone_does_not_take_the_others_with_it():
    stage = occupied()
    stage.enter(BOB2, "Bob")
    got = stage.send(BOB2, bounce("message", "gone"))
    assert codes(got.only(BOB2)) == [110, 333]
    assert stage.room.occupants.at(BOB) is not None
    assert got[CAT][-1].get("type") is None


def test_at_the_end_of_the_service_each_hears_of_himself_alone():
    stage = occupied()
    stage.enter(BOB2, "Bob")
    effects = stage.room.shut_down(stage.now)
    got = stage._done(effects)
    for reader, name in ((ANN, "Ann"), (BOB, "Bob"), (BOB2, "Bob"), (CAT, "Cat")):
        told = got.only(reader)
        assert (told.get("type"), nick(told), codes(told)) == ("unavailable", name, [110, 332])
    assert len(got.kept(OccupancyEnded)) == 4
    assert stage.occupancies() == []
