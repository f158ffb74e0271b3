"""What holds people in their rooms, one part at a time: each does its own with all the others switched off."""

from fermata.app.config_tables import Config, RestartInvites, Stay
from kit import ns
from kit.federated import FederatedWorld, Universe
from kit.muc import create, enter
from kit.wire import Client

A, B = "a.example", "b.example"
ROOM = f"tea@conference.{A}"
MINUTE = 60.0
NOTHING = {
    "journal": False,
    "limbo": False,
    "client_resume": False,
    "server_resume": False,
    "guardian": False,
    "cheap_rejoin": False,
    "restart_invites": RestartInvites.OFF,
}


def only(universe: Universe, **parts: object) -> tuple[FederatedWorld, FederatedWorld]:
    """The rooms' server with these parts alone, and another one."""
    stay = Stay(**{**NOTHING, **parts})  # type: ignore[arg-type]
    return universe.server(A, Config(stay=stay)), universe.server(B, Config(stay=Stay(**NOTHING)))  # type: ignore[arg-type]


def meet(here: FederatedWorld, there: FederatedWorld) -> tuple[Client, Client]:
    """Ann has made a room, and Bob is in it from elsewhere."""
    ann = here.online(f"ann@{A}/phone")
    create(ann, ROOM, "Ann")
    bob = there.online(f"bob@{B}/desk")
    enter(bob, ROOM, "Bob")
    ann.wait_for(lambda stanza: stanza.get("from") == f"{ROOM}/Bob")
    there.advance(1)
    return ann, bob


def say(client: Client, body: str) -> None:
    client.send(f"<message to='{ROOM}' type='groupchat' id='{body}'><body>{body}</body></message>")


def read(client: Client) -> str | None:
    return client.wait_for(lambda stanza: stanza.findtext("body") is not None).findtext("body")


def test_the_journal_alone_keeps_those_elsewhere_in_a_room_whose_server_dies(universe: Universe) -> None:
    here, there = only(universe, journal=True)
    _, bob = meet(here, there)
    here.crash()
    ann = here.online(f"ann@{A}/phone")
    enter(ann, ROOM, "Ann")
    say(ann, "still there?")
    assert read(bob) == "still there?"
    say(bob, "of course")
    assert read(ann) == "still there?"
    assert read(ann) == "of course"


def test_limbo_alone_keeps_those_out_of_reach_and_tells_them_what_they_missed(universe: Universe) -> None:
    here, there = only(universe, limbo=True)
    ann, bob = meet(here, there)
    universe.refuse(A, B)
    say(ann, "missed")
    for _ in range(30):
        here.advance(MINUTE)
    universe.heal(A, B)
    for _ in range(5):
        here.advance(MINUTE)
    assert read(bob) == "missed"
    assert read(ann) == "missed"
    ann.nothing_before()


def test_lasting_sessions_alone_keep_a_client_and_what_was_under_way_to_it(universe: Universe) -> None:
    here, _ = only(universe, client_resume=True)
    ann, cem = here.online(f"ann@{A}/phone"), here.login(f"cem@{A}/tab")
    session = cem.enable().get("id", "")
    cem.available()
    here.befriend(ann, cem)
    cem.cut()
    ann.send(f"<message to='cem@{A}/tab' type='chat'><body>under way</body></message>")
    here.crash()
    again = here.authenticated(f"cem@{A}")
    assert again.resume(session, cem.handled).tag == f"{{{ns.SM}}}resumed"
    assert read(again) == "under way"


def test_without_any_of_them_who_was_in_is_out_after_a_crash(universe: Universe) -> None:
    here, there = only(universe)
    _, bob = meet(here, there)
    here.crash()
    here.advance(1)
    assert bob.refused("get", f"<ping xmlns='{ns.PING}'/>", f"{ROOM}/Bob") == ("cancel", "not-acceptable")


def test_all_of_them_together_leave_nobody_anything_to_notice(universe: Universe) -> None:
    here, there = universe.server(A), universe.server(B)
    ann, bob = meet(here, there)
    ann.cut()
    ann = here.login(f"ann@{A}/phone")
    session = ann.enable().get("id", "")
    ann.available()
    enter(ann, ROOM, "Ann")
    universe.refuse(A, B)
    say(ann, "one")
    assert read(ann) == "one"
    here.crash()
    ann_again = here.authenticated(f"ann@{A}")
    assert ann_again.resume(session, ann.handled).tag == f"{{{ns.SM}}}resumed"
    say(ann_again, "two")
    assert read(ann_again) == "two"
    universe.heal(A, B)
    for _ in range(6):
        here.advance(20)
        ann_again.nothing_before()
    assert [read(bob), read(bob)] == ["one", "two"]
