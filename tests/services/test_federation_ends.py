"""The end of the process, as connections to other servers see it."""

import pytest

from kit.scripted_wires import HERE, SILENT, Dialling, say
from kit.wire import Client
from kit.world import World


@pytest.fixture
def ann(world: World) -> Client:
    return world.online("ann@localhost/phone")


def test_nobody_is_connected_to_any_more_and_nobody_is_told_that_a_way_was_lost(
    world: World, dialling: Dialling, ann: Client
) -> None:
    say(ann, "one")
    wire = dialling.connect()
    ann.send("<iq type='get' id='q1' to='b.example'><query xmlns='jabber:iq:version'/></iq>")
    world.parts.federating.federation.links.close()
    assert wire.ended == [None]
    world.advance(60, silently=True)
    assert dialling.attempts == []
    assert dialling.events == []
    ann.nothing_before()


def test_what_was_looked_for_is_looked_for_no_more(world: World, dialling: Dialling, ann: Client) -> None:
    say(ann, "one")
    world.parts.federating.federation.links.close()
    assert dialling.given_up == [HERE]
    dialling.fail(SILENT)
    say(ann, "two")
    world.advance(60)
    assert dialling.attempts == []
