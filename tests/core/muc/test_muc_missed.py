"""History since a message that was seen, when somebody enters (urn:x-fermata:history:0)."""

import pytest

from fermata.core.muc.effects import Effects
from fermata.core.muc.missed import MOST
from fermata.core.records import MessageArchived
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from fermata.xmpp.jid import JID
from kit.rooms import ANN, BOB, CAT, MUC, ROOM, Said, Stage, has, id_of, nick, refusal
from kit.xml import read


def entering(after: str, most: str = "100", beside: str = "") -> str:
    return f"<x xmlns='{ns.MUC}'>{beside}<history xmlns='{ns.HISTORY}' after='{after}' max='{most}'/></x>"


def bodies(said: Said, to: JID = BOB) -> list[str]:
    return [each.findtext("body", "") for each in said[to] if each.find("body") is not None]


def marker(said: Said, to: JID = BOB) -> Element | None:
    """The notice that something is missing; it must stand before the history, behind the presences."""
    messages = [each for each in said[to] if each.tag == "message"]
    found = [has(each, ns.HISTORY, "history") for each in messages]
    assert all(each is None for each in found[1:])
    return found[0]


def talk(*said: str, **config) -> Stage:
    stage = Stage(**config)
    stage.enter(CAT)
    for each in said:
        stage.now += 1
        stage.say(CAT, each, id=f"m-{each}")
    return stage


def test_what_was_said_since_is_told():
    stage = talk("one", "two", "three")
    said = stage.enter(BOB, inside=entering(id_of(1)))
    assert bodies(said) == ["two", "three"]
    assert marker(said) is None


def test_each_message_is_what_it_was_live():
    stage = talk("seen")
    live = stage.say(CAT, "tea?", id="mine").only(ANN)
    told = next(each for each in stage.enter(BOB, inside=entering(id_of(1)))[BOB] if each.find("body") is not None)
    delay = told[-1]
    assert (delay.tag, delay.get("from"), delay.get("stamp")) == (
        "{%s}delay" % ns.DELAY,
        ROOM,
        "1970-01-12T13:46:41.000Z",
    )
    assert (told.get("id"), told.get("from"), told.get("type")) == ("mine", f"{ROOM}/Cat", "groupchat")
    assert [(each.tag, each.attrib) for each in told][:-1] == [(each.tag, each.attrib) for each in live]


def test_nothing_new_is_nothing():
    stage = talk("one")
    said = stage.enter(BOB, inside=entering(id_of(1)))
    assert bodies(said) == []
    assert marker(said) is None


def test_it_goes_far_behind_what_the_room_remembers():
    stage = talk(*map(str, range(20)), maxhistoryfetch=2)
    said = stage.enter(BOB, inside=entering(id_of(3)))
    assert bodies(said) == [str(number) for number in range(3, 20)]
    assert marker(said) is None


def test_it_is_there_in_a_room_that_tells_no_history_otherwise():
    stage = talk("one", "two", maxhistoryfetch=0)
    assert bodies(stage.enter(BOB, inside=entering(id_of(1)))) == ["two"]


def test_more_than_is_asked_for_is_cut_and_said_to_be():
    stage = talk(*"12345")
    said = stage.enter(BOB, inside=entering(id_of(1), "2"))
    assert bodies(said) == ["4", "5"]
    notice = marker(said)
    assert notice is not None
    assert dict(notice.attrib) == {"truncated": "true", "first": id_of(4)}


def test_as_many_as_are_asked_for_are_not_cut():
    stage = talk(*"12345")
    said = stage.enter(BOB, inside=entering(id_of(3), "2"))
    assert bodies(said) == ["4", "5"]
    assert marker(said) is None


def test_none_at_all_may_be_asked_for():
    stage = talk(*"12")
    said = stage.enter(BOB, inside=entering(id_of(1), "0"))
    assert bodies(said) == []
    assert dict(marker(said).attrib) == {"truncated": "true"}
    assert marker(stage.enter(BOB, inside=entering(id_of(2), "0"))) is None


def test_nobody_gets_more_than_a_client_can_take():
    stage = talk(*map(str, range(MOST + 5)))
    said = stage.enter(BOB, inside=entering(id_of(1), "99999999999999999999"))
    assert len(bodies(said)) == MOST
    assert marker(said).get("first") == id_of(6)


@pytest.mark.parametrize("after", ["forged", "sid-999999", "sid-000000"])
def test_after_what_was_never_said_comes_the_newest_with_a_notice(after):
    stage = talk("one", "two")
    said = stage.enter(BOB, inside=entering(after, "1"))
    assert marker(said) is not None
    assert bodies(said) in (["two"], [])


def test_after_what_is_not_kept_any_more_comes_the_rest_with_a_notice():
    stage = talk("one", "two", "three")
    stage.records = [each for each in stage.records if not (isinstance(each, MessageArchived) and each.seq == 1)]
    said = stage.enter(BOB, inside=entering(id_of(1)))
    assert bodies(said) == ["two", "three"]
    assert marker(said).get("first") == id_of(2)


@pytest.mark.parametrize(
    "attributes", ["", "after='' max='5'", "after='x' max='-1'", "after='x' max='many'", "max='5'"]
)
def test_what_makes_no_sense_is_refused(attributes):
    history = f"<x xmlns='{ns.MUC}'><history xmlns='{ns.HISTORY}' {attributes}/></x>"
    assert refusal(talk("one").enter, BOB, inside=history) == ("bad-request", "modify")


def test_it_overrides_the_other_history():
    stage = talk("one", "two")
    said = stage.enter(BOB, inside=entering(id_of(1), beside="<history maxstanzas='0'/>"))
    assert bodies(said) == ["two"]


def test_reactions_and_retractions_are_told_but_no_tombstones_and_no_subjects():
    stage = talk("seen", "regretted")
    reaction = f"<reactions xmlns='{ns.REACTIONS}' id='{id_of(1)}'><reaction>+</reaction></reactions>"
    stage.send(CAT, f"<message type='groupchat' id='r'>{reaction}</message>")
    stage.send(ANN, "<message type='groupchat' id='s'><subject>tea</subject></message>")
    stage.send(CAT, f"<message type='groupchat' id='t'><retract xmlns='{ns.RETRACT}' id='{id_of(2)}'/></message>")
    said = stage.enter(BOB, inside=entering(id_of(1)))
    told = [each.get("id") for each in said[BOB] if each.tag == "message"]
    assert told == ["r", "t", None]
    assert said[BOB][-1].findtext("subject") == "tea"


# -- who asks


def test_whoever_may_not_enter_reads_nothing():
    stage = talk("secret")
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='outcast'/>")
    assert refusal(stage.enter, BOB, inside=entering(id_of(1))) == ("forbidden", "auth")
    assert not stage.room.state.awaited


def test_whoever_is_banned_while_the_archive_is_read_reads_nothing():
    stage = talk("secret")

    def ban() -> None:
        stage.room.state.affiliate(BOB.bare, stage.room.state.affiliations[ANN.bare]._replace(affiliation="outcast"))

    stage.after_reading = ban
    with pytest.raises(AssertionError, match="changed the room"):
        stage.enter(BOB, inside=entering(id_of(1)))
    assert stage.room.occupants.at(BOB) is None


def test_whoever_is_in_may_ask_as_well():
    stage = talk("one", "two")
    stage.enter(BOB)
    said = stage.enter(BOB, inside=entering(id_of(1)))
    assert bodies(said) == ["two"]
    assert set(said) == {BOB}


def test_nothing_changes_before_the_archive_was_read():
    stage = talk("one", "two")
    presence = read(f"<presence from='{BOB}' to='{ROOM}/Bob'>{entering(id_of(1))}</presence>")
    effects: Effects = stage.room.presence(BOB, presence, stage.now)
    assert (effects.records, effects.sends) == ([], [])
    assert effects.reading is not None
    assert stage.room.occupants.at(BOB) is None


# -- no hole, nothing twice


@pytest.mark.parametrize("is_read", [True, False])
def test_what_is_said_while_the_archive_is_read_is_told_once(is_read):
    stage = talk("one", "two")
    find, speak = stage.found, saying(stage, 1)

    def found(selection):
        speak()
        return find(selection)

    if is_read:
        stage.found = found
    else:
        stage.after_reading = speak
    said = stage.enter(BOB, inside=entering(id_of(1)))
    assert bodies(said) == ["two", "now 0"]
    assert marker(said) is None
    assert not stage.room.state.awaited


def saying(stage: Stage, count: int):
    """What says so much, not twice."""

    def speak() -> None:
        stage.after_reading = lambda: None
        for each in range(count):
            stage.say(CAT, f"now {each}")

    return speak


def test_what_is_said_meanwhile_counts_as_well():
    stage = talk("one", "two")
    stage.after_reading = saying(stage, 2)
    said = stage.enter(BOB, inside=entering(id_of(1), "2"))
    assert bodies(said) == ["now 0", "now 1"]
    assert marker(said).get("first") == id_of(3)


def test_where_more_is_said_meanwhile_than_is_kept_the_archive_is_read_again():
    stage = talk("one")
    presence = read(f"<presence from='{BOB}' to='{ROOM}/Bob'>{entering(id_of(1))}</presence>")
    reading = stage.room.presence(BOB, presence, stage.now).reading
    answer = stage.found(reading.selection)
    saying(stage, MOST + 1)()
    effects = stage.room.told(BOB, presence, stage.now, answer)
    assert (effects.sends, effects.reading) == ([], reading)


def test_a_room_that_was_loaded_again_meanwhile_reads_again():
    stage = talk("one", "two")
    presence = read(f"<presence from='{BOB}' to='{ROOM}/Bob'>{entering(id_of(1))}</presence>")
    reading = stage.room.presence(BOB, presence, stage.now).reading
    answer = stage.found(reading.selection)
    stage.say(CAT, "three")
    stage.restart()
    effects = stage.room.told(BOB, presence, stage.now, answer)
    assert effects.reading is not None
    assert bodies(Said(stage.room.told(BOB, presence, stage.now, stage.found(effects.reading.selection)))) == [
        "two",
        "three",
    ]


def test_the_first_live_message_is_the_next_of_the_archive():
    stage = talk("one", "two")
    said = stage.enter(BOB, inside=entering(id_of(1)))
    last = has(said[BOB][-2], ns.SID, "stanza-id").get("id")
    live = has(stage.say(CAT, "three").only(BOB), ns.SID, "stanza-id").get("id")
    assert (last, live) == (id_of(2), id_of(3))


def test_without_an_archive_the_room_tells_what_it_remembers():
    stage = talk(*"1234", maxhistoryfetch=2)
    stage.archive.is_kept = False
    assert (bodies(said := stage.enter(BOB, inside=entering(id_of(3)))), marker(said)) == (["4"], None)
    said = stage.enter(BOB, inside=entering(id_of(1)))
    assert bodies(said) == ["3", "4"]
    assert marker(said).get("first") == id_of(3)


def test_a_new_room_has_no_history_to_be_read():
    stage = Stage()
    presence = read(f"<presence from='{BOB}' to='{ROOM}/Bob'>{entering(id_of(1))}</presence>")
    room, effects = type(stage.room).create(
        8, ROOM, stage.room.state.config, b"s", stage.archive, stage.new_id, BOB, presence, stage.now
    )
    assert effects.reading is None
    assert room.occupants.at(BOB) is not None


def test_switched_off_it_is_not_there():
    stage = talk("one", "two")
    stage.room.state.cheap_rejoin = False
    assert bodies(stage.enter(BOB, inside=entering(id_of(1)))) == ["one", "two"]
    assert nick(stage.enter(BOB, inside=MUC)[BOB][0]) == "Ann"
