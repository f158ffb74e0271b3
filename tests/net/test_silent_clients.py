"""Clients of whom nothing is heard: asked for a sign of life, then taken for dead."""

import pytest

from kit.wire import Client
from kit.world import World, world, worlds

__all__ = ["world", "worlds"]


@pytest.fixture
def client(world: World) -> Client:
    return world.online("romeo@localhost/orchard")


def test_a_client_is_asked_for_a_sign_of_life_after_five_minutes(world: World, client: Client) -> None:
    world.advance(299, silently=True)
    with pytest.raises(TimeoutError):
        client.next(timeout=0)
    world.advance(1, silently=True)
    client.expect("iq", "ping:ping", type="get", from_="localhost")


def test_a_client_that_does_not_answer_is_taken_for_dead(world: World, client: Client) -> None:
    world.advance(360, silently=True)
    client.expect_stream_error("connection-timeout")


def test_a_client_that_answers_is_not(world: World, client: Client) -> None:
    for _ in range(5):
        world.advance(300, silently=True)
        ping = client.expect("iq", "ping:ping", type="get")
        client.send(f"<iq type='result' id='{ping.get('id')}' to='localhost'/>")
    client.nothing_before()


def test_a_space_is_a_sign_of_life(world: World, client: Client) -> None:
    world.advance(3600)
    client.nothing_before()


def test_with_stream_management_it_is_asked_how_far_it_got(world: World) -> None:
    client = world.login("romeo@localhost/orchard")
    client.enable()
    client.transparent = True
    world.advance(300, silently=True)
    client.expect("sm:r")
