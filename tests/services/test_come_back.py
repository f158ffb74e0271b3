"""Whoever could not be kept in a room is called back: after an announced stop and, without the journal, any other."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from fermata.app.config_tables import Config, RestartInvites, Stay
from fermata.services.shutting_down import ShuttingDown
from fermata.services.users import Users
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit import ns
from kit.muc import configure, create, enter, party
from kit.stanzas import Element, codes, find, find_all, text
from kit.wire import Client
from kit.world import World

ROOM = "tea@conference.localhost"
ANN, BEN = "ann@localhost/desk", "ben@localhost/phone"
HOUR = 3_600.0

Worlds = Callable[[Config], World]


def stay(**settings: object) -> Config:
    return Config(stay=Stay(**settings))  # type: ignore[arg-type]


def wish(room: str, nick: str) -> str:
    return f"<presence to='{room}/{nick}'><x xmlns='{ns.MUC}'><restart-notify xmlns='{ns.RESTART}'/></x></presence>"


def meet(world: World, room: str = ROOM) -> tuple[Client, Client]:
    """Two people in a room; Ben, alone, wants to be called back."""
    ann, ben = world.online(ANN), world.online(BEN)
    create(ann, room, "Ann")
    ben.send(wish(room, "Ben"))
    ben.sync(f"{room}/Ben")
    ann.sync(f"{room}/Ann")
    return ann, ben


def say_farewell(world: World, text: str = "", away: float = 0.0) -> None:
    """The server stops, as far as the rooms have to do with it."""
    ending = world.parts.services[ShuttingDown]
    if text or away:
        world.do(ending.begin(0.0, text, away_seconds=away))
    world.do(ending.farewell())
    world.turn()


def told(client: Client) -> Element:
    """The one presence that a stop sends."""
    while (stanza := client.next()).tag != "presence":
        assert text(stanza, "subject") == "Announcement"
    return stanza


def owed(world: World) -> list[str]:
    return [jid for (jid,) in world.rows("SELECT jid FROM invite ORDER BY jid")]


def is_invited(client: Client, room: str = ROOM) -> Element:
    invited = client.expect("message", "user:x/user:invite", "restart:back-online", timeout=60.0, from_=room)
    assert invited.get("type") is None
    return invited


def is_not_invited(world: World, client: Client, seconds: float = 120.0) -> None:
    world.advance(seconds)
    assert not [each for each in client.sync() if find(each, "user:x/user:invite") is not None]


# The stop


def test_an_announced_stop_tells_each_session_once_and_why(world: World) -> None:
    ann, ben = meet(world)
    say_farewell(world, "New disks", 2 * HOUR)
    for client, nick in ((ann, "Ann"), (ben, "Ben")):
        presence = told(client)
        assert (presence.get("type"), presence.get("from")) == ("unavailable", f"{ROOM}/{nick}")
        assert codes(presence) == {"110", "332"}
        assert text(presence, "user:x/user:item/user:reason") == "New disks (It will be away for about 2 hours.)"
        client.sync()
    assert owed(world) == [ANN, BEN]
    assert world.rows("SELECT count(*) FROM occupancy") == [(0,)]


def test_a_stop_that_nothing_is_said_about_is_seen_by_nobody(world: World) -> None:
    ann, ben = meet(world)
    say_farewell(world)
    ann.sync(f"{ROOM}/Ann")
    ben.sync(f"{ROOM}/Ben")
    assert owed(world) == []


def test_a_restart_is_seen_by_nobody_though_it_is_announced(world: World) -> None:
    ann, _ = meet(world)
    ending = world.parts.services[ShuttingDown]
    world.do(ending.begin(0.0, "Back in a second", restarts=True))
    world.do(ending.farewell())
    assert text(ann.next(), "body") == "Back in a second"
    ann.sync(f"{ROOM}/Ann")


def test_rooms_that_nobody_has_needed_since_the_last_start_are_told_too(world: World) -> None:
    meet(world)
    world.crash()
    assert len(list(world.parts.room_services[0].rooms)) == 0
    say_farewell(world, "New disks")
    assert owed(world) == [ANN, BEN]


def test_whoever_takes_an_announced_stop_back_stops_silently(world: World) -> None:
    ann, _ = meet(world)
    ending = world.parts.services[ShuttingDown]
    world.do(ending.begin(600.0, "New disks"))
    world.do(ending.begin(0.0))
    world.do(ending.farewell())
    assert text(ann.next(), "body") == "New disks"
    ann.sync(f"{ROOM}/Ann")


def test_a_very_long_announcement_is_refused_and_nobody_is_told(world: World) -> None:
    ann, _ = meet(world)
    with pytest.raises(StanzaError) as caught:
        world.do(world.parts.services[ShuttingDown].begin(0.0, "x" * 2_001))
    assert caught.value.condition == "not-acceptable"
    ann.sync(f"{ROOM}/Ann")


def test_after_a_crash_everybody_is_in_and_nobody_is_called(world: World) -> None:
    meet(world)
    world.crash()
    ben = world.online(BEN)
    is_not_invited(world, ben, 20.0)  # then he is taken for gone, since he does not enter
    assert owed(world) == []


# The call


def stop_and_start(world: World, away: float = HOUR) -> None:
    say_farewell(world, "New disks")
    world.skip(away)
    world.crash()


def test_who_asked_for_it_is_invited_half_a_minute_after_the_start_and_nobody_else(world: World) -> None:
    meet(world)
    stop_and_start(world)
    ann, ben = world.online(ANN), world.online(BEN)
    assert owed(world) == [BEN]
    world.advance(29.0)
    ben.sync()
    is_invited(ben)
    is_not_invited(world, ann)
    ben.sync()


def test_where_all_are_called_all_are(worlds: Worlds) -> None:
    world = worlds(stay(restart_invites=RestartInvites.ALL))
    meet(world)
    stop_and_start(world)
    for client in (world.online(ANN), world.online(BEN)):
        is_invited(client)


def test_where_nobody_is_called_nobody_is_and_nothing_is_left(worlds: Worlds) -> None:
    world = worlds(stay(restart_invites=RestartInvites.OFF))
    meet(world)
    stop_and_start(world)
    assert owed(world) == []
    ben = world.online(BEN)
    is_not_invited(world, ben)
    create(ben, f"other-{ROOM}", "Ben")
    assert not offers(ben, f"other-{ROOM}")


def offers(client: Client, room: str) -> bool:
    """Whether a room says that one may ask to be called back."""
    features = find_all(client.get(f"<query xmlns='{ns.DISCO_INFO}'/>", room), "info:query/info:feature")
    return ns.RESTART in {each.get("var") for each in features}


def test_the_call_is_in_no_archive(world: World) -> None:
    meet(world)
    stop_and_start(world)
    ben = world.online(BEN)
    assert offers(world.online(ANN), ROOM)
    before = world.rows("SELECT count(*) FROM archive")
    is_invited(ben)
    assert world.rows("SELECT count(*) FROM archive") == before


def test_no_other_device_gets_the_call(world: World) -> None:
    meet(world)
    stop_and_start(world)
    ben, other = world.online(BEN), world.online("ben@localhost/other")
    ben.sync()
    is_invited(ben)
    other.sync()
    other.nothing_before()


def test_after_more_than_a_day_nobody_is_called(world: World) -> None:
    meet(world)
    stop_and_start(world, away=24 * HOUR + 1)
    is_not_invited(world, world.online(BEN))
    assert owed(world) == []


def test_who_is_back_by_himself_is_not_called(world: World) -> None:
    meet(world)
    stop_and_start(world)
    ben = world.online(BEN)
    enter(ben, ROOM, "Ben")
    world.advance(60.0)
    ben.sync(f"{ROOM}/Ben")
    assert BEN not in owed(world)


def test_who_has_a_new_resource_is_forgotten(world: World) -> None:
    """The invitation is for the full JID that was in; that it can't be delivered is all that comes of it."""
    meet(world)
    stop_and_start(world)
    ben = world.online("ben@localhost/another")
    assert BEN in owed(world)
    is_not_invited(world, ben)
    assert BEN not in owed(world)


def test_what_was_called_and_says_nothing_is_written_off(world: World) -> None:
    meet(world)
    stop_and_start(world)
    ben = world.online(BEN)
    is_invited(ben)
    assert owed(world) == [BEN]
    world.advance(620.0)
    assert owed(world) == []


def test_a_crash_before_the_calls_forgets_nobody(world: World) -> None:
    meet(world)
    stop_and_start(world)
    world.advance(10.0)
    world.crash()
    is_invited(world.online(BEN))


def test_a_temporary_room_is_still_there_to_come_back_to(world: World) -> None:
    ann, _ = meet(world)
    configure(ann, ROOM, persistentroom="0")
    ann.sync(f"{ROOM}/Ann")
    stop_and_start(world)
    ben = world.online(BEN)
    is_invited(ben)
    assert "201" not in enter(ben, ROOM, "Ben").codes, "it is not made anew"


def test_a_room_that_nobody_comes_back_to_goes_in_the_end(world: World) -> None:
    ann, _ = meet(world)
    configure(ann, ROOM, persistentroom="0")
    ann.sync(f"{ROOM}/Ann")
    stop_and_start(world)
    world.advance(3 * HOUR)
    assert world.rows("SELECT count(*) FROM room") == [(0,)]


def test_who_was_banned_meanwhile_is_not_called(world: World) -> None:
    meet(world)
    stop_and_start(world)
    ann, ben = world.online(ANN), world.online(BEN)
    enter(ann, ROOM, "Ann")
    item = "<item jid='ben@localhost' affiliation='outcast'/>"
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'>{item}</query>", ROOM)
    is_not_invited(world, ben)
    assert BEN not in owed(world)


def test_whoever_gets_the_address_of_an_account_that_is_gone_is_not_called_in_its_place(world: World) -> None:
    meet(world)
    stop_and_start(world)
    world.do(world.parts.services[Users].remove(JID.parse("ben@localhost")))
    assert owed(world) == []
    is_not_invited(world, world.online(BEN))


def test_many_are_called_one_after_the_other(worlds: Worlds) -> None:
    world = worlds(stay(restart_invites=RestartInvites.ALL))
    jids = [f"p{number}@localhost/x" for number in range(60)]
    clients = {f"P{number}": world.online(jid) for number, jid in enumerate(jids)}
    party(ROOM, clients)
    stop_and_start(world)
    present = [world.online(jid) for jid in jids]
    world.advance(30.0 - 0.001)
    arrived = []
    for _ in range(12):
        arrived.append(sum(bool(client.link._arriving) for client in present))  # type: ignore[attr-defined]
        world.advance(0.5)
    assert arrived[0] == 0
    assert arrived[-1] == 60
    assert max(later - sooner for sooner, later in pairwise(arrived)) <= 20


# Without the journal


@pytest.fixture
def forgetful(worlds: Worlds) -> World:
    return worlds(stay(journal=False))


def test_without_the_journal_a_crash_puts_everybody_out_and_they_are_called(forgetful: World) -> None:
    meet(forgetful)
    forgetful.crash()
    ann, ben = forgetful.online(ANN), forgetful.online(BEN)
    assert forgetful.rows("SELECT count(*) FROM occupancy") == [(0,)]
    is_invited(ben)
    is_not_invited(forgetful, ann)
    assert enter(ben, ROOM, "Ben").others == []


def test_without_the_journal_every_graceful_stop_tells_them(forgetful: World) -> None:
    ann, ben = meet(forgetful)
    say_farewell(forgetful)
    for client in (ann, ben):
        presence = told(client)
        assert codes(presence) == {"110", "332"}
        assert find(presence, "user:x/user:item/user:reason") is None
    forgetful.crash()
    is_invited(forgetful.online(BEN))


def test_without_the_journal_somebody_who_says_nothing_for_hours_is_called_after_a_crash(forgetful: World) -> None:
    """That the server was running until then shows in no message and no presence."""
    meet(forgetful)
    forgetful.advance(25 * HOUR)
    forgetful.crash()
    is_invited(forgetful.online(BEN))


def test_without_the_journal_nobody_is_called_who_has_been_out_for_a_day(forgetful: World) -> None:
    meet(forgetful)
    forgetful.skip(25 * HOUR)
    forgetful.crash()
    is_not_invited(forgetful, forgetful.online(BEN))
    assert owed(forgetful) == []


def test_without_the_journal_two_crashes_in_a_row_forget_nobody(forgetful: World) -> None:
    meet(forgetful)
    forgetful.crash()
    forgetful.crash()
    is_invited(forgetful.online(BEN))


def test_the_story_of_an_occupancy_says_how_it_ended(forgetful: World) -> None:
    meet(forgetful)
    forgetful.crash()
    lines = forgetful.rows(f"SELECT event, cause FROM journal WHERE jid = '{BEN}' ORDER BY line")
    assert lines[-1] == ("exit", "not kept")


# Clients whose sessions outlive the process


def resumable(world: World, jid: str) -> tuple[Client, str]:
    """Somebody with stream management, and the id with which he resumes."""
    client = world.online(jid)
    client.send(f"<enable xmlns='{ns.SM}' resume='true'/>")
    return client, client.expect("sm:enabled").get("id", "")


def resumed(world: World, jid: str, previd: str, h: int) -> Client:
    client = world.authenticated(jid)
    client.send(f"<resume xmlns='{ns.SM}' h='{h}' previd='{previd}'/>")
    client.expect("sm:resumed")
    return client


def test_a_client_that_resumes_gets_its_call_on_the_resumed_stream(world: World) -> None:
    ann = world.online(ANN)
    create(ann, ROOM, "Ann")
    ben, previd = resumable(world, BEN)
    ben.send(wish(ROOM, "Ben"))
    ben.wait_for(lambda each: each.find("subject") is not None)
    say_farewell(world, "New disks")
    told_of_it = 0
    for each in ben.sync():
        told_of_it += "332" in codes(each)
    assert told_of_it == 1
    world.crash()
    world.advance(60.0)
    back = resumed(world, BEN, previd, 0)
    invited = back.wait_for(lambda each: find(each, "restart:back-online") is not None)
    assert invited.get("from") == ROOM
    enter(back, ROOM, "Ben")


def test_without_the_journal_a_client_that_resumes_after_a_crash_learns_that_it_is_out(forgetful: World) -> None:
    ann = forgetful.online(ANN)
    create(ann, ROOM, "Ann")
    ben, previd = resumable(forgetful, BEN)
    ben.send(wish(ROOM, "Ben"))
    ben.wait_for(lambda each: each.find("subject") is not None)
    ben.sync()
    forgetful.crash()
    back = resumed(forgetful, BEN, previd, 0)
    forgetful.advance(31.0)
    back.wait_for(lambda each: find(each, "restart:back-online") is not None)
    assert back.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{ROOM}/Ben") == ("cancel", "not-acceptable")
