"""Slixmpp logs in over TLS, in every way that it knows."""

import asyncio
import ssl

import pytest

from interop.clients import Clients
from interop.slixmpp_client import LoginError
from interop.waiting import DEADLINE


@pytest.mark.parametrize("direct_tls", [False, True], ids=["STARTTLS", "direct TLS"])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"])
async def test_slixmpp_logs_in(clients: Clients, mechanism: str, direct_tls: bool) -> None:
    server, client = clients.server, clients.slixmpp(mechanism=mechanism)
    await client.log_in(server.direct_tls_port if direct_tls else server.port, direct_tls=direct_tls)
    assert client.plugin["feature_mechanisms"].mech.name == mechanism
    assert client.transport.get_extra_info("cipher")
    await client.sync()


async def test_left_to_itself_slixmpp_never_sends_the_password(clients: Clients) -> None:
    client = await clients.online()
    assert client.plugin["feature_mechanisms"].mech.name.startswith("SCRAM-SHA-256")


async def test_a_wrong_password_is_refused(clients: Clients) -> None:
    client = clients.slixmpp(password="wrong")
    with pytest.raises(LoginError, match="failed_all_auth"):
        await client.log_in(clients.server.port)


async def test_a_client_that_knows_another_channel_binding_than_we_gets_in_without(clients: Clients) -> None:
    client = clients.slixmpp()
    client.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2  # for which slixmpp has tls-unique, and nobody else
    await client.log_in(clients.server.port)
    assert client.socket.version() == "TLSv1.2"
    assert client.plugin["feature_mechanisms"].mech.name == "SCRAM-SHA-256"


async def test_many_resources_of_one_account_are_in_at_once(clients: Clients) -> None:
    first = await clients.online()
    second = await clients.online(first.boundjid.bare)
    await first.presence(second.boundjid.full, type="available")
    await second.presence(first.boundjid.full, type="available")
    await second.leave()
    await first.presence(second.boundjid.full, type="unavailable")


async def test_a_resource_that_is_taken_changes_hands(clients: Clients) -> None:
    account = clients.account()
    first = await clients.online(f"{account}/orchard")
    replaced = asyncio.ensure_future(first.wait_until("stream_error", DEADLINE))
    second = await clients.online(f"{account}/orchard")
    assert second.boundjid.full == f"{account}/orchard"
    assert (await replaced)["condition"] == "conflict"
