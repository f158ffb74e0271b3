"""What clients are offered (RFC 6120 §4.3.2), as a client sees it."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Config, Limits
from kit import ns
from kit.stanzas import find, text
from kit.wire import Client
from kit.world import World, worlds

__all__ = ["worlds"]
LIMIT = "limits:limits/limits:max-bytes"


def opened(world: World) -> Client:
    client = Client(world.connect())
    client.open()
    return client


def test_a_stranger_is_told_what_it_may_send(worlds: Callable[[Config], World]) -> None:
    assert text(opened(worlds(Config())).features, LIMIT) == "10000"


def test_a_stranger_is_offered_nothing_that_only_clients_can_use(worlds: Callable[[Config], World]) -> None:
    features = opened(worlds(Config())).features
    assert not any(find(features, path) is not None for path in ("bind:bind", "sm:sm", "caps:c", "rosterver:ver"))


@pytest.mark.parametrize(("stanza_bytes", "told"), [(262_144, "262144"), (20_000, "20000"), (0, None)])
def test_a_client_is_told_the_limit_that_holds_for_it(
    worlds: Callable[[Config], World], stanza_bytes: int, told: str | None
) -> None:
    client = worlds(Config(limits=Limits(stanza_bytes=stanza_bytes))).login("romeo@localhost/orchard")
    assert text(client.features, LIMIT) == told


def test_what_fits_is_taken_and_what_does_not_is_refused(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(limits=Limits(stanza_bytes=20_000)))
    client = world.online("romeo@localhost/orchard")
    around = len("<message to='romeo@localhost' id='x' type='chat'><body></body></message>")
    for size, taken in ((20_000, True), (20_001, False)):
        body = "x" * (size - around)
        client.send(f"<message to='romeo@localhost' id='x' type='chat'><body>{body}</body></message>")
        if taken:
            client.expect("message", "body", type="chat")
        else:
            client.expect_error("message", "policy-violation", id="x")
    client.nothing_before()


def test_a_client_is_offered_what_it_can_use(worlds: Callable[[Config], World]) -> None:
    features = worlds(Config()).login("romeo@localhost/orchard").features
    for path in ("bind:bind", "session:session/session:optional", "sm:sm", "rosterver:ver", "pre:sub", "caps:c"):
        assert find(features, path) is not None, path
    assert find(features, f"{{{ns.SASL}}}mechanisms") is None
