"""Who is in a room of ours, with a real client and from a real server, stays in it: docs/staying-joined.md."""

import asyncio
from collections.abc import Iterator

import pytest

from federation.company import Company
from federation.fermata import Fermata
from federation.place import SERVERS
from federation.relay import Relay
from federation.site import Site
from federation.sites import Sites
from interop.peers import PeerError

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def peers(sites: Sites) -> list[Site]:
    try:
        return [sites.site(name) for name in ("prosody-relayed", "ejabberd-relayed")]
    except PeerError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def host(sites: Sites) -> Fermata:
    host = sites.site("fermata-relayed")
    assert isinstance(host, Fermata)
    return host


@pytest.fixture(scope="module")
def relay(sites: Sites, host: Fermata, peers: list[Site]) -> Iterator[Relay]:
    """Between ours and the others."""
    with Relay({sites.relay_address(site): site.place.address for site in (host, *peers)}, SERVERS) as relay:
        yield relay


@pytest.fixture
def company(
    sites: Sites, host: Fermata, peers: list[Site], relay: Relay, runner: asyncio.Runner
) -> Iterator[Company]:
    company = Company(host, peers)
    runner.run(company.gather())
    yield company
    runner.run(company.leave())
    sites.part()


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_nobody_notices_that_our_server_was_away(company: Company, how: str) -> None:
    await company.say(5)
    await company.our_server_falls_and_rises(how)
    await company.say(5)
    await company.all_have_heard()
    await company.all_are_in()
    await company.all_talk()
    await company.nobody_noticed()


async def test_nobody_notices_that_the_others_could_not_be_reached(company: Company, relay: Relay) -> None:
    relay.turn_away()
    asyncio.get_running_loop().call_later(10, relay.let_in)
    await company.say(5)
    await company.become("limbo", company.guests)
    await company.all_have_heard()
    await company.all_are_in()
    await company.all_talk()
    await company.nobody_noticed()


async def test_nobody_notices_that_the_network_was_silent_for_a_minute(company: Company, relay: Relay) -> None:
    relay.hold()
    asyncio.get_running_loop().call_later(60, relay.go_on)
    await company.say(5)
    await company.become("limbo", company.guests)
    await company.say(5)
    await company.all_have_heard()
    await company.all_are_in()
    await company.all_talk()
    await company.nobody_noticed()


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_who_comes_back_after_his_server_was_away_has_missed_nothing(
    company: Company, peers: list[Site], how: str
) -> None:
    await company.say(5)
    await company.fall(peers, how)
    await company.say(5)
    await asyncio.gather(*(asyncio.to_thread(peer.start) for peer in peers))
    await company.say(5)
    for guest in company.guests:
        guest.connect_again()
    for guest in company.guests:
        await guest.enters(2)
    await company.all_have_heard()
    await company.all_are_in()
    await company.all_talk()
