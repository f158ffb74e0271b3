"""How much history somebody gets who enters (XEP-0045 §7.2.14)."""

import pytest

from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from fermata.xmpp.stamps import text_of
from kit.rooms import ANN, BOB, CAT, START, Stage, id_of


def told(limits: str, config: int = 50) -> str:
    """Which of ten messages, a minute apart and named by digits, somebody gets."""
    stage = Stage(maxhistoryfetch=config)
    for digit in range(10):
        stage.say(ANN, str(digit))
        stage.now += 60
    got = stage.enter(BOB, inside=f"<x xmlns='{ns.MUC}'>{limits}</x>")[BOB]
    return "".join(child(each, "body").text for each in got if child(each, "body") is not None)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ("", "0123456789"),
        ("<history/>", "0123456789"),
        ("<history maxstanzas='3'/>", "789"),
        ("<history maxstanzas='0'/>", ""),
        ("<history maxchars='0'/>", ""),
        ("<history maxchars='100000000000000000000000'/>", "0123456789"),
        ("<history seconds='180'/>", "789"),
        ("<history seconds='0'/>", ""),
        (f"<history since='{text_of(START + 6 * 60)}'/>", "6789"),
        (f"<history since='{text_of(START + 6 * 60)[:-1]}+00:00'/>", "6789"),
        (f"<history since='{text_of(START + 6 * 60)[:-1]}'/>", "6789"),
        ("<history since='1970-01-01T00:00:00Z'/>", "0123456789"),
        (f"<history since='{text_of(START)}' seconds='300' maxstanzas='4'/>", "6789"),
        (f"<history since='{text_of(START + 8 * 60)}' seconds='300' maxstanzas='4'/>", "89"),
    ],
)
def test_limits_combine_to_the_smallest_set(limits, expected):
    assert told(limits) == expected


def test_characters_are_those_of_whole_stanzas():
    one = len_of_one()
    assert told(f"<history maxchars='{one - 1}'/>") == ""
    assert told(f"<history maxchars='{one}'/>") == "9"
    assert told(f"<history maxchars='{3 * one}'/>") == "789"


def len_of_one() -> int:
    stage = Stage()
    stage.say(ANN, "0")
    flood = stage.enter(BOB).effects.sends[-1]
    return len(flood.payloads[-2].addressed(BOB))


def test_the_room_has_a_limit_of_its_own():
    assert told("<history maxstanzas='8'/>", config=4) == "6789"
    assert told("", config=0) == ""


def test_history_does_not_depend_on_who_came_before():
    stage = Stage()
    bodies = []
    for person in (BOB, CAT):
        stage.say(ANN, person)
        bodies.append([each.findtext("body") for each in stage.enter(person)[person] if each.find("body") is not None])
    assert bodies == [[BOB], [BOB, CAT]]


def test_markers_do_not_crowd_out_words():
    stage = Stage()
    stage.say(ANN, "word")
    marker = f"<displayed xmlns='{ns.CHAT_MARKERS}' id='m'/>"
    for _ in range(60):
        stage.send(ANN, f"<message type='groupchat'>{marker}</message>")
    assert [each.findtext("body") for each in stage.enter(BOB)[BOB][2:-1]] == ["word"]


def lengths(stage: Stage, person: str) -> list[int]:
    got = [each.findtext("body") for each in stage.enter(person)[person]]
    return [len(body) for body in got if body is not None]


def test_long_messages_leave_room_for_fewer():
    stage = Stage()
    for length in (300_000, 310_000, 320_000, 330_000):
        stage.say(ANN, "x" * length)
    assert lengths(stage, BOB) == [310_000, 320_000, 330_000]
    stage.say(ANN, "x" * 400_000)
    assert lengths(stage, CAT) == [330_000, 400_000]
    history = stage.reloaded().state.history
    assert [history.find(id_of(seq)) is None for seq in (3, 4, 5)] == [True, False, False]


def test_short_messages_push_out_long_ones_only_by_their_number():
    stage = Stage(maxhistoryfetch=3)
    for length in (900_000, 90_000, 1, 2, 3, 400_000, 400_000):
        stage.say(ANN, "x" * length)
    assert lengths(stage, BOB) == [3, 400_000, 400_000]


def test_what_has_had_its_time_in_the_archive_is_not_told_whether_somebody_was_told_it_before():
    stage = Stage()
    for digit in range(6):
        stage.say(ANN, str(digit))
        stage.now += 60
        if digit == 2:
            stage.enter(BOB)
    stage.room.state.history.expire(START + 4 * 60)
    got = stage.enter(CAT)[CAT]
    assert [child(each, "body").text for each in got if child(each, "body") is not None] == ["4", "5"]
