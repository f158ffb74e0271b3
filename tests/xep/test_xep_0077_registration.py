"""XEP-0077: In-Band Registration, of those who are logged in."""

import pytest

from kit import ns
from kit.people import PASSWORD, roster_of
from kit.registration import FORM, register, stranger
from kit.stanzas import find, text
from kit.wire import Client
from kit.world import World

REMOVE = f"<query xmlns='{ns.REGISTER}'><remove/></query>"


@pytest.fixture
def juliet(world: World) -> Client:
    return world.online("juliet@localhost/balcony")


@pytest.mark.parametrize("to", [None, "localhost"])
def test_who_is_registered_is_told(juliet: Client, to: str | None) -> None:
    answer = juliet.get(FORM, to)
    assert find(answer, "register:query/register:registered") is not None
    assert text(answer, "register:query/register:username") == "juliet"


@pytest.mark.parametrize("to", [None, "localhost"])
def test_a_password_is_changed(world: World, juliet: Client, to: str | None) -> None:
    juliet.set(register("Juliet", "n3w"), to)
    old = stranger(world)
    old.auth("PLAIN", f"\0juliet\0{PASSWORD}".encode())
    old.expect_failure("not-authorized")
    old.plain("juliet", "n3w")


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (register("romeo", "x"), ("cancel", "not-allowed")),
        (register("a b", "x"), ("cancel", "not-allowed")),
        (register("juliet", ""), ("modify", "not-acceptable")),
        (register("juliet", "&#x7f;"), ("modify", "not-acceptable")),
        (f"<query xmlns='{ns.REGISTER}'><username>juliet</username></query>", ("modify", "bad-request")),
        (f"<query xmlns='{ns.REGISTER}'><remove/><username>juliet</username></query>", ("modify", "bad-request")),
    ],
)
def test_what_cannot_be_is_refused(juliet: Client, payload: str, condition: tuple[str, str]) -> None:
    assert juliet.refused("set", payload) == condition


def test_passwords_are_not_changed_without_end(juliet: Client) -> None:
    for number in range(10):
        juliet.set(register("juliet", f"x{number}"))
    assert juliet.refused("set", register("juliet", "y")) == ("wait", "resource-constraint")


def test_an_account_is_removed_with_all_that_it_owns(world: World, juliet: Client) -> None:
    romeo, chamber = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/chamber")
    world.befriend(juliet, romeo)
    juliet.send(f"<iq type='set' id='r'>{REMOVE}</iq>")
    juliet.wait_for(lambda stanza: stanza.get("id") == "r" and stanza.get("type") == "result")
    juliet.expect_stream_error("not-authorized")
    chamber.expect_stream_error("not-authorized")
    assert not world.has_account("juliet@localhost")
    assert roster_of(romeo)["juliet@localhost"]["subscription"] == "none"


def test_nobody_removes_the_account_of_another(world: World, juliet: Client) -> None:
    romeo = world.online("romeo@localhost/orchard")
    assert romeo.refused("set", REMOVE, "juliet@localhost") == ("cancel", "service-unavailable")
    assert world.has_account("juliet@localhost")


def test_an_account_asks_its_own_domain_only(worlds) -> None:
    from fermata.app.config_tables import Config, Server

    world = worlds(Config(server=Server(domains=("a.example", "b.example"))))
    juliet = world.online("juliet@a.example/balcony")
    assert juliet.refused("set", REMOVE, "b.example") == ("cancel", "not-allowed")
    assert world.has_account("juliet@a.example")
