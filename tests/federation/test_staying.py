"""Who is in a room of ours, with a real client and from a real server, stays in it: docs/staying-joined.md."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from slixmpp import JID

from federation.company import LIMIT, Company
from federation.fermata import Fermata
from federation.internet import Internet
from federation.place import SERVERS, Terms
from federation.relay import Relay
from federation.site import Site
from federation.sites import Sites
from interop.peers import PeerError, unpack
from interop.profanity import Profanity
from kit.crash import patient_server
from kit.people import PASSWORD
from kit.server import START

pytestmark = pytest.mark.interop
_AGAIN = 3.0  #: seconds after which somebody says again what nobody seems to have heard


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
def company(sites: Sites, host: Fermata, peers: list[Site], relay: Relay, runner: asyncio.Runner) -> Iterator[Company]:
    company = Company(host, peers)
    try:
        runner.run(company.gather())
        yield company
    finally:
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


async def test_whoever_uses_profanity_stays_likewise(company: Company, peers: list[Site], tmp_path: Path) -> None:
    terminals = [await at_a_terminal(company, peer, tmp_path / peer.domain) for peer in peers]
    try:
        company.forget()
        await company.our_server_falls_and_rises("kill")
        await company.say(5)
        sessions = {nick: jid for nick, jid, _ in await company.occupants()}
        for peer, terminal in zip(peers, terminals, strict=True):
            await terminal.matches("(.|\n)*".join(f"ann: {body}$" for body in company.said))
            await _is_heard(company, terminal, "here I am", JID(f"{company.room}/{_nick(peer)}"))
            assert sessions[_nick(peer)].startswith(f"p1@{peer.domain}/profanity")
        await company.nobody_noticed()
    finally:
        for terminal in terminals:
            await terminal.stop()


async def _is_heard(company: Company, terminal: Profanity, body: str, occupant: JID) -> None:
    """Says it, and again if it is lost: an ejabberd that could not connect makes no other attempt for a while."""
    async with asyncio.timeout(LIMIT):
        while True:
            terminal.type(body)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN):
                    await company.wes.client.message(body, from_=occupant)
                return


def _nick(peer: Site) -> str:
    return f"{peer.software}'s"


async def at_a_terminal(company: Company, peer: Site, home: Path) -> Profanity:
    """Somebody of that server, in the room."""
    terminal = Profanity(unpack("profanity"), home, peer.place.trusted)
    host, port = peer.client_address()
    await terminal.log_in(f"{peer.guest_name()}@{peer.domain}", PASSWORD, port, host=host)
    terminal.type(f"/join {company.room} nick {_nick(peer)}")
    for member in company.everybody:
        await member.client.presence(f"{company.room}/{_nick(peer)}", type="available")
    await terminal.shows("You have joined the room")
    return terminal


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
    # Prosody acknowledges what it gets, and has not. Nobody knows what ejabberd has got.
    await company.become("limbo", [guest for guest in company.guests if guest.site.software == "Prosody"])
    await company.say(5)
    await company.all_have_heard()
    await company.all_are_in()
    await company.all_talk()
    await company.nobody_noticed()


async def test_nothing_is_missed_of_what_a_silent_network_had_swallowed(company: Company, relay: Relay) -> None:
    relay.hold()
    await company.say(5)
    # Nobody knows where these are when the connections break.
    asyncio.get_running_loop().call_later(5, lambda: (relay.cut(), relay.go_on()))
    await company.all_have_heard()
    await company.all_are_in()
    await company.nobody_noticed()


async def peers_fall_and_rise(company: Company, peers: list[Site], how: str) -> None:
    await company.say(5)
    await company.fall(peers, how)
    await company.say(5)
    await asyncio.gather(*(asyncio.to_thread(peer.start) for peer in peers))
    await company.say(5)


async def all_come_back(company: Company) -> None:
    for guest in company.guests:
        guest.connect_again()
    for guest in company.guests:
        await guest.enters(2)
    await company.all_have_heard()
    await company.all_are_in(LIMIT)
    await company.all_talk()


async def test_who_comes_back_at_once_when_his_server_was_killed_has_missed_nothing(
    company: Company, peers: list[Site]
) -> None:
    await peers_fall_and_rise(company, peers, "kill")
    await all_come_back(company)


async def test_who_comes_back_later_when_his_server_had_stopped_is_gone_until_then_and_has_missed_nothing(
    company: Company, peers: list[Site]
) -> None:
    await peers_fall_and_rise(company, peers, "stop")
    await company.are_in([company.ann, company.wes], LIMIT)
    await company.say(2)
    await all_come_back(company)


@pytest.fixture
def calling(
    net: Internet, peers: list[Site], relay: Relay, runner: asyncio.Runner
) -> Iterator[tuple[Company, Fermata]]:
    """With somebody from Prosody, on a server that invites everybody back, if it has to."""
    place = net.place("calling.example")
    net.publish(place)
    host = Fermata(place, Terms(), stay={"restart_invites": "all"})
    host.server.program = [sys.executable, patient_server.__file__]
    host.start()
    company = Company(host, peers[:1])
    try:
        runner.run(company.gather())
        yield company, host
    finally:
        runner.run(company.leave())
        peers[0].part()
        host.kill()
    assert not host.failures(), host.failures()


async def test_whoever_an_announced_stop_has_put_out_is_called_back(calling: tuple[Company, Fermata]) -> None:
    company, host = calling
    (guest,) = company.guests
    await asyncio.to_thread(host.server.command, "stop", "--announce", "New disks", "--for", "2h")
    gone = await guest.client.presence(f"{company.room}/{guest.nick}", type="unavailable")
    assert {110, 332} <= set(gone["muc"]["status_codes"])
    assert not await asyncio.to_thread(host.server.is_running, START)
    await asyncio.to_thread(host.start)
    assert host.server.process is not None
    host.server.process.send_signal(signal.SIGUSR1)
    # It has no event for that: slixmpp holds a room that it was in, and has not left by itself, for one that it is in.
    invited = await guest.client.take(lambda each: bool(each["muc"]["invite"]["reason"]), "invitation")
    assert (invited["from"], invited["to"]) == (company.room, guest.jid)
    await guest.enter()
    guest.client.say(company.room, "here again")
    await guest.client.message("here again", type="groupchat")
    assert {jid for _, jid, _ in await company.occupants()} == {guest.jid}
