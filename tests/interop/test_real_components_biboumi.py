"""Biboumi, a gateway to IRC that nobody here wrote, as an external component (XEP-0114)."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.clients import Clients
from interop.components import SECRET, ComponentServer
from interop.irc_server import IRCServer
from interop.peers import Peer, PeerError, unpack
from interop.slixmpp_client import SlixmppClient
from interop.waiting import DEADLINE
from kit.people import PASSWORD

pytestmark = pytest.mark.interop

DOMAIN = "irc.localhost"


class Biboumi:
    """One running gateway."""

    def __init__(self, peer: Peer, directory: Path, port: int) -> None:
        settings = {
            "hostname": DOMAIN,
            "password": SECRET,
            "xmpp_server_ip": "127.0.0.1",
            "port": port,
            "db_name": directory / "biboumi.sqlite",
            "identd_port": 0,
            "log_level": 2,
            "policy_directory": directory,
        }
        file = directory / "biboumi.cfg"
        file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        self.log = directory / "biboumi.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                peer.command("biboumi", str(file)),
                env=peer.environment(directory),
                cwd=directory,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(DEADLINE)


@pytest.fixture(scope="module")
def peer() -> Peer:
    try:
        return unpack("biboumi")
    except PeerError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def component_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ComponentServer, Iterator[str]]]:
    server = ComponentServer(tmp_path_factory.mktemp("server"), DOMAIN)
    names = [f"person{number}@localhost" for number in range(10)]
    server.add_accounts((name, PASSWORD) for name in names)
    server.start()
    yield server, iter(names)
    server.stop()
    assert not server.failures()


@pytest.fixture(scope="module")
def biboumi(
    peer: Peer, component_server: tuple[ComponentServer, Iterator[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Biboumi]:
    biboumi = Biboumi(peer, tmp_path_factory.mktemp("biboumi"), component_server[0].component_port)
    yield biboumi
    biboumi.stop()


@pytest.fixture
def clients(
    component_server: tuple[ComponentServer, Iterator[str]],
    biboumi: Biboumi,
    runner: asyncio.Runner,
    tmp_path: Path,
) -> Iterator[Clients]:
    clients = Clients(*component_server, tmp_path)
    yield clients
    runner.run(clients.leave())


async def test_it_is_found_and_asked(clients: Clients) -> None:
    # It may still be starting: then this waits for it.
    romeo = await clients.online()
    info = await romeo.plugin["xep_0030"].get_info(DOMAIN, timeout=DEADLINE)
    assert ("conference", "irc") in {identity[:2] for identity in info["disco_info"]["identities"]}
    items = await romeo.plugin["xep_0030"].get_items("localhost", timeout=DEADLINE)
    assert DOMAIN in {str(item[0]) for item in items["disco_items"]["items"]}
    version = await romeo.plugin["xep_0092"].get_version(DOMAIN, timeout=DEADLINE)
    assert version["software_version"]["name"] == "biboumi"
    await romeo.plugin["xep_0199"].send_ping(DOMAIN, timeout=DEADLINE)


async def use_port(romeo: SlixmppClient, port: int) -> None:
    """Tells the gateway where its IRC server is, by the form of an ad-hoc command (XEP-0050)."""
    romeo.register_plugin("xep_0050")
    server = "127.0.0.1@" + DOMAIN
    command = await romeo.plugin["xep_0050"].send_command(server, "configure", timeout=DEADLINE)
    form = command["command"]["form"]
    form["type"] = "submit"
    form["values"] = {"ports": [str(port)], "tls_ports": [], "throttle_limit": "-1"}
    session = command["command"]["sessionid"]
    done = await romeo.plugin["xep_0050"].send_command(
        server, "configure", action="complete", payload=form, sessionid=session, timeout=DEADLINE
    )
    assert done["command"]["status"] == "completed"


async def test_people_here_and_there_meet_in_a_channel(clients: Clients) -> None:
    irc = IRCServer()
    await irc.start()
    romeo, juliet = await clients.online(), await clients.online()
    for client in (romeo, juliet):
        await use_port(client, irc.port)
    channel = f"#garden%127.0.0.1@{DOMAIN}"
    await romeo.join(channel, "romeo")
    await juliet.join(channel, "juliet")
    juliet.say(channel, "Good morrow")
    await romeo.message("Good morrow", from_=f"{channel}/juliet", type="groupchat")
    irc.say("#garden", "friar", "Benedicite")
    await romeo.message("Benedicite", from_=f"{channel}/friar", type="groupchat")
    await juliet.message("Benedicite", from_=f"{channel}/friar", type="groupchat")
    await irc.stop()
