"""Entering a room again for little, with a real archive and a real disk below."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from fermata.app.config_tables import Config, Stay
from fermata.services.muc import RoomService
from kit import ns
from kit.archives import bodies as archived
from kit.archives import page, query
from kit.muc import Entry, create, enter, entered, join
from kit.rejoin import ASKING, mark, missed, rejoin, resuming
from kit.stanzas import codes, find, find_all, text
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"


@pytest.fixture
def ann(world: World) -> Client:
    """The owner of the room."""
    ann = world.online("ann@localhost/phone")
    create(ann, ROOM, "Ann")
    return ann


def say(client: Client, body: str) -> str:
    """Says something; returns its stanza-id."""
    client.send(f"<message type='groupchat' to='{ROOM}' id='{body}'><body>{body}</body></message>")
    stamp = find(client.wait_for(lambda stanza: stanza.get("id") == body), "sid:stanza-id")
    assert stamp is not None
    return stamp.get("id", "")


def leave(client: Client, nick: str) -> None:
    client.send(f"<presence type='unavailable' to='{ROOM}/{nick}'/>")
    client.wait_for(lambda stanza: stanza.get("type") == "unavailable" and "110" in codes(stanza))


def bodies(entry: Entry) -> list[str | None]:
    return [text(message, "body") for message in entry.history]


def asking_for(after: str, most: int = 100) -> str:
    """A presence of Ben's that enters and asks for what came after."""
    return join(ROOM, "Ben").replace("></x>", f">{missed(after, most)}</x>")


def changes(client: Client) -> list[tuple[str, str]]:
    """The presences of others that come before one's own: nicknames and types."""
    seen = []
    while True:
        presence = client.expect("presence")
        if "110" in codes(presence):
            return seen
        seen.append((presence.get("from", "").partition("/")[2], presence.get("type", "")))


@pytest.mark.parametrize("times", [1, 2])
def test_numbers_are_good_after_a_crash(world: World, ann: Client, times: int) -> None:
    ben, cat = world.online("ben@localhost/phone"), world.online("cat@localhost/phone")
    enter(cat, ROOM, "Cat")
    known = mark(enter(ben, ROOM, "Ben", content=ASKING).subject)
    leave(ben, "Ben")
    leave(cat, "Cat")
    say(ann, "unseen")
    for _ in range(times):
        world.crash()
    ben = world.online("ben@localhost/phone")
    ben.send(join(ROOM, "Ben", content=resuming(known)))
    assert changes(ben) == [("Cat", "unavailable")]
    assert text(ben.expect("message"), "body") == "unseen"


def test_a_number_that_was_given_is_on_disk(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    enter(ben, ROOM, "Ben", content=ASKING)
    ann.send(f"<presence to='{ROOM}/Ann'><show>away</show></presence>")
    told = int(mark(ben.expect("presence"))[1].partition("p")[0])
    kept = [int(value[1:].partition(",")[0]) for (value,) in world.rows("SELECT value FROM value WHERE key = 'Ann'")]
    assert kept == [told]


def test_a_room_that_nobody_asks_for_numbers_has_nothing_on_disk(world: World, ann: Client) -> None:
    enter(world.online("ben@localhost/phone"), ROOM, "Ben")
    assert world.rows("SELECT * FROM value WHERE space LIKE 'changelog%'") == []


def test_a_destroyed_room_takes_its_numbers_with_it(world: World, ann: Client) -> None:
    known = mark(enter(ann, ROOM, "Ann", content=ASKING).subject)
    assert world.rows("SELECT * FROM value WHERE space LIKE 'changelog%'")
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><destroy/></query>", ROOM)
    assert world.rows("SELECT * FROM value WHERE space LIKE 'changelog%'") == []
    ann.sync()
    create(ann, ROOM, "Ann")
    ann.send(join(ROOM, "Ann", content=resuming(known)))
    reset = ann.expect("presence")
    assert (reset.get("from"), reset.get("type")) == (ROOM, "unavailable")


def test_whoever_is_in_without_a_word_over_a_crash_goes_on_being_told_numbers(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    enter(ben, ROOM, "Ben", content=ASKING)
    world.crash()
    ann = world.online("ann@localhost/phone")
    enter(ann, ROOM, "Ann")
    (room,) = world.parts.room_services[0].rooms
    log = room.rules.state.changelog
    assert log is not None
    assert list(log.watches) == ["ben@localhost/phone"]


# -- history by id


def test_history_by_id_and_the_archive_agree(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    stamps = [say(ann, word) for word in ("a", "b", "c", "d")]
    ben.send(asking_for(stamps[1]))
    entry = entered(ben, ROOM)
    assert bodies(entry) == ["c", "d"]
    told = [found.get("id") for each in entry.history if (found := find(each, "sid:stanza-id")) is not None]
    assert told == page(ben, query(after_id=stamps[1]), ROOM).ids == stamps[2:]


def test_the_id_of_another_room_is_none(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    create(ben, "other@conference.localhost", "Ben")
    ben.send("<message type='groupchat' to='other@conference.localhost' id='o'><body>other</body></message>")
    stamp = find(ben.wait_for(lambda stanza: stanza.get("id") == "o"), "sid:stanza-id")
    assert stamp is not None
    say(ann, "a")
    ben.send(asking_for(stamp.get("id", "")))
    notice = ben.wait_for(lambda stanza: stanza.tag == "message")
    assert find(notice, "history:history[@truncated='true']") is not None
    assert text(ben.expect("message"), "body") == "a"


def test_the_id_of_the_room_that_was_here_before_is_none(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    before = [say(ann, word) for word in ("a", "b")]
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><destroy/></query>", ROOM)
    ann.sync()
    create(ann, ROOM, "Ann")
    say(ann, "c")
    ben.send(asking_for(before[0]))
    notice = ben.wait_for(lambda stanza: stanza.tag == "message")
    assert find(notice, "history:history[@truncated='true']") is not None
    assert text(ben.expect("message"), "body") == "c"
    assert find(ben.expect("message"), "subject") is not None
    ben.send(f"<iq type='set' id='q' to='{ROOM}'>{query(after_id=before[0])}</iq>")
    ben.expect_error("iq", "item-not-found", "cancel", id="q")


def test_no_message_is_lost_between_an_empty_history_and_the_archive(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    seen = say(ann, "seen")
    # All in one turn: what was said just before he enters is not even committed then.
    ann.send(f"<message type='groupchat' to='{ROOM}'><body>before</body></message>")
    ben.send(join(ROOM, "Ben", history="maxstanzas='0'"))
    ben.send(f"<iq type='set' id='page' to='{ROOM}'>{query(after_id=seen)}</iq>")
    ann.send(f"<message type='groupchat' to='{ROOM}'><body>after</body></message>")
    got = []
    while "after" not in got:
        stanza = ben.next()
        for path in ("body", "mam:result/forward:forwarded/message/body"):
            got += [each.text for each in find_all(stanza, path)]
    assert got == ["before", "after"]
    assert archived(page(ben, query(after_id=seen), ROOM)) == ["before", "after"]


# -- while the archive is read


class SlowArchive:
    """The archive of a room that answers when it is told to."""

    def __init__(self, service: RoomService) -> None:
        self.waiting: list[Deferred[None]] = []
        self.error: Exception | None = None
        loading = service._loading
        read = loading.read

        async def slowly(*asked: Any) -> Any:
            answer: Deferred[None] = Deferred()
            self.waiting.append(answer)
            found = await read(*asked)
            await answer
            if self.error is not None:
                raise self.error
            return found

        loading.read = slowly  # type: ignore[method-assign]

    def answer(self) -> None:
        self.waiting.pop(0).callback(None)


@pytest.fixture
def slow(world: World, ann: Client) -> SlowArchive:
    return SlowArchive(world.parts.room_services[0])


def test_what_is_sent_and_said_meanwhile_keeps_its_order(world: World, ann: Client, slow: SlowArchive) -> None:
    ben = world.online("ben@localhost/phone")
    seen, _ = say(ann, "a"), say(ann, "b")
    ben.send(asking_for(seen))
    ben.send(f"<message type='groupchat' to='{ROOM}' id='mine'><body>mine</body></message>")
    ben.send(f"<presence to='{ROOM}/Ben'><show>away</show></presence>")
    say(ann, "c")
    ben.nothing_before()
    slow.answer()
    entry = entered(ben, ROOM)
    assert bodies(entry) == ["b", "c"]
    assert text(ben.expect("message"), "body") == "mine"
    assert text(ben.expect("presence"), "show") == "away"


def test_whoever_leaves_before_he_is_in_is_out(world: World, ann: Client, slow: SlowArchive) -> None:
    ben = world.online("ben@localhost/phone")
    seen = say(ann, "a")
    ben.send(asking_for(seen))
    ben.send(f"<presence type='unavailable' to='{ROOM}/Ben'/>")
    slow.answer()
    ben.wait_for(lambda stanza: stanza.get("type") == "unavailable" and "110" in codes(stanza))
    assert ben.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{ROOM}/Ben") == ("cancel", "not-acceptable")


def test_whoever_asks_twice_is_told_twice(world: World, ann: Client, slow: SlowArchive) -> None:
    ben = world.online("ben@localhost/phone")
    seen, _ = say(ann, "a"), say(ann, "b")
    ben.send(asking_for(seen) * 2)
    slow.answer()
    assert bodies(entered(ben, ROOM)) == ["b"]
    slow.answer()
    assert bodies(entered(ben, ROOM)) == ["b"]


def test_a_database_that_fails_leaves_him_out_with_a_word(world: World, ann: Client, slow: SlowArchive) -> None:
    ben = world.online("ben@localhost/phone")
    seen, _ = say(ann, "a"), say(ann, "b")
    slow.error = OSError("the disk is gone")
    ben.send(asking_for(seen))
    ben.send(f"<message type='groupchat' to='{ROOM}' id='mine'><body>mine</body></message>")
    slow.answer()
    ben.expect_error("presence", "internal-server-error", "wait")
    ben.expect_error("message", "not-acceptable", "cancel")
    assert world.errors()
    slow.error = None
    ben.send(asking_for(seen))
    slow.answer()
    assert bodies(entered(ben, ROOM)) == ["b"]
    assert not len(world.parts.room_services[0]._entrances)


# -- rejoining


def test_a_rejoin_after_a_crash_is_quiet(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    enter(ben, ROOM, "Ben")
    ann.expect("presence")
    ben.send(rejoin(ROOM, "Ben"))
    assert codes(ben.expect("presence", id="again")) == {"110"}
    ann.nothing_before()


def test_no_room_is_made_by_a_rejoin(world: World) -> None:
    ben = world.online("ben@localhost/phone")
    ben.send(rejoin("nowhere@conference.localhost", "Ben"))
    ben.expect_error("presence", "item-not-found", "cancel")
    assert ben.refused("get", f"<query xmlns='{ns.DISCO_INFO}'/>", "nowhere@conference.localhost") == (
        "cancel",
        "item-not-found",
    )


# -- switched off


def features(client: Client) -> set[str]:
    found = find_all(client.get(f"<query xmlns='{ns.DISCO_INFO}'/>", ROOM), "info:query/info:feature")
    return {each.get("var", "") for each in found}


CHEAP = {
    "urn:xmpp:mfr",
    ns.PRESENCE_SESSION,
    ns.AFFILIATION_VERSIONS,
    ns.REJOIN,
    ns.HISTORY,
}


def test_switched_off_it_is_neither_offered_nor_done(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(stay=Stay(cheap_rejoin=False)))
    ann = world.online("ann@localhost/phone")
    create(ann, ROOM, "Ann")
    assert not features(ann) & (CHEAP | {ns.PRESENCE_VERSIONS})
    entry = enter(ann, ROOM, "Ann", content=ASKING)
    assert not [each for each in entry.own.iter() if "presence-session" in each.tag]
    assert world.rows("SELECT * FROM value WHERE space LIKE 'changelog%'") == []


def test_what_happened_while_it_was_off_is_told_once_it_is_on(world: World, ann: Client) -> None:
    assert features(ann) >= CHEAP
    ben, cat = world.online("ben@localhost/phone"), world.online("cat@localhost/phone")
    enter(cat, ROOM, "Cat")
    known = mark(enter(ben, ROOM, "Ben", content=ASKING).subject)
    leave(ben, "Ben")
    for is_on in (False, True):
        world._config = replace(world._config, stay=Stay(cheap_rejoin=is_on))
        world.crash()
        if not is_on:
            cat = world.online("cat@localhost/phone")
            enter(cat, ROOM, "Cat")
            leave(cat, "Cat")
    ben = world.online("ben@localhost/phone")
    ben.send(join(ROOM, "Ben", content=resuming(known)))
    assert changes(ben) == [("Cat", "unavailable")]


def test_a_moderator_is_still_told_who_somebody_is(world: World, ann: Client) -> None:
    ben = world.online("ben@localhost/phone")
    known = mark(enter(ann, ROOM, "Ann", content=ASKING).subject)
    leave(ann, "Ann")
    enter(ben, ROOM, "Ben")
    ann.send(join(ROOM, "Ann", content=resuming(known)))
    presence = ann.expect("presence", from_=f"{ROOM}/Ben")
    assert find(presence, f"user:x/user:item[@jid='{ben.jid}']") is not None


# -- self-ping, and who is who


def test_a_self_ping_is_not_answered_by_a_database_that_does_not_answer(world: World, ann: Client) -> None:
    async def fail(jid: Any) -> Any:
        raise OSError("the disk is gone")

    world.crash()
    ann, rooms = world.online("ann@localhost/phone"), world.parts.room_services[0].rooms
    load, rooms._load = rooms._load, fail
    ann.send(f"<iq type='get' id='lost' to='{ROOM}/Ann'><ping xmlns='{ns.PING}'/></iq>")
    assert ann.refused("get", f"<ping xmlns='{ns.PING}'/>", ROOM) == ("wait", "internal-server-error")
    ann.nothing_before()
    assert world.errors()
    rooms._load = load
    ann.get(f"<ping xmlns='{ns.PING}'/>", ROOM)


def test_occupant_ids_are_the_same_after_a_crash(world: World, ann: Client) -> None:
    ids = []
    for _ in range(2):
        entry = enter(world.online("ben@localhost/phone"), ROOM, "Ben")
        found = find(entry.own, "occupant:occupant-id")
        assert found is not None
        ids.append(found.get("id"))
        world.crash()
    assert ids[0] == ids[1]


def test_a_temporary_room_takes_its_numbers_with_it(world: World) -> None:
    ann, ben = world.online("ann@localhost/phone"), world.online("ben@localhost/phone")
    create(ann, ROOM, "Ann", persistentroom="0", membersonly="1")
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'><item jid='{ben.bare}' affiliation='member' nick='Ben'/></query>", ROOM)
    ben.expect("message")  # he is invited
    enter(ann, ROOM, "Ann", content=ASKING)
    enter(ben, ROOM, "Ben")
    leave(ann, "Ann")
    assert world.rows("SELECT * FROM value WHERE space LIKE 'changelog%'")
    leave(ben, "Ben")
    assert world.rows("SELECT * FROM value WHERE space LIKE 'changelog%'") == []
