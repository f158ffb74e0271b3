"""The command "my rooms": people see where their account is, and decide where it stays."""

import pytest

from kit import ns
from kit.commands import Execution, Values, run
from kit.muc import enter
from kit.pubsub import pubsub
from kit.standing import ROOM, bookmark, rooms, virtual
from kit.stanzas import find, form_values, show
from kit.wire import Client
from kit.world import World

MY_ROOMS = f"{ns.JOINING}#rooms"


def test_my_rooms_is_a_command_that_lists_them(ann: Client, ben: Client) -> None:
    execution = Execution(ann, MY_ROOMS)
    assert f"{ROOM} as Ann (in)" in show(execution.answer)
    values = form_values(execution.answer)
    assert (values["mode"], values["stay"], values["leave"], values["alone"]) == (["bookmarked"], [], [], [])


def test_one_leaves_by_it(ann: Client, ben: Client) -> None:
    assert run(ann, MY_ROOMS, leave=ROOM).note == f"You have left {ROOM}."
    ben.expect("presence", from_=f"{ROOM}/Ann", type="unavailable")
    assert rooms(ann)[0]["state"] == "removed"


def test_one_stays_by_it_without_a_bookmark(world: World, ann: Client, ben: Client) -> None:
    run(ann, MY_ROOMS, stay=ROOM)
    ann.set(pubsub(f"<retract node='{ns.BOOKMARKS}' notify='true'><item id='{ROOM}'/></retract>"))
    ann.close()
    world.advance(600)
    assert [each for each in ben.sync() if each.get("type")] == []
    ann = world.online("ann@localhost/phone")
    assert form_values(Execution(ann, MY_ROOMS).answer)["stay"] == [ROOM]
    run(ann, MY_ROOMS, stay=[])
    world.advance(61)
    ben.wait_for(lambda stanza: stanza.get("type") == "unavailable")


def test_an_account_opts_out_by_it(world: World, ann: Client, ben: Client) -> None:
    run(ann, MY_ROOMS, mode="off")
    ben.expect("presence", from_=f"{ROOM}/Ann", type="unavailable")
    assert ann.get(f"<prefs xmlns='{ns.JOINING}'/>", ann.bare)[0].get("mode") == "off"
    run(ann, MY_ROOMS, mode="bookmarked")
    ben.expect("presence", from_=f"{ROOM}/Ann", type=None)


def test_a_room_is_left_to_clients_by_it(world: World, ann: Client, ben: Client) -> None:
    run(ann, MY_ROOMS, alone=ROOM)
    ben.expect("presence", from_=f"{ROOM}/Ann", type="unavailable")
    world.crash()
    ben = world.online("ben@localhost/desk")
    enter(ben, ROOM, "Ben")
    ann = world.online("ann@localhost/phone")
    world.advance(300)
    assert ben.sync() == []
    bookmark(ann)
    enter(ann, ROOM, "Ann")
    item = find(ben.expect("presence", from_=f"{ROOM}/Ann"), "user:x/user:item")
    assert item is not None
    assert item.get("jid") == ann.jid
    ann.send(f"<presence to='{ROOM}/Ann' type='unavailable'/>")
    ben.expect("presence", from_=f"{ROOM}/Ann", type="unavailable")
    assert form_values(Execution(ann, MY_ROOMS).answer)["alone"] == [ROOM]
    run(ann, MY_ROOMS, alone=[])
    came = find(ben.expect("presence", from_=f"{ROOM}/Ann"), "user:x/user:item")
    assert came is not None
    assert came.get("jid") == virtual(world)


@pytest.mark.parametrize("answer", [{"mode": "maybe"}, {"leave": "x@y"}, {"stay": "x@y"}, {"alone": "x@y"}])
def test_what_was_not_to_choose_from_is_refused(ann: Client, answer: dict[str, Values]) -> None:
    other = {} if "leave" in answer else {"leave": ROOM}
    assert Execution(ann, MY_ROOMS).refused("complete", **answer, **other)[1] == "not-acceptable"
    assert rooms(ann)[0]["state"] == "in", "and nothing was done"
