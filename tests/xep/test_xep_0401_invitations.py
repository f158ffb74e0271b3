"""XEP-0401: Ad-hoc Account Invitation Generation, and XEP-0379: Pre-Authenticated Roster Subscription."""

import pytest

from fermata.app.config_registration import Registration
from fermata.app.config_tables import Config, Server
from fermata.xmpp.jid import JID
from fermata.xmpp.stamps import stamp_of
from kit import ns
from kit.commands import Execution, command, run
from kit.people import roster_of
from kit.registration import preauth, register, stranger
from kit.stanzas import form_values
from kit.wire import Client
from kit.world import World

INVITE, CREATE = ns.INVITE + "#invite", ns.INVITE + "#create-account"


@pytest.fixture
def world(worlds) -> World:
    return worlds(Config(server=Server(admins=(JID.parse("escalus@localhost"),))))


@pytest.fixture
def juliet(world: World) -> Client:
    juliet = world.online("juliet@localhost/balcony")
    roster_of(juliet)
    return juliet


def invited(execution: Execution) -> tuple[str, str]:
    """The URI and the token in it."""
    values = form_values(execution.answer)
    assert values["FORM_TYPE"] == [ns.INVITE + "#invitation"]
    (uri,) = values["uri"]
    return uri, uri.partition("preauth=")[2].partition(";")[0]


def ask(client: Client, to: str, token: str) -> None:
    client.send(f"<presence type='subscribe' to='{to}'>{preauth(token)}</presence>")


def test_who_was_invited_becomes_a_contact_without_a_question(world: World, juliet: Client) -> None:
    uri, token = invited(run(juliet, INVITE))
    assert uri == f"xmpp:juliet@localhost?roster;preauth={token}"
    romeo = world.online("romeo@localhost/orchard")
    ask(romeo, juliet.bare, token)
    pushes = [stanza for stanza in juliet.sync() if stanza.tag == "iq"]
    assert pushes[-1][0][0].get("subscription") in ("both", "from")
    romeo.send(f"<presence type='subscribed' to='{juliet.bare}'/>")
    romeo.sync()
    assert roster_of(juliet)[romeo.bare]["subscription"] == "both"
    assert roster_of(romeo)[juliet.bare]["subscription"] == "both"


def test_a_token_makes_one_contact_only(world: World, juliet: Client) -> None:
    _, token = invited(run(juliet, INVITE))
    romeo, paris = world.online("romeo@localhost/orchard"), world.online("paris@localhost/church")
    ask(romeo, juliet.bare, token)
    romeo.sync()
    juliet.sync()
    ask(paris, juliet.bare, token)
    paris.sync()
    assert [stanza.get("type") for stanza in juliet.sync()] == ["subscribe"]


@pytest.mark.parametrize("when", ["expired", "of another", "guessed", "empty"])
def test_a_token_that_is_no_good_makes_an_ordinary_request(world: World, juliet: Client, when: str) -> None:
    _, token = invited(run(juliet, INVITE))
    if when == "expired":
        world.skip(8 * 86_400.0)
    elif when == "of another":
        _, token = invited(run(world.online("tybalt@localhost/x"), INVITE))
    else:
        token = {"guessed": "abc", "empty": ""}[when]
    romeo = world.online("romeo@localhost/orchard")
    ask(romeo, juliet.bare, token)
    romeo.sync()
    request = juliet.wait_for(lambda stanza: stanza.tag == "presence")
    assert (request.get("type"), request.get("from")) == ("subscribe", romeo.bare)


def test_an_administrator_invites_somebody_by_name(world: World) -> None:
    admin = world.online("escalus@localhost/palace")
    roster_of(admin)
    execution = Execution(admin, CREATE)
    assert execution.refused(username="escalus") == ("cancel", "conflict")
    assert execution.refused(username="a b") == ("modify", "not-acceptable")
    execution.go("complete", username="romeo", roster_subscription="true")
    uri, token = invited(execution)
    assert uri == f"xmpp:romeo@localhost?register;preauth={token}"
    expires = stamp_of(form_values(execution.answer)["expire"][0])
    assert expires - world.clock.seconds() == pytest.approx(7 * 86_400.0, abs=1.0)
    guest = stranger(world)
    guest.set(preauth(token))
    guest.set(register("romeo", "x"))
    assert roster_of(admin)["romeo@localhost"]["subscription"] == "both"


def test_who_may_let_others_in_is_configured(worlds, world: World, juliet: Client) -> None:
    assert juliet.refused("set", command(CREATE), "localhost") == ("auth", "forbidden")
    uri, token = invited(run(juliet, INVITE))
    guest = stranger(world)
    assert guest.refused("set", preauth(token)) == ("cancel", "item-not-found")
    open_world = worlds(Config(registration=Registration(users_may_invite=True)))
    romeo = open_world.online("romeo@localhost/orchard")
    uri, token = invited(run(romeo, INVITE))
    assert uri.endswith(";ibr=y")
    guest = stranger(open_world)
    guest.set(preauth(token))
    guest.set(register("juliet", "x"))
    assert roster_of(romeo)["juliet@localhost"]["subscription"] == "both"
    run(romeo, CREATE, username="paris")


def test_without_invitations_nobody_is_let_in(worlds) -> None:
    registration = Registration(invitations=False)
    admins = (JID.parse("escalus@localhost"),)
    world = worlds(Config(server=Server(admins=admins), registration=registration))
    admin = world.online("escalus@localhost/palace")
    assert admin.refused("set", command(CREATE), "localhost") == ("cancel", "item-not-found")
    assert not invited(run(admin, INVITE))[0].endswith("ibr=y")
