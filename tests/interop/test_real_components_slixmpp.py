"""Slixmpp as an external component (XEP-0114), beside slixmpp as a client."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from slixmpp import Message, Presence

from interop.clients import Clients
from interop.components import ComponentServer, SlixmppComponent
from interop.waiting import DEADLINE
from kit.people import PASSWORD

DOMAIN = "slix.localhost"


@pytest.fixture(scope="module")
def component_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ComponentServer, Iterator[str]]]:
    server = ComponentServer(tmp_path_factory.mktemp("components"), DOMAIN)
    names = [f"person{number}@localhost" for number in range(10)]
    server.add_accounts((name, PASSWORD) for name in names)
    server.start()
    yield server, iter(names)
    server.stop()
    assert not server.failures()


@pytest.fixture
def clients(
    component_server: tuple[ComponentServer, Iterator[str]], runner: asyncio.Runner, tmp_path: Path
) -> Iterator[Clients]:
    clients = Clients(*component_server, tmp_path)
    yield clients
    runner.run(clients.leave())


@pytest.fixture
def component(
    component_server: tuple[ComponentServer, Iterator[str]], runner: asyncio.Runner
) -> Iterator[SlixmppComponent]:
    async def make() -> SlixmppComponent:
        component = SlixmppComponent(DOMAIN)
        await component.come(component_server[0].component_port)
        return component

    component = runner.run(make())
    yield component
    runner.run(component.leave())


async def test_it_is_told_and_answers(clients: Clients, component: SlixmppComponent) -> None:
    romeo = await clients.online()
    romeo.send_message(f"juliet@{DOMAIN}", "How art thou?", mtype="chat")
    message = await component.take(Message, body="How art thou?", from_=romeo.boundjid.full)
    message.reply("Well").send()
    await romeo.message("Well", from_=f"juliet@{DOMAIN}")


async def test_it_is_found_and_asked(clients: Clients, component: SlixmppComponent) -> None:
    romeo = await clients.online()
    items = await romeo.plugin["xep_0030"].get_items("localhost", timeout=DEADLINE)
    assert DOMAIN in {str(item[0]) for item in items["disco_items"]["items"]}
    info = await romeo.plugin["xep_0030"].get_info(DOMAIN, timeout=DEADLINE)
    assert {identity[:2] for identity in info["disco_info"]["identities"]} == {("gateway", "irc")}
    await romeo.plugin["xep_0199"].send_ping(DOMAIN, timeout=DEADLINE)


async def test_it_asks_too(clients: Clients, component: SlixmppComponent) -> None:
    romeo = await clients.online()
    info = await component.plugin["xep_0030"].get_info("localhost", ifrom=DOMAIN, timeout=DEADLINE)
    assert {identity[:2] for identity in info["disco_info"]["identities"]} == {("server", "im")}
    version = await component.plugin["xep_0092"].get_version(romeo.boundjid, ifrom=DOMAIN, timeout=DEADLINE)
    assert "lixmpp" in version["software_version"]["name"]


async def test_its_people_are_contacts(clients: Clients, component: SlixmppComponent) -> None:
    romeo = await clients.online()
    juliet = f"juliet@{DOMAIN}"
    romeo.send_presence(pto=juliet, ptype="subscribe")
    await component.take(Presence, type="subscribe", to=juliet)
    component.send_presence(pto=romeo.boundjid.bare, pfrom=juliet, ptype="subscribed")
    component.send_presence(pto=romeo.boundjid.bare, pfrom=f"{juliet}/x", pshow="away")
    await romeo.presence(f"{juliet}/x", type="away")


async def test_its_people_are_in_our_rooms(clients: Clients, component: SlixmppComponent) -> None:
    romeo, room = await clients.online(), "garden@conference.localhost"
    await romeo.open_room(room, "romeo")
    join = component.make_presence(pto=f"{room}/juliet", pfrom=f"juliet@{DOMAIN}/x")
    join.enable("muc_join")
    join.send()
    await romeo.presence(f"{room}/juliet")
    romeo.say(room, "Good morrow")
    await component.take(Message, body="Good morrow", type="groupchat", to=f"juliet@{DOMAIN}/x")


async def test_what_comes_while_it_is_away_waits_for_it(clients: Clients, component: SlixmppComponent) -> None:
    romeo = await clients.online()
    await component.leave()
    romeo.send_message(DOMAIN, "Art thou gone?", mtype="chat")
    await romeo.sync()
    await component.come(clients.server.component_port)
    await component.take(Message, body="Art thou gone?")


async def test_a_wrong_secret_is_refused(clients: Clients) -> None:
    stranger = SlixmppComponent(DOMAIN, "open sesame")
    error = await stranger.come(clients.server.component_port, "stream_error")
    assert error["condition"] == "not-authorized"
    await stranger.leave()
