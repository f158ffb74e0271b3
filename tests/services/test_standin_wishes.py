"""Whose wish counts: bookmarks of new clients and old ones, preferences, limits, and the end of an account."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from fermata.app.config_tables import Accounts, Config, RoomJoining
from fermata.services.standins import StandIns
from fermata.services.users import Users
from fermata.xmpp.jid import JID
from kit import ns
from kit.archives import bodies, page, query
from kit.muc import create, enter
from kit.pubsub import pubsub
from kit.standing import ROOM, bookmark, rooms, say, virtual
from kit.stanzas import codes, find
from kit.wire import Client
from kit.world import World

OLD = "storage:bookmarks"


def old_list(*conferences: str) -> str:
    """What an older client writes: the whole list (XEP-0048)."""
    return f"<storage xmlns='{OLD}'>{''.join(conferences)}</storage>"


def conference(room: str, attributes: str = "autojoin='true'") -> str:
    return f"<conference jid='{room}' name='Tea' {attributes}><nick>Ann</nick></conference>"


def as_private_xml(client: Client, *conferences: str) -> None:
    client.set(f"<query xmlns='{ns.PRIVATE}'>{old_list(*conferences)}</query>")


def as_one_item(client: Client, *conferences: str) -> None:
    client.set(pubsub(f"<publish node='{OLD}'><item id='current'>{old_list(*conferences)}</item></publish>"))


class Write(Protocol):
    def __call__(self, client: Client, *conferences: str) -> None: ...


WRITES: list[Write] = [as_private_xml, as_one_item]
FIVE = [f"room{number}@conference.localhost" for number in range(5)]


def in_five_rooms(world: World, ben: Client) -> Client:
    """Ann, whose account is in all five."""
    ann = world.online("ann@localhost/phone")
    for name in FIVE:
        create(ben, name, "Ben")
        bookmark(ann, name)
    world.advance(5)
    return ann


# -- bookmarks


def test_autojoin_that_is_switched_off_takes_the_account_out(world: World, ann: Client, ben: Client) -> None:
    bookmark(ann, autojoin=False)
    world.advance(59)
    assert [each.get("type") for each in ben.sync() if each.get("type")] == []
    world.advance(2)
    ben.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    assert rooms(ann) == []


def test_but_not_while_a_client_is_attached(world: World, ann: Client, ben: Client) -> None:
    enter(ann, ROOM, "Ann")
    bookmark(ann, autojoin=False)
    world.advance(600)
    assert rooms(ann)[0]["state"] == "in"
    ann.send(f"<presence to='{ROOM}/Ann' type='unavailable'/>")
    assert codes(ann.wait_for(lambda stanza: stanza.get("type") == "unavailable")) == {"110"}
    world.advance(61)
    ben.wait_for(lambda stanza: stanza.get("type") == "unavailable")


@pytest.mark.parametrize("write", WRITES)
def test_bookmarks_of_older_clients_count_as_well(world: World, ben: Client, write: Write) -> None:
    ann = world.online("ann@localhost/phone")
    write(ann, conference(ROOM))
    ben.expect("presence", from_=f"{ROOM}/Ann")
    write(ann)
    world.advance(61)
    ben.wait_for(lambda stanza: stanza.get("type") == "unavailable")


@pytest.mark.parametrize("write", WRITES)
def test_an_older_client_that_knows_no_autojoin_takes_the_account_out_of_nothing(
    world: World, ben: Client, write: Write
) -> None:
    ann = in_five_rooms(world, ben)
    write(ann, *(conference(name, "") for name in FIVE))
    world.advance(700)
    assert [each["state"] for each in rooms(ann)] == ["in"] * 5


def test_one_that_ends_every_autojoin_leaves_ten_minutes_to_mend_that(world: World, ben: Client) -> None:
    ann = in_five_rooms(world, ben)
    as_private_xml(ann, *(conference(name, "autojoin='false'") for name in FIVE))
    world.advance(500)
    assert {each["state"] for each in rooms(ann)} == {"in"}
    for name in FIVE[:2]:
        bookmark(ann, name)
    world.advance(200)
    assert [each["jid"] for each in rooms(ann)] == FIVE[:2]


def test_a_bookmark_with_another_nickname_is_followed(world: World, ann: Client, ben: Client) -> None:
    enter(ann, ROOM, "Ann")
    bookmark(ann, nick="Anna")
    world.advance(5)
    assert rooms(ann)[0]["nick"] == "Anna"
    renamed = ann.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    assert codes(renamed) == {"110", "303"}


def test_what_was_bookmarked_while_nobody_listened_is_done_at_the_next_login(tmp_path: Path) -> None:
    world = World(tmp_path, Config(accounts=Accounts(room_joining=RoomJoining.OFF)))
    ann = world.online("ann@localhost/phone")
    ben = world.online("ben@localhost/desk")
    create(ben, ROOM, "Ben", persistentroom="1")
    bookmark(ann)
    world._config = Config()
    world.crash()
    ben = world.online("ben@localhost/desk")
    enter(ben, ROOM, "Ben")
    world.advance(60)
    assert ben.sync() == []
    world.online("ann@localhost/phone")
    world.advance(2)
    ben.expect("presence", from_=f"{ROOM}/Ann")
    world.close()


# -- limits and preferences


def test_where_all_rooms_are_entered_that_way_the_limit_leaves_the_rest_to_clients(tmp_path: Path) -> None:
    config = Config()
    world = World(
        tmp_path,
        replace(
            config,
            accounts=Accounts(room_joining=RoomJoining.ALL),
            limits=replace(config.limits, joined_rooms_per_account=1),
        ),
    )
    ben = world.online("ben@localhost/desk")
    other = "coffee@conference.localhost"
    for room in (ROOM, other):
        create(ben, room, "Ben")
    ann = world.online("ann@localhost/phone")
    for room, session in ((ROOM, None), (other, ann.jid)):
        enter(ann, room, "Ann")
        came = ben.wait_for(lambda stanza, room=room: stanza.get("from") == f"{room}/Ann")
        item = find(came, "user:x/user:item")
        assert item is not None
        assert item.get("jid") == (session or virtual(world))
    world.close()


def test_what_the_account_archives_nothing_of_is_shown_and_not_kept(world: World, ann: Client, ben: Client) -> None:
    never = f"<never><jid>{ROOM}</jid></never>"
    ann.set(f"<prefs xmlns='{ns.MAM}' default='always'><always/>{never}</prefs>")
    enter(ann, ROOM, "Ann")
    ann.sync()
    say(ben, "hello")
    ben.sync(ROOM)
    assert [each.findtext("body") for each in ann.sync() if each.tag == "message"] == ["hello"]
    assert bodies(page(ann, query(fields={"include-groupchat": "true"}))) == []


def test_what_is_said_while_nobody_is_there_waits_in_no_spool(world: World, ann: Client, ben: Client) -> None:
    ann.close()
    say(ben, "hello")
    ben.send(f"<message to='{ROOM}/Ann' type='chat' id='p'><body>psst</body></message>")
    ben.sync(ROOM)
    assert world.rows("SELECT * FROM spool") == []
    again = world.online("ann@localhost/phone")
    assert [each for each in again.sync() if each.tag == "message"] == []


# -- accounts that end


@pytest.mark.parametrize("deed", ["remove", "disable"])
def test_an_account_that_ends_while_it_enters_is_in_no_room(world: World, ben: Client, deed: str) -> None:
    ann = world.online("ann@localhost/phone")
    bookmark(ann)
    world.do(getattr(world.parts.services[Users], deed)(JID.parse("ann@localhost")))
    world.advance(2000)
    ben.sync()
    again = world.online("cyd@localhost/x")
    assert [each.get("from") for each in enter(again, ROOM, "Cyd").others] == [f"{ROOM}/Ben"]
    holder = world.parts.services[StandIns].holder(JID.parse("ann@localhost"))
    assert holder is None or not holder.rooms


def test_no_client_can_speak_as_the_account_in_its_rooms(world: World, ann: Client, ben: Client) -> None:
    me = virtual(world)
    eve = world.online("eve@localhost/x")
    for forger in (eve, ann):
        forger.send(f"<message from='{me}' to='{ROOM}' type='groupchat' id='f'><body>forged</body></message>")
        forger.send(f"<presence from='{me}' to='{ROOM}/Ann' type='unavailable'/>")
    world.advance(1)
    assert [each.findtext("body") for each in ben.sync() if each.tag == "message"] == []
    assert [each for each in ben.sync() if each.get("type") == "unavailable"] == []
