"""Making a room, keeping it, and getting it back (XEP-0045 §10.1)."""

import pytest

from fermata.core.muc.config import Config
from fermata.core.muc.room import Room
from fermata.xmpp.errors import StanzaError
from kit.rooms import ANN, BOB, BOB2, CAT, MUC, ROOM, START, Archive, Said, Stage, codes, seats
from kit.xml import plain, read


def made(presence: str, **more: object) -> tuple[Room, Said]:
    stanza = read(presence)
    stanza.set("from", ANN)
    room, effects = Room.create(7, ROOM, Config(), b"secret", Archive(), lambda: "id", ANN, stanza, START, **more)
    return room, Said(effects)


def test_an_instant_room_is_open_at_once():
    room, got = made(f"<presence to='{ROOM}/Ann'>{MUC}</presence>", instant=True)
    assert codes(got[ANN][0]) == [110, 201]
    assert room.next_deadline() is None
    assert room.presence(BOB, read(f"<presence from='{BOB}' to='{ROOM}/Bob'>{MUC}</presence>"), START).sends


@pytest.mark.parametrize(
    ("presence", "condition"),
    [
        (f"<presence to='{ROOM}/Ann'/>", "item-not-found"),
        (f"<presence to='{ROOM}/Ann' type='unavailable'>{MUC}</presence>", "item-not-found"),
        (f"<presence to='{ROOM}'>{MUC}</presence>", "jid-malformed"),
        (f"<presence to='{ROOM}/ '>{MUC}</presence>", "jid-malformed"),
    ],
)
def test_not_everything_makes_a_room(presence, condition):
    with pytest.raises(StanzaError) as caught:
        made(presence)
    assert (caught.value.condition, caught.value.by) == (condition, ROOM)


def lived() -> Stage:
    stage = Stage(whois="anyone")
    stage.enter(BOB, inside=MUC + "<show>away</show><status>it's &lt;tea&gt;</status>")
    stage.enter(BOB2, "Bob")
    stage.enter(CAT, "Ca't \U0001f431")
    stage.presence(BOB, "Bob", "<show>dnd</show>")
    stage.admin(ANN, f"<item affiliation='member' jid='{BOB.bare}' nick='Rob'/>", "<item nick='Bob' role='moderator'/>")
    stage.say(CAT, 'it\'s &lt;tea&gt; "time"')
    stage.send(ANN, "<message type='groupchat'><subject>tea</subject></message>")
    stage.say(ANN, "two")
    return stage


def test_a_room_comes_back_as_it_was():
    stage = lived()
    again = stage.reloaded()
    assert seats(again) == seats(stage.room)
    assert again.occupants.everyone
    assert set(again.occupants.everyone) == set(stage.room.occupants.everyone)
    assert set(again.occupants.moderators) == {ANN, BOB, BOB2}
    before, after = (
        Said(room.presence(BOB, read(f"<presence from='{BOB}' to='{ROOM}/Bob'>{MUC}</presence>"), START))[BOB]
        for room in (stage.room, again)
    )
    assert [plain(each) for each in after] == [plain(each) for each in before]


def test_a_room_that_comes_back_knows_whose_presence_was_the_last():
    stage = lived()
    assert stage.reloaded().occupants.named("Bob").shown.jid == BOB


def test_a_room_that_comes_back_locked_opens_when_it_is_told_to():
    room = Room(7, ROOM, Config(), b"s", Archive(), lambda: "id", locked_until=START)
    assert room.next_deadline() == START
    assert room.tick(START).records


def test_the_configuration_is_kept_as_it_is():
    config = Config(roomname="Té", presencebroadcast=("moderator",), maxusers=5, whois="anyone")
    assert Config.from_json(config.json()) == config


def test_a_configuration_of_another_version_is_read_as_far_as_it_is_known():
    assert Config.from_json('{"roomname": "Tea", "colour": "green"}') == Config(roomname="Tea")


def test_after_a_start_others_see_of_somebody_what_he_said_last() -> None:
    stage = Stage()
    stage.enter(BOB)
    stage.now += 1
    stage.enter(BOB2, "Bob")
    stage.presence(BOB, "Bob", "<show>dnd</show>")
    stage.room = stage.reloaded()
    assert "<show>dnd</show>" in stage.room.occupants.named("Bob").plain.rest
    stage.presence(BOB2, "Bob", "<show>xa</show>")
    stage.room = stage.reloaded()
    assert "<show>xa</show>" in stage.room.occupants.named("Bob").plain.rest
