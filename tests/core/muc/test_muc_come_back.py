"""The announced stop, and the call to come back after it (XEP-0045 §11.2 and §7.8.2)."""

import pytest

from fermata.core.keeping import URGENT, judge
from fermata.core.records import InviteOwed, InviteSettled, Journalled, OccupancyEnded, OccupancySaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from fermata.xmpp.jid import JID
from kit.rooms import ANN, ANN2, BOB, CAT, ROOM, Said, Stage, codes, has, id_of, item, nick, said_in_item, x

SINCE = 1_782_900_000.0
WISH = f"<x xmlns='{ns.MUC}'><restart-notify xmlns='{ns.RESTART}'/></x>"


def occupied(**config: object) -> Stage:
    stage = Stage(**config)
    stage.enter(BOB, inside=WISH)
    stage.enter(CAT)
    return stage


def stop(stage: Stage, reason: str = "") -> Said:
    return stage._done(stage.room.shut_down(stage.now, reason))


def call(stage: Stage, session: JID) -> Said:
    return stage._done(stage.room.call_back(session, SINCE))


# The stop


def test_each_session_is_told_once_by_its_own_occupant_and_of_nobody_else():
    stage = occupied()
    stage.enter(ANN2, "Ann")
    said = stop(stage, "New & better <disks>")
    for session, name in ((ANN, "Ann"), (ANN2, "Ann"), (BOB, "Bob"), (CAT, "Cat")):
        told = said.only(session)
        assert (told.get("type"), nick(told), codes(told)) == ("unavailable", name, [110, 332])
        assert item(told)["role"] == "none"
        assert said_in_item(told) == {"reason": "New & better <disks>"}
        assert has(told, ns.MUC_USER, "destroy") is None
    assert len(stage.room.occupants) == 0


def test_what_is_left_is_who_was_there_under_which_name_and_with_which_wish():
    stage = occupied()
    said = stop(stage)
    assert said.kept(InviteOwed) == [
        InviteOwed(7, ANN, "Ann", False, stage.now),
        InviteOwed(7, BOB, "Bob", True, stage.now),
        InviteOwed(7, CAT, "Cat", False, stage.now),
    ]
    assert said.kept(OccupancyEnded) == [OccupancyEnded(7, session) for session in (ANN, BOB, CAT)]
    assert {(line.event, line.cause) for line in said.kept(Journalled)} == {("exit", "shutdown")}


def test_a_temporary_room_stays_to_be_come_back_to():
    stage = occupied(persistentroom=False)
    assert not stop(stage).effects.destroyed


# The wish


def test_a_wish_is_kept_with_the_occupancy_and_shown_to_nobody():
    stage = Stage()
    said = stage.enter(BOB, inside=WISH)
    assert said.kept(OccupancySaved)[0].wants_invite
    assert not any(has(stanza, ns.RESTART, "restart-notify") is not None for _, stanza in said.order)
    assert not any("restart-notify" in record.presence for record in said.kept(OccupancySaved))
    seat = stage.reloaded().occupants.at(BOB)
    assert seat is not None
    assert seat.sessions[BOB].wants_invite


def test_entering_again_says_it_anew():
    stage = Stage()
    stage.enter(BOB)
    assert stage.enter(BOB, inside=WISH).kept(OccupancySaved)[0].wants_invite
    assert stage.enter(BOB, inside=WISH).kept(OccupancySaved) == []
    assert not stage.enter(BOB).kept(OccupancySaved)[0].wants_invite


def test_a_new_status_or_nickname_changes_no_wish():
    stage = Stage()
    stage.enter(BOB, inside=WISH)
    for said in (stage.presence(BOB, "Bob", "<show>away</show>"), stage.presence(BOB, "Bobby")):
        assert said.kept(OccupancySaved)[0].wants_invite


@pytest.mark.parametrize(
    "elsewhere",
    [
        f"<x xmlns='{ns.MUC}'/><restart-notify xmlns='{ns.RESTART}'/>",
        f"<x xmlns='{ns.MUC}'><restart-notify xmlns='urn:x-other:0'/></x>",
        f"<x xmlns='{ns.MUC}'><restart-notify/></x>",
    ],
)
def test_what_only_looks_like_a_wish_is_none(elsewhere):
    assert not Stage().enter(BOB, inside=elsewhere).kept(OccupancySaved)[0].wants_invite


# The call


def test_the_call_is_an_invitation_for_this_one_session():
    stage = occupied()
    stop(stage)
    said = call(stage, BOB)
    message = said.only(BOB)
    assert dict(message.attrib) == {"from": ROOM, "to": BOB, "id": message.get("id")}, "it has no type"
    invite = child(x(message), "{%s}invite" % ns.MUC_USER)
    assert invite is not None
    assert dict(invite.attrib) == {"from": ROOM}
    assert invite.findtext("{%s}reason" % ns.MUC_USER)
    assert [each.tag for each in x(message)] == ["{%s}invite" % ns.MUC_USER]
    back = child(message, "{%s}back-online" % ns.RESTART)
    assert back is not None
    assert back.attrib == {"since": "2026-07-01T10:00:00.000Z"}
    for uri, name in ((ns.HINTS, "no-store"), (ns.HINTS, "no-copy"), (ns.CARBONS, "private")):
        assert child(message, "{%s}%s" % (uri, name)) is not None
    assert child(message, "body") is None
    assert said.effects.records == []


def test_the_call_names_the_newest_message_of_the_archive():
    stage = occupied()
    stage.say(ANN, "one")
    stage.say(ANN, "two")
    stop(stage)
    back = child(call(stage, BOB).only(BOB), "{%s}back-online" % ns.RESTART)
    assert back is not None
    assert back.get("id") == id_of(2)


@pytest.mark.parametrize(("affiliation", "knows"), [("none", False), ("member", True), ("admin", True)])
def test_only_who_belongs_to_the_room_is_told_its_password(affiliation, knows):
    stage = occupied(passwordprotectedroom=False)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='{affiliation}'/>")
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="sesame")
    stop(stage)
    password = child(x(call(stage, BOB).only(BOB)), "{%s}password" % ns.MUC_USER)
    assert (password is not None and password.text == "sesame") is knows


def test_who_is_in_already_is_not_called():
    stage = occupied()
    stop(stage)
    stage.enter(BOB)
    said = call(stage, BOB)
    assert not said
    assert said.effects.records == [InviteSettled(7, BOB)]


def test_who_may_not_enter_any_more_is_not_called():
    stage = occupied()
    stop(stage)
    stage.enter(ANN)
    stage.admin(
        ANN, f"<item jid='{BOB.bare}' affiliation='outcast'/>", f"<item jid='{ANN2.bare}' affiliation='owner'/>"
    )
    stage.configure(ANN, membersonly="1")
    for session in (BOB, CAT):
        said = call(stage, session)
        assert not said
        assert said.effects.records == [InviteSettled(7, session)]


def test_into_a_room_that_is_not_open_yet_only_its_owner_is_called():
    stage = Stage(locked=True)
    stop(stage)
    assert call(stage, ANN).only(ANN).tag == "message"
    assert not call(stage, BOB)


def error(condition: str) -> str:
    inside = f"<error type='cancel'><{condition} xmlns='{ns.STANZA_ERRORS}'/></error>"
    return f"<message type='error' id='m'>{inside}</message>"


@pytest.mark.parametrize("condition", ["service-unavailable", "remote-server-timeout", "silly"])
def test_an_error_settles_it(condition):
    stage = occupied()
    stop(stage)
    call(stage, BOB)
    assert stage.send(BOB, error(condition)).effects.records == [InviteSettled(7, BOB)]
    assert stage.send(BOB, error(condition)).effects.records == []


def test_entering_settles_it():
    stage = occupied()
    stop(stage)
    call(stage, BOB)
    assert stage.enter(BOB).kept(InviteSettled) == [InviteSettled(7, BOB)]
    stage.leave(BOB)
    assert stage.enter(BOB).kept(InviteSettled) == []


def test_an_error_of_somebody_who_was_not_called_settles_nothing():
    stage = occupied()
    stop(stage)
    call(stage, BOB)
    assert stage.send(CAT, error("service-unavailable")).effects.records == []


def test_the_call_is_kept_by_nobody():
    """What decides about messages knows it: it is urgent, and nothing else."""
    stage = occupied()
    stop(stage)
    assert judge(call(stage, BOB).only(BOB), "normal") == URGENT
