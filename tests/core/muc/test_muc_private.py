"""Private messages (XEP-0045 §7.5)."""

import pytest

from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from kit.rooms import ANN, BOB, BOB2, CAT, DAN, ROOM, Stage, has, refusal, x


def whisper(stage: Stage, sender, nick, type="chat", inside="<body>psst</body>"):
    return stage.send(sender, f"<message to='{ROOM}/{nick}' type='{type}' id='w'>{inside}</message>")


@pytest.mark.parametrize(("type", "shown"), [("chat", "chat"), ("normal", None), ("silly", None)])
def test_a_private_message_goes_to_all_sessions_of_one_occupant(type, shown):
    stage = Stage()
    stage.enter(BOB)
    stage.enter(BOB2, "Bob")
    stage.enter(CAT)
    got = whisper(stage, CAT, "Bob", type)
    assert set(got) == {BOB, BOB2}
    for reader in got:
        message = got.only(reader)
        assert (message.get("from"), message.get("type"), message.get("id")) == (f"{ROOM}/Cat", shown, "w")
        assert child(message, "body").text == "psst"
        assert len(x(message)) == 0
        assert has(message, ns.OCCUPANT_ID, "occupant-id") is not None
    assert not got.effects.records


def test_a_forged_muc_user_element_is_replaced():
    stage = Stage()
    stage.enter(BOB)
    got = whisper(stage, BOB, "Ann", inside=f"<x xmlns='{ns.MUC_USER}'><status code='110'/></x>")
    assert len(x(got.only(ANN))) == 0


def test_a_message_to_all_does_not_go_to_one():
    stage = Stage()
    stage.enter(BOB)
    assert refusal(whisper, stage, BOB, "Ann", "groupchat") == ("bad-request", "modify")


def test_a_nickname_that_nobody_has_is_not_found():
    assert refusal(whisper, Stage(), ANN, "Nobody") == ("item-not-found", "cancel")
    assert refusal(whisper, Stage(), ANN, "ann") == ("item-not-found", "cancel")


def test_a_stranger_may_not_whisper():
    assert refusal(whisper, Stage(), BOB, "Ann") == ("not-acceptable", "cancel")


@pytest.mark.parametrize(
    ("allowpm", "visitor", "participant", "moderator"),
    [
        ("anyone", True, True, True),
        ("participants", False, True, True),
        ("moderators", False, False, True),
        ("none", False, False, False),
    ],
)
def test_whom_the_configuration_lets_whisper(allowpm, visitor, participant, moderator):
    stage = Stage(allowpm=allowpm, moderatedroom=True)
    stage.enter(BOB)
    stage.enter(CAT)
    stage.enter(DAN)
    stage.admin(ANN, "<item nick='Cat' role='participant'/>")
    for sender, may in ((BOB, visitor), (CAT, participant), (ANN, moderator)):
        if may:
            assert whisper(stage, sender, "Dan")[DAN]
        else:
            assert refusal(whisper, stage, sender, "Dan") == ("forbidden", "auth")
