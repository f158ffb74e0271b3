"""Messages that come twice because a connection broke before the first was acknowledged."""

import pytest

from fermata.core.breaks import Breaks
from fermata.core.muc.said import MOST
from kit.rooms import ANN, BOB, ROOM, START, Stage


@pytest.fixture
def stage() -> Stage:
    """A room with Ann and Bob, whose server has just connected anew."""
    made = Stage()
    made.enter(BOB)
    made.room.state.breaks.note(BOB.domain, START)
    return made


def test_a_repeat_is_told_to_its_author_alone_as_it_was_and_is_not_kept_again(stage: Stage) -> None:
    first = stage.say(BOB, "hi", id="m1").only(BOB)
    again = stage.say(BOB, "hi", id="m1")
    assert set(again) == {BOB}
    assert [item.attrib for item in again.only(BOB)] == [item.attrib for item in first]
    assert len(stage.archived()) == 1


def test_a_repeat_may_say_since_when_it_was_under_way(stage: Stage) -> None:
    stage.say(BOB, "hi", id="m1")
    late = "<delay xmlns='urn:xmpp:delay' from='b.example' stamp='2026-01-01T00:00:00Z'/>"
    assert set(stage.say(BOB, "hi", late, id="m1")) == {BOB}


@pytest.mark.parametrize(("body", "id"), [("hi there", "m1"), ("hi", "m2")])
def test_another_content_or_another_id_is_another_message(stage: Stage, body: str, id: str) -> None:
    stage.say(BOB, "hi", id="m1")
    assert set(stage.say(BOB, body, id=id)) == {ANN, BOB}


def test_without_an_id_nothing_is_a_repeat(stage: Stage) -> None:
    said = f"<message to='{ROOM}' type='groupchat'><body>hi</body></message>"
    stage.send(BOB, said)
    assert set(stage.send(BOB, said)) == {ANN, BOB}


def test_the_same_from_somebody_else_is_none(stage: Stage) -> None:
    stage.say(ANN, "hi", id="m1")
    assert set(stage.say(BOB, "hi", id="m1")) == {ANN, BOB}


def test_an_origin_id_will_do(stage: Stage) -> None:
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"
    stage.say(BOB, "hi", origin, id="m1")
    assert set(stage.say(BOB, "hi", origin, id="m2")) == {BOB}


def test_without_a_break_people_may_say_the_same_twice() -> None:
    stage = Stage()
    stage.enter(BOB)
    stage.say(BOB, "hi", id="m1")
    assert set(stage.say(BOB, "hi", id="m1")) == {ANN, BOB}


def test_a_break_is_forgotten_after_a_while() -> None:
    breaks = Breaks()
    breaks.note("b.example", START)
    assert breaks.is_recent("b.example", START + Breaks.SECONDS)
    assert not breaks.is_recent("c.example", START)
    assert not breaks.is_recent("b.example", START + Breaks.SECONDS + 1)


def test_after_a_start_anybody_may_repeat() -> None:
    breaks = Breaks()
    breaks.note("", START)
    assert breaks.is_recent("anywhere.example", START)


def test_however_much_the_others_have_said_meanwhile(stage: Stage) -> None:
    stage.say(BOB, "hi", id="m1")
    for number in range(100):
        stage.say(ANN, "he can't hear us", id=f"a{number}")
    assert set(stage.say(BOB, "hi", id="m1")) == {BOB}


def test_a_repeat_is_known_where_there_is_no_history_and_of_what_has_no_body() -> None:
    stage = Stage(maxhistoryfetch=0)
    stage.enter(BOB)
    stage.room.state.breaks.note("", START)
    seen = (
        f"<message to='{ROOM}' type='groupchat' id='m1'><displayed xmlns='urn:xmpp:chat-markers:0' id='a1'/></message>"
    )
    assert set(stage.send(BOB, seen)) == {ANN, BOB}
    assert set(stage.send(BOB, seen)) == {BOB}


def test_what_is_remembered_of_a_server_is_bounded(stage: Stage) -> None:
    for number in range(2 * MOST):
        stage.say(BOB, "hi", id=f"m{number}")
    assert set(stage.say(BOB, "hi", id=f"m{MOST}")) == {BOB}
    assert set(stage.say(BOB, "hi", id="m0")) == {ANN, BOB}


def test_what_a_server_sent_more_than_an_hour_before_its_newest_is_not_remembered_of_it(stage: Stage) -> None:
    said = stage.room.state.said
    stage.say(BOB, "hi", id="m1")
    (first,) = said.under(BOB.bare, ["m1"])
    first.stamp -= 3599
    stage.say(BOB, "still here", id="m2")
    assert list(said.under(BOB.bare, ["m1"])) == [first]
    first.stamp -= 60
    stage.say(BOB, "still here", id="m3")
    assert not list(said.under(BOB.bare, ["m1"]))
    assert len(list(said.under(BOB.bare, ["m2", "m3"]))) == 2


def test_what_was_said_after_a_start_is_no_repeat_of_what_was_said_after_it_as_well(stage: Stage) -> None:
    stage.room.state.breaks = Breaks()
    stage.room.state.breaks.note("", START - 60)
    stage.say(BOB, "hi", id="m1")
    assert set(stage.say(BOB, "hi", id="m1")) == {ANN, BOB}
