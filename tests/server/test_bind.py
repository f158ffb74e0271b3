"""Resource binding (RFC 6120 §7)."""

from collections.abc import Callable

import pytest

from kit import ns
from kit.people import PASSWORD, People
from kit.server import Server, Settings
from kit.stanzas import error
from kit.wire import Client


def test_the_server_makes_a_resource_that_nobody_can_guess(guests: People) -> None:
    user = guests.name()
    first, second = guests.bound(user), guests.bound(user)
    assert first.jid != second.jid
    assert first.bare == second.bare == f"{user}@localhost"
    assert len(first.resource) >= 8


@pytest.mark.parametrize("resource", ["phone", "Küche ☎", "a/b@c", "'&<>\"", "x" * 1023])
def test_the_resource_that_the_client_asks_for_is_given(guests: People, resource: str) -> None:
    user = guests.name()
    assert guests.bound(user, resource).jid == f"{user}@localhost/{resource}"


@pytest.mark.parametrize("resource", ["x" * 1024, "a\N{DELETE}b", "ü" * 512])
def test_a_resource_that_is_none_is_refused(guests: People, resource: str) -> None:
    client = guests.authenticated()
    asked = f"<bind xmlns='{ns.BIND}'><resource>{resource}</resource></bind>"
    assert client.refused("set", asked) in {("modify", "bad-request"), ("modify", "jid-malformed")}
    client.bind("another")


def test_a_session_has_one_resource(guests: People) -> None:
    client = guests.bound()
    client.refused("set", f"<bind xmlns='{ns.BIND}'><resource>second</resource></bind>")
    client.sync()


def test_a_resource_in_use_is_given_to_nobody_else(guests: People) -> None:
    """Either the older session is ended by `conflict`, or the newer one gets another resource (RFC 6120 §7.7.2.2)."""
    user = guests.name()
    old, new = guests.online(user, "phone"), guests.bound(user, "phone")
    if new.jid == old.jid:
        old.expect_stream_error("conflict")
    else:
        assert new.resource.startswith("phone")
        old.sync()
    new.sync()


def test_a_resource_is_free_again_after_its_session(guests: People) -> None:
    user = guests.name()
    guests.online(user, "phone").close()
    assert guests.bound(user, "phone").resource == "phone"


def test_several_resources_live_side_by_side(guests: People) -> None:
    user = guests.name()
    phone, desk = guests.bound(user, "phone"), guests.bound(user, "desk")
    phone.send(f"<message to='{desk.jid}'><body>to the desk</body></message>")
    desk.expect("message", from_=phone.jid)
    phone.nothing_before()


def test_too_many_sessions_of_an_account_are_refused(launch: Callable[[Settings], Server]) -> None:
    server = launch({"limits": {"sessions_per_account": 2}})
    clients = []
    for _ in range(3):
        client = Client(server.link())
        client.open()
        client.authenticate("guest0", PASSWORD)
        clients.append(client)
    clients[0].bind()
    clients[1].bind()
    refusal = clients[2].iq("set", f"<bind xmlns='{ns.BIND}'/>")
    assert error(refusal) == ("wait", "resource-constraint")
    clients[0].close()
    clients[2].bind()
    for client in clients[1:]:
        client.close()


def test_a_session_of_the_old_kind_is_granted_to_old_clients(guests: People) -> None:
    guests.bound().set(f"<session xmlns='{ns.SESSION}'/>")
