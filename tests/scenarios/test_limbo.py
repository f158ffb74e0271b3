"""Rooms on one server with people from another, and what becomes of them while there is no way between the two."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from fermata.app.config_s2s import DomainPolicy
from fermata.app.config_tables import MUC, Config, Stay
from fermata.host.federation import Pair
from fermata.services.room_administration import RoomAdministration
from fermata.xmpp.jid import JID
from kit import ns
from kit.federated import FederatedWorld, Universe
from kit.wire import Client

ROOM = "tea@conference.a.example"
A, B = "a.example", "b.example"
PAIR = Pair("conference.a.example", B)
HISTORY = "urn:x-fermata:history:0"
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


@pytest.fixture
def ann(here: FederatedWorld) -> Client:
    """She is at home where the room is, and has made it."""
    client = here.online("ann@a.example/phone")
    enter(client, "Ann")
    submit = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>"
    client.set(submit, ROOM)
    client.sync()
    return client


@pytest.fixture
def bob(there: FederatedWorld, ann: Client) -> Client:
    """He is in the room from elsewhere."""
    client = there.online("bob@b.example/desk")
    enter(client, "Bob")
    ann.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Bob")
    there.advance(1)
    return client


def enter(client: Client, nick: str, inside: str = "") -> None:
    client.send(f"<presence to='{ROOM}/{nick}'><x xmlns='{ns.MUC}'>{inside}</x></presence>")
    client.wait_for(lambda stanza: stanza.tag == "message" and stanza.find("subject") is not None)


def say(client: Client, body: str) -> None:
    client.send(f"<message to='{ROOM}' type='groupchat' id='{body}'><body>{body}</body></message>")


def bodies(client: Client, count: int) -> list[str | None]:
    return [client.wait_for(lambda stanza: stanza.findtext("body") is not None).findtext("body") for _ in range(count)]


def occupants(world: FederatedWorld) -> set[str]:
    return {
        str(jid)
        for service in world.parts.room_services
        for room in service.rooms
        for jid in room.rules.occupants.everyone
    }


def codes(presence: Element) -> set[str | None]:
    return {status.get("code") for status in presence.iter(f"{{{ns.MUC_USER}}}status")}


def stanza_ids(message: Element) -> list[str | None]:
    return [item.get("id") for item in message.iter(f"{{{ns.SID}}}stanza-id") if item.get("by") == ROOM]


def heal(universe: Universe, here: FederatedWorld) -> None:
    """There is a way again, and as soon as one of them tries it, all that was missed is told."""
    universe.heal(A, B)
    for _ in range(40):
        link = here.parts.federating.federation.links.by_pair[PAIR]
        if link.trunk is not None and link.missed is None:
            return
        here.keep_alive()
        here.advance(30)
    raise AssertionError(link.row())


def test_everybody_reads_everybody(ann: Client, bob: Client) -> None:
    say(ann, "one")
    say(bob, "two")
    assert bodies(ann, 2) == ["one", "two"]
    assert bodies(bob, 2) == ["one", "two"]


def test_a_cut_is_no_event_for_anybody_and_nothing_is_missed(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.cut(A, B)
    say(ann, "one")
    here.advance(10)
    say(bob, "two")
    assert bodies(ann, 2) == ["one", "two"]
    assert bodies(bob, 2) == ["one", "two"]
    ann.nothing_before()
    bob.nothing_before()


def test_who_is_out_of_reach_stays_and_is_told_what_he_missed_in_order(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    for number in range(5):
        say(ann, f"m{number}")
        here.advance(5 * MINUTE)
    assert len(bodies(ann, 5)) == 5
    ann.nothing_before()
    heal(universe, here)
    say(ann, "live")
    assert bodies(bob, 6) == ["m0", "m1", "m2", "m3", "m4", "live"]
    bob.nothing_before()
    ann.wait_for(lambda stanza: stanza.findtext("body") == "live")
    ann.nothing_before()


def test_operators_see_who_is_out_of_reach_and_what_he_has_missed(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    def told() -> dict[str, tuple[str, float, str]]:
        found = here.do(here.parts.services[RoomAdministration].occupants(JID.parse(ROOM)))
        return {each.jid: (each.state, each.state_since, each.cursor) for each in found}

    assert told() == {"ann@a.example/phone": ("here", 0.0, ""), "bob@b.example/desk": ("here", 0.0, "")}
    universe.refuse(A, B)
    cut_at = here.clock.seconds()
    here.advance(5 * MINUTE)
    say(ann, "one")
    (first,) = stanza_ids(ann.wait_for(lambda stanza: stanza.findtext("body") == "one"))
    state, since, cursor = told()["bob@b.example/desk"]
    assert (state, cursor) == ("limbo", first)
    assert cut_at <= since <= cut_at + 5 * MINUTE
    assert told()["ann@a.example/phone"][0] == "here"
    heal(universe, here)
    assert told()["bob@b.example/desk"][0] == "unverified"  # his server may have lost him meanwhile
    assert told()["bob@b.example/desk"][1] > since
    say(bob, "two")
    ann.wait_for(lambda stanza: stanza.findtext("body") == "two")
    assert told()["bob@b.example/desk"] == ("here", 0.0, "")


def test_of_very_many_messages_the_newest_are_told_behind_a_marked_gap(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    for number in range(250):
        say(ann, f"m{number}")
    heal(universe, here)
    gap = bob.wait_for(lambda stanza: stanza.find(f"{{{HISTORY}}}history") is not None)
    assert gap.get("from") == ROOM
    assert bodies(bob, 200) == [f"m{number}" for number in range(50, 250)]


def test_what_is_told_again_has_its_stanza_id_and_its_time(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    say(ann, "missed")
    live = ann.wait_for(lambda stanza: stanza.findtext("body") == "missed")
    heal(universe, here)
    again = bob.wait_for(lambda stanza: stanza.findtext("body") == "missed")
    assert stanza_ids(again) == stanza_ids(live)
    assert again.find(f"{{{ns.DELAY}}}delay").get("from") == ROOM


def test_of_presence_only_what_holds_by_then_is_told(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    cem = here.online("cem@a.example/tab")
    enter(cem, "Cem")
    bob.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Cem")
    universe.refuse(A, B)
    for show in ("away", "dnd", "xa"):
        ann.send(f"<presence to='{ROOM}/Ann'><show>{show}</show></presence>")
    cem.send(f"<presence to='{ROOM}/Cem' type='unavailable'/>")
    dia = here.online("dia@a.example/tv")
    enter(dia, "Dia")
    heal(universe, here)
    say(ann, "done")
    told = []
    while (stanza := bob.next()).findtext("body") != "done":
        told.append((stanza.get("from"), stanza.get("type"), stanza.findtext("show")))
    assert sorted(told, key=str) == [
        (f"{ROOM}/Ann", None, "xa"),
        (f"{ROOM}/Cem", "unavailable", None),
        (f"{ROOM}/Dia", None, None),
    ]


def test_who_is_kicked_meanwhile_is_told_so_and_nothing_that_was_said_later(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'><item nick='Bob' role='none'/></query>", ROOM)
    say(ann, "among ourselves")
    heal(universe, here)
    removed = bob.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    assert {"110", "307"} <= codes(removed)
    here.advance(60)
    bob.nothing_before()


def test_who_is_banned_meanwhile_is_told_nothing_of_what_was_said_before_that_either(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    say(ann, "a secret")
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'><item jid='bob@b.example' affiliation='outcast'/></query>", ROOM)
    heal(universe, here)
    assert {"110", "301"} <= codes(bob.wait_for(lambda stanza: stanza.get("type") == "unavailable"))
    here.advance(60)
    bob.nothing_before()


def test_a_connection_that_swallows_everything_is_found_out_and_nothing_is_missed(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.swallow(A, B)
    for number in range(3):
        say(ann, f"m{number}")
        here.advance(20)
    here.advance(60)
    heal(universe, here)
    assert bodies(bob, 3) == ["m0", "m1", "m2"]
    bob.nothing_before()
    assert len(bodies(ann, 3)) == 3
    ann.nothing_before()


def test_who_never_comes_back_stays_for_a_day_and_is_then_out_with_the_true_cause(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    here.advance(HOUR)
    here.skip(21 * HOUR)
    here.advance(HOUR)
    assert "bob@b.example/desk" in occupants(here)
    ann.nothing_before()
    here.advance(2 * HOUR)
    assert "333" in codes(ann.expect("presence", type="unavailable", from_=f"{ROOM}/Bob"))


def test_members_stay_for_two_weeks(universe: Universe, here: FederatedWorld, ann: Client, bob: Client) -> None:
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'><item jid='bob@b.example' affiliation='member'/></query>", ROOM)
    universe.refuse(A, B)
    here.advance(HOUR)
    here.skip(12 * DAY)
    here.advance(HOUR)
    assert "bob@b.example/desk" in occupants(here)
    here.skip(2 * DAY)
    here.advance(HOUR)
    assert "bob@b.example/desk" not in occupants(here)


def test_who_lost_his_place_with_his_server_is_found_out_by_asking(
    universe: Universe, here: FederatedWorld, there: FederatedWorld, ann: Client, bob: Client
) -> None:
    bob.send(f"<presence to='{ROOM}/Bob' type='unavailable'/>")
    bob.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    ann.wait_for(lambda stanza: stanza.get("type") == "unavailable")
    enter(bob, "Bob")
    ann.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Bob")
    there.die()
    here.advance(MINUTE)
    assert "bob@b.example/desk" in occupants(here)
    there.rise()
    here.keep_alive()
    say(ann, "are you there?")
    here.advance(5 * MINUTE)
    assert "bob@b.example/desk" not in occupants(here)


def test_a_room_that_dies_comes_back_with_everybody_in_it(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    say(bob, "before")
    first = bob.wait_for(lambda stanza: stanza.findtext("body") == "before")
    here.crash()
    cem = here.online("cem@a.example/tab")
    enter(cem, "Cem")
    bob.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Cem")
    say(bob, "after")
    # What was under way has come again, both ways: he knows it by its stanza-id, and nobody else is told.
    while (again := bob.wait_for(lambda stanza: stanza.findtext("body") is not None)).findtext("body") == "before":
        assert stanza_ids(again) == stanza_ids(first)
    assert again.findtext("body") == "after"
    assert bodies(cem, 1) == ["after"]
    assert len(here.rows("SELECT xml FROM archive WHERE xml LIKE '%before%'")) == 1


def test_without_limbo_who_cannot_be_told_something_is_out(tmp_path: Path) -> None:
    universe = Universe(tmp_path)
    here = universe.server(A, Config(stay=Stay(limbo=False)))
    there = universe.server(B)
    ann = here.online("ann@a.example/phone")
    enter(ann, "Ann")
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>", ROOM)
    bob = there.online("bob@b.example/desk")
    enter(bob, "Bob")
    ann.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Bob")
    universe.refuse(A, B)
    say(ann, "anybody?")
    here.advance(20 * MINUTE)
    assert "333" in codes(ann.wait_for(lambda stanza: stanza.get("type") == "unavailable"))
    universe.close()


def test_what_was_said_right_before_a_crash_is_told_to_those_elsewhere_as_well(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.swallow(A, B)
    say(ann, "hardly out")
    ann.wait_for(lambda stanza: stanza.findtext("body") == "hardly out")
    universe.heal(A, B)
    here.crash()
    here.advance(10)
    assert bodies(bob, 1) == ["hardly out"]
    bob.nothing_before()


def test_what_was_missed_before_a_crash_is_still_told_after_it(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    say(ann, "long ago")
    here.advance(10 * MINUTE)
    say(ann, "just now")
    here.advance(10)
    universe.heal(A, B)
    here.crash()
    here.advance(10)
    assert bodies(bob, 2) == ["long ago", "just now"]


def test_after_a_stop_in_order_nothing_that_had_arrived_is_told_again(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    say(ann, "arrived")
    assert bodies(bob, 1) == ["arrived"]
    here.advance(1)
    here.do(here.parts.federating.leave_notes())
    here.crash()
    here.advance(20)
    bob.nothing_before()


def stop(world: FederatedWorld) -> None:
    """It stops in order, and does not start again yet."""
    world.do(world.parts.federating.leave_notes())


def test_what_is_noted_at_a_stop_is_the_last_word_however_long_the_rest_of_it_takes(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client
) -> None:
    universe.refuse(A, B)
    say(ann, "missed")
    here.advance(10)
    stop(here)
    noted = here.rows("SELECT * FROM meta")
    here.advance(20)
    assert here.rows("SELECT * FROM meta") == noted


@pytest.mark.parametrize(
    "change",
    [
        lambda config: replace(config, s2s=replace(config.s2s, domains={B: DomainPolicy.BLOCK})),
        lambda config: replace(config, muc=MUC(service="rooms")),
    ],
    ids=["the server blocked", "the service gone"],
)
def test_whoever_missed_something_may_be_nobody_to_talk_to_by_the_next_start(
    universe: Universe, here: FederatedWorld, ann: Client, bob: Client, change: Callable[[Config], Config]
) -> None:
    universe.refuse(A, B)
    say(ann, "missed")
    here.advance(10)
    stop(here)
    here.configure(change)
    here.crash()
    universe.heal(A, B)
    here.advance(10)
    assert PAIR not in here.parts.federating.federation.links.by_pair
    here.online("ann@a.example/tab").sync()
