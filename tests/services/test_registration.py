"""Accounts that people make for themselves, with an invitation or without."""

from collections.abc import Callable

import pytest

from fermata.app.config_registration import Registration
from fermata.app.config_tables import Config, Limits
from fermata.services.invitations import Invitations
from fermata.services.users import Users
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit import ns
from kit.people import roster_of
from kit.registration import FORM, preauth, register, stranger
from kit.stanzas import find, text
from kit.world import World

Worlds = Callable[[Config], World]
JULIET = JID.parse("juliet@localhost")


def world_with(worlds: Worlds, **settings: object) -> World:
    return worlds(Config(registration=Registration(**settings)))  # type: ignore[arg-type]


@pytest.fixture
def invitations(world: World) -> Invitations:
    return world.parts.services[Invitations]


def test_anybody_may_register_where_that_is_open(worlds: Worlds) -> None:
    world = world_with(worlds, open=True)
    client = stranger(world)
    assert find(client.features, "iq-register:register") is not None
    form = client.get(FORM)
    assert text(form, "register:query/register:username") == ""
    assert text(form, "register:query/register:password") == ""
    assert client.refused("set", register("ju liet", "x")) == ("modify", "not-acceptable")
    client.set(register("Juliet", "s3cret"), "localhost")
    client.authenticate("juliet", "s3cret")
    assert client.bind().startswith("juliet@localhost/")
    assert find(client.features, "iq-register:register") is None
    assert stranger(world).refused("set", register("juliet", "other")) == ("cancel", "conflict")


def test_nobody_registers_where_nothing_was_said(world: World) -> None:
    client = stranger(world)
    assert find(client.features, "iq-register:register") is None
    assert client.refused("get", FORM) == ("cancel", "not-allowed")
    assert client.refused("set", register("juliet", "x")) == ("cancel", "not-allowed")
    assert not world.has_account(JULIET)


def test_nothing_else_may_be_asked_before_authentication(worlds: Worlds) -> None:
    client = stranger(world_with(worlds, open=True))
    client.send(f"<iq type='get' id='v'><query xmlns='{ns.VERSION}'/></iq>")
    client.expect_stream_error("not-authorized")


def test_a_flood_of_accounts_is_stopped(worlds: Worlds) -> None:
    world = world_with(worlds, open=True, per_address_per_hour=3)
    for number in range(3):
        stranger(world).set(register(f"p{number}", "x"))
    assert stranger(world).refused("set", register("p3", "x")) == ("wait", "resource-constraint")
    assert not world.has_account("p3@localhost")
    world.advance(1_300.0)
    stranger(world).set(register("p3", "x"))


def test_a_flood_of_attempts_is_stopped_as_well(worlds: Worlds) -> None:
    world = world_with(worlds, open=True, per_address_per_hour=1)
    world.add_account(JULIET)
    answers = [stranger(world).refused("set", register("juliet", "x"))[1] for _ in range(10)]
    assert set(answers) == {"conflict", "resource-constraint"}
    assert answers[-1] == "resource-constraint"


def test_an_invitation_works_once(world: World, invitations: Invitations) -> None:
    ticket = world.do(invitations.to_register("localhost"))
    assert ticket.uri == f"xmpp:localhost?register;preauth={ticket.token}"
    client, late = stranger(world), stranger(world)
    assert find(client.features, "ibr-token:register") is not None
    for each in (client, late):
        each.set(preauth(ticket.token), "localhost")
    client.set(register("juliet", "s3cret"))
    assert late.refused("set", register("romeo", "x")) == ("cancel", "not-allowed")
    assert stranger(world).refused("set", preauth(ticket.token)) == ("cancel", "item-not-found")
    client.authenticate("juliet", "s3cret")
    assert not world.has_account("romeo@localhost")


def test_an_invitation_is_not_used_up_by_a_name_that_is_taken(world: World, invitations: Invitations) -> None:
    world.add_account("romeo@localhost")
    ticket = world.do(invitations.to_register("localhost"))
    client = stranger(world)
    client.set(preauth(ticket.token))
    assert client.refused("set", register("romeo", "x")) == ("cancel", "conflict")
    world.crash()
    client = stranger(world)
    client.set(preauth(ticket.token))
    client.set(register("juliet", "x"))


def test_an_invitation_expires_but_not_under_the_guests_hands(worlds: Worlds) -> None:
    world = worlds(Config(limits=Limits(unauthenticated_seconds=0)))
    invitations = world.parts.services[Invitations]
    ticket, for_good = (world.do(invitations.to_register("localhost", days=days)) for days in (1, 0))
    early = stranger(world)
    early.set(preauth(ticket.token))
    world.skip(86_401.0)
    assert stranger(world).refused("set", preauth(ticket.token)) == ("cancel", "item-not-found")
    stranger(world).set(preauth(for_good.token))
    early.set(register("juliet", "x"))
    assert world.has_account(JULIET)


def test_a_name_is_kept_for_who_was_invited(worlds: Worlds) -> None:
    world = world_with(worlds, open=True)
    invitations = world.parts.services[Invitations]
    ticket = world.do(invitations.to_register("localhost", localpart="Juliet"))
    assert ticket.uri.startswith("xmpp:juliet@localhost?register;preauth=")
    assert stranger(world).refused("set", register("juliet", "x")) == ("cancel", "conflict")
    client = stranger(world)
    client.set(preauth(ticket.token))
    assert text(client.get(FORM), "register:query/register:username") == "juliet"
    assert client.refused("set", register("romeo", "x")) == ("modify", "not-acceptable")
    client.set(register("juliet", "s3cret"))


def test_a_guest_and_his_host_are_contacts_at_once(world: World, invitations: Invitations) -> None:
    romeo = world.online("romeo@localhost/orchard")
    roster_of(romeo)
    ticket = world.do(invitations.to_register("localhost", inviter=JID.parse(romeo.bare)))
    client = stranger(world)
    client.set(preauth(ticket.token))
    client.set(register("juliet", "s3cret"))
    client.authenticate("juliet", "s3cret")
    client.bind("balcony")
    assert roster_of(client)[romeo.bare]["subscription"] == "both"
    assert roster_of(romeo)["juliet@localhost"]["subscription"] == "both"
    romeo.sync()
    client.send("<presence/>")
    romeo.expect("presence", from_=client.jid, type=None)
    client.wait_for(lambda stanza: stanza.get("from") == romeo.jid)


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        ({"domain": "elsewhere.example"}, "item-not-found"),
        ({"domain": "localhost", "localpart": "a b"}, "not-acceptable"),
        ({"domain": "localhost", "localpart": "juliet"}, "conflict"),
        ({"domain": "localhost", "localpart": "kept"}, "conflict"),
        ({"domain": "localhost", "inviter": JID.parse("nobody@localhost")}, "item-not-found"),
    ],
)
def test_what_can_be_no_invitation_is_refused(
    world: World, invitations: Invitations, arguments: dict[str, str], condition: str
) -> None:
    world.add_account(JULIET)
    world.do(invitations.to_register("localhost", localpart="kept"))
    with pytest.raises(StanzaError) as caught:
        world.do(invitations.to_register(**arguments))  # type: ignore[arg-type]
    assert caught.value.condition == condition


def test_invitations_are_limited_and_go_with_their_inviter(world: World, invitations: Invitations) -> None:
    world.add_account(JULIET)
    tickets = [world.do(invitations.to_register("localhost", inviter=JULIET)) for _ in range(100)]
    with pytest.raises(StanzaError, match="still unused"):
        world.do(invitations.to_register("localhost", inviter=JULIET))
    world.do(world.parts.services[Users].remove(JULIET))
    assert stranger(world).refused("set", preauth(tickets[0].token)) == ("cancel", "item-not-found")


def test_guessing_tokens_is_stopped(world: World) -> None:
    answers = [stranger(world).refused("set", preauth(f"guess{number}"))[1] for number in range(30)]
    assert answers[0] == "item-not-found"
    assert answers[-1] == "resource-constraint"


def test_invitations_can_be_switched_off(worlds: Worlds) -> None:
    client = stranger(world_with(worlds, invitations=False))
    assert find(client.features, "ibr-token:register") is None
    assert client.refused("set", preauth("x")) == ("cancel", "not-allowed")
