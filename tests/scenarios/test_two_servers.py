"""People on two servers, with real streams between them over pipes in memory."""

import pytest

from kit.federated import FederatedWorld, Universe
from kit.wire import Client


@pytest.fixture
def ann(here: FederatedWorld) -> Client:
    return here.online("ann@a.example/phone")


@pytest.fixture
def bob(there: FederatedWorld) -> Client:
    return there.online("bob@b.example/desk")


def say(client: Client, to: str, body: str, type: str = "chat") -> None:
    client.send(f"<message to='{to}' type='{type}' id='{body}'><body>{body}</body></message>")


def test_they_talk(ann: Client, bob: Client) -> None:
    say(ann, "bob@b.example", "hello")
    assert bob.expect("message", from_="ann@a.example/phone").findtext("body") == "hello"
    say(bob, "ann@a.example/phone", "hi")
    assert ann.expect("message", from_="bob@b.example/desk").findtext("body") == "hi"


def test_what_was_not_acknowledged_before_a_crash_comes_again_and_is_neither_told_nor_kept_again(
    here: FederatedWorld, ann: Client, bob: Client
) -> None:
    say(bob, "ann@a.example", "once")
    assert ann.expect("message").findtext("body") == "once"
    here.crash()
    ann = here.online("ann@a.example/phone")
    here.advance(10)
    say(bob, "ann@a.example", "later")
    assert ann.expect("message").findtext("body") == "later"
    assert len(here.rows("SELECT xml FROM archive WHERE xml LIKE '%once%'")) == 1


def test_nor_is_it_after_a_cut(universe: Universe, here: FederatedWorld, ann: Client, bob: Client) -> None:
    say(bob, "ann@a.example", "once")
    assert ann.expect("message").findtext("body") == "once"
    universe.cut("a.example", "b.example")
    here.advance(10)
    say(bob, "ann@a.example", "later")
    assert ann.expect("message").findtext("body") == "later"
    assert len(here.rows("SELECT xml FROM archive WHERE xml LIKE '%once%'")) == 1
