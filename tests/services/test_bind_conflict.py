"""Two clients that want the same resource (RFC 6120 §7.7.2.2): the newer one gets it."""

from collections.abc import Callable

from fermata.app.config_tables import Config, Limits
from kit.wire import Client
from kit.world import World


def test_the_older_client_is_told_why_its_stream_ends(world: World) -> None:
    older = world.online("juliet@localhost/balcony")
    newer = world.login("juliet@localhost/balcony")
    assert newer.jid == older.jid
    older.expect_stream_error("conflict")
    newer.nothing_before()


def test_contacts_see_the_end_of_the_older_session_before_the_beginning_of_the_newer(world: World) -> None:
    romeo, older = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    world.befriend(romeo, older)
    newer = world.login("juliet@localhost/balcony")
    romeo.expect("presence", type="unavailable", from_=newer.jid)
    newer.available("<status>back</status>")
    romeo.expect("presence", "status", type=None, from_=newer.jid)
    romeo.nothing_before()


def test_what_is_for_the_resource_goes_to_the_newer_client(world: World) -> None:
    romeo = world.online("romeo@localhost/orchard")
    world.online("juliet@localhost/balcony")
    newer = world.login("juliet@localhost/balcony")
    romeo.send(f"<message to='{newer.jid}' type='chat'><body>hi</body></message>")
    newer.expect("message", "body")


def test_what_the_older_client_never_acknowledged_comes_to_the_newer_one(world: World) -> None:
    romeo, older = world.online("romeo@localhost/orchard"), world.login("juliet@localhost/balcony")
    older.enable()
    older.available()
    romeo.send(f"<message to='{older.bare}' type='chat'><body>hi</body></message>")
    romeo.sync()
    newer = world.login("juliet@localhost/balcony")
    newer.send("<presence/>")
    message = newer.wait_for(lambda stanza: stanza.tag == "message")
    assert message.findtext("body") == "hi"


def test_a_session_that_waits_for_its_client_makes_way_too(world: World) -> None:
    older = world.login("juliet@localhost/balcony")
    id = older.enable().get("id", "")
    older.cut()
    world.login("juliet@localhost/balcony")
    late = world.authenticated("juliet@localhost")
    assert late.resume(id, 0).tag.endswith("}failed")


def test_an_account_has_so_many_sessions_and_may_replace_one_of_them(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(limits=Limits(sessions_per_account=2)))
    first, _ = (world.login(f"juliet@localhost/{number}") for number in (1, 2))
    third = world.authenticated("juliet@localhost")
    bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{}</resource></bind>"
    assert third.refused("set", bind.format(3)) == ("wait", "resource-constraint")
    third.set(bind.format(1))
    first.expect_stream_error("conflict")


def test_a_session_without_a_connection_makes_way_for_one_too_many(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(limits=Limits(sessions_per_account=2)))
    world.login("juliet@localhost/1").cut()
    second = world.login("juliet@localhost/2")
    world.login("juliet@localhost/3").nothing_before()
    second.nothing_before()


def test_each_client_that_names_no_resource_gets_one_of_its_own(world: World) -> None:
    clients: list[Client] = [world.login("juliet@localhost") for _ in range(3)]
    assert len({client.jid for client in clients}) == 3
