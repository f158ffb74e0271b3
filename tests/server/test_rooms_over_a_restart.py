"""A real process is killed, or stopped, and started again: everybody is in the rooms, and nobody has seen anything."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import ns
from kit.afar import Place
from kit.component import Component
from kit.muc import create, enter, join
from kit.server import START
from kit.stanzas import find, text
from kit.wire import Client

ROOM = "tea@conference.localhost"
ANN, BEN = "ann@localhost/phone", "ben@localhost/desk"
CAT, DOG = "cat@far.localhost/roof", "dog@far.localhost/yard"


@pytest.fixture(params=[True, False], ids=["journal", "no journal"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    place = Place(tmp_path, "ann@localhost", "ben@localhost", journal=request.param)
    with place.in_service():
        yield place


journal = pytest.mark.parametrize("place", [True], indirect=True, ids=["journal"])
no_journal = pytest.mark.parametrize("place", [False], indirect=True, ids=["no journal"])


def occupants(place: Place) -> dict[str, str]:
    """Who is in the room, and what is known of them."""
    told = json.loads(place.command("rooms", "occupants", ROOM, "--json"))
    return {each["jid"]: each["state"] for each in told}


def gather(place: Place) -> tuple[Client, Client, Component]:
    """Four people are in the room, and have heard that."""
    ann, ben, far = place.online(ANN), place.online(BEN), place.far()
    create(ann, ROOM, "Ann")
    enter(ben, ROOM, "Ben")
    for jid, nick in ((CAT, "Cat"), (DOG, "Dog")):
        far.send(join(ROOM, nick).replace("<presence ", f"<presence from='{jid}' ", 1))
    far.synchronise()
    far.send(f"<message from='{CAT}' to='{ROOM}' type='groupchat'><body>before</body></message>")
    for client in (ann, ben):
        client.wait_for(lambda each: each.findtext("body") == "before")
    far.synchronise()
    return ann, ben, far


def go_down(place: Place, how: str, *clients: Client) -> None:
    """The process ends, killed or asked to; the clients then close their side as clients do."""
    if how == "kill":
        place.kill()
        return
    assert place.process is not None
    place.process.terminate()
    for client in clients:
        client.expect_stream_error("system-shutdown")
    assert not place.is_running(START), "the server did not stop on SIGTERM"


@journal
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_everybody_is_in_and_nobody_has_seen_anything(place: Place, how: str) -> None:
    ann, ben, _ = gather(place)
    go_down(place, how, ann, ben)
    place.start()
    assert occupants(place) == dict.fromkeys((ANN, BEN, CAT, DOG), "unverified")
    assert place.command("rooms", "list").split("\t")[1] == "4"
    assert json.loads(place.command("status", "--json"))["occupants"] == 4
    far, ann, ben = place.far(), place.online(ANN), place.online(BEN)
    for client in (ann, ben):
        assert [each for each in client.sync() if each.get("from", "").startswith(ROOM)] == []
    far.send(f"<iq type='get' id='p' from='{DOG}' to='{ROOM}/Dog'><ping xmlns='{ns.PING}'/></iq>")
    assert far.expect("iq", to=DOG, id="p", type="result") is not None
    far.send(f"<message from='{CAT}' to='{ROOM}' type='groupchat'><body>after</body></message>")
    for client in (ann, ben):
        assert text(client.expect("message", type="groupchat", from_=f"{ROOM}/Cat"), "body") == "after"
    assert {each.get("to") for each in far.synchronise() if each.findtext("body") == "after"} == {CAT, DOG}
    assert set(occupants(place).values()) == {"here"}
    entry = enter(ann, ROOM, "Ann")
    assert {each.get("from") for each in entry.others} == {f"{ROOM}/{nick}" for nick in ("Ben", "Cat", "Dog")}
    assert [text(each, "body") for each in entry.history] == ["before", "after"]
    assert far.synchronise() == []
    told = place.command("rooms", "why", CAT.partition("/")[0], ROOM)
    assert "the server started again" in told
    assert ("the server stopped" in told) == (how == "stop")
    assert "it had been killed" in told or how == "stop"


@journal
def test_it_is_so_after_crashes_in_a_row(place: Place) -> None:
    gather(place)
    for _ in range(2):
        place.kill()
        place.start()
    assert occupants(place).keys() == {ANN, BEN, CAT, DOG}


@no_journal
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_without_the_journal_nobody_is_in_and_a_self_ping_says_so(place: Place, how: str) -> None:
    ann, ben, _ = gather(place)
    go_down(place, how, ann, ben)
    place.start()
    assert occupants(place) == {}
    far = place.far()
    far.send(f"<iq type='get' id='p' from='{DOG}' to='{ROOM}/Dog'><ping xmlns='{ns.PING}'/></iq>")
    refused = far.wait_for(lambda each: each.get("id") == "p")
    assert find(refused, "error/errors:not-acceptable") is not None
    why = "went out (the server stopped)" if how == "stop" else "keeps nobody over that"
    assert why in place.command("rooms", "why", DOG.partition("/")[0], ROOM)
