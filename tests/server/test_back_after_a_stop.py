"""A real process stops for long, or is killed, and starts again: whoever was put out by that is called back."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import ns
from kit.afar import Place
from kit.component import Component
from kit.crash import patient_server
from kit.muc import create, enter, entered, join
from kit.server import START
from kit.stanzas import Element, codes, find, text
from kit.wire import Client

ROOM = "tea@conference.localhost"
ANN, BEN, CAT = "ann@localhost/desk", "ben@localhost/phone", "cat@far.localhost/roof"
WISH = f"<restart-notify xmlns='{ns.RESTART}'/>"


@pytest.fixture(params=[True, False], ids=["journal", "no journal"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    place = Place(tmp_path, "ann@localhost", "ben@localhost", journal=request.param)
    place.program = [sys.executable, patient_server.__file__]
    with place.in_service():
        yield place


def wished(nick: str) -> str:
    return join(ROOM, nick).replace(f"<x xmlns='{ns.MUC}'>", f"<x xmlns='{ns.MUC}'>{WISH}")


def gather(place: Place) -> tuple[Client, Client, Component]:
    """Three people in a room: Ann has registered for push, Ben and Cat want an invitation."""
    ann, ben, far = place.online(ANN), place.online(BEN), place.far()
    create(ann, ROOM, "Ann")
    ann.set(f"<enable xmlns='{ns.PUSH}' jid='{ANN}' node='tea'/>", ROOM)
    ben.send(wished("Ben"))
    entered(ben, ROOM)
    far.send(wished("Cat").replace("<presence ", f"<presence from='{CAT}' ", 1))
    far.send(f"<message from='{CAT}' to='{ROOM}' type='groupchat'><body>before</body></message>")
    for client in (ann, ben, far):
        seen = client.wait_for(lambda each: each.findtext("body") == "before")
        assert "restart-notify" not in "".join(each.tag for each in seen.iter())
    return ann, ben, far


def are_called_back(place: Place) -> None:
    """Each in his own way; then all three are in again."""
    ann, ben, far = place.online(ANN), place.online(BEN), place.far()
    assert place.process is not None
    place.process.send_signal(signal.SIGUSR1)
    for client, sender in ((ben, ""), (far, f" from='{CAT}'")):
        invited = client.wait_for(is_invitation)
        assert (invited.get("from"), invited.get("type")) == (ROOM, None)
        assert invited.get("to") == (CAT if sender else BEN)
        assert {"no-store", "no-copy", "private"} <= {each.tag.partition("}")[2] for each in invited}
        ping = f"<iq type='get' id='self'{sender} to='{ROOM}/{'Cat' if sender else 'Ben'}'>"
        client.send(f"{ping}<ping xmlns='{ns.PING}'/></iq>")
        refused = client.wait_for(lambda each: each.get("id") == "self")
        assert find(refused, "error/errors:not-acceptable") is not None
    push = ann.wait_for(lambda each: find(each, "pubsub:pubsub/pubsub:publish") is not None)
    publish = find(push, "pubsub:pubsub/pubsub:publish")
    assert publish is not None
    assert (push.get("from"), push.get("to"), publish.get("node")) == (ROOM, ANN, "tea")
    ann.send(f"<iq type='result' id='{push.get('id')}' to='{ROOM}'/>")
    enter(ann, ROOM, "Ann")
    far.send(join(ROOM, "Cat").replace("<presence ", f"<presence from='{CAT}' ", 1))
    far.synchronise()
    entry = enter(ben, ROOM, "Ben")
    assert {each.get("from") for each in entry.others} == {f"{ROOM}/Ann", f"{ROOM}/Cat"}
    assert [text(each, "body") for each in entry.history] == ["before"]
    ben.nothing_before(f"{ROOM}/Ben")


def is_invitation(element: Element) -> bool:
    return find(element, "user:x/user:invite") is not None and find(element, "restart:back-online") is not None


def test_an_announced_stop_is_told_and_everybody_is_called_back(place: Place) -> None:
    ann, ben, far = gather(place)
    told = place.command("stop", "--announce", "New disks", "--for", "2h")
    assert "stops" in told
    reason = "New disks (It will be away for about 2 hours.)"
    for client in (ann, ben):
        assert text(client.wait_for(lambda each: text(each, "subject") == "Announcement"), "body") == reason
    for client, nick in ((ann, "Ann"), (ben, "Ben"), (far, "Cat")):
        presence = client.wait_for(lambda each: each.tag == "presence" and "332" in codes(each))
        assert (presence.get("from"), codes(presence)) == (f"{ROOM}/{nick}", {"110", "332"})
        assert text(presence, "user:x/user:item/user:reason") == reason
        client.wait_for(lambda each: find(each, "stream-errors:system-shutdown") is not None)
    assert not place.is_running(START), "the server did not stop"
    place.start()
    are_called_back(place)


@pytest.mark.parametrize("place", [False], indirect=True, ids=["no journal"])
def test_without_the_journal_a_crash_is_followed_by_the_calls_too(place: Place) -> None:
    gather(place)
    place.kill()
    place.start()
    are_called_back(place)
