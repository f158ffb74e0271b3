"""Slixmpp, unmodified, is told that the rooms go, and called back when they are there (XEP-0045 §11.2, §7.8.2)."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from slixmpp.stanza import Message

from interop.clients import Clients
from interop.waiting import DEADLINE
from kit.crash import patient_server
from kit.people import PASSWORD
from kit.server import START, Server

ROMEO = "romeo@localhost/orchard"


@pytest.fixture
def clients(tmp_path: Path, runner: asyncio.Runner) -> Iterator[Clients]:
    """Of a server that keeps nobody in a room over its end, and then calls everybody back."""
    stay = {"journal": False, "restart_invites": "all"}
    server = Server(tmp_path, {"c2s": {"require_tls": True}, "stay": stay})
    server.program = [sys.executable, patient_server.__file__]
    server.add_accounts([("romeo@localhost", PASSWORD)])
    server.start()
    clients = Clients(server, iter(()), tmp_path)
    yield clients
    runner.run(clients.leave())
    server.stop()
    assert not server.failures(), server.failures()


async def called_back(clients: Clients, room: str) -> None:
    """The server starts again; Romeo logs in, is invited as slixmpp understands it, and enters."""
    clients.server.start()
    romeo = await clients.online(ROMEO)
    invited: asyncio.Future[Message] = romeo.loop.create_future()
    romeo.add_event_handler("groupchat_invite", invited.set_result)
    assert clients.server.process is not None
    clients.server.process.send_signal(signal.SIGUSR1)
    invitation = await asyncio.wait_for(invited, DEADLINE)
    assert (invitation["from"], invitation["to"]) == (room, ROMEO)
    assert invitation["muc"]["invite"]["reason"]
    await romeo.join(room, "Romeo")
    romeo.say(room, "I am here again")
    await romeo.message("I am here again")


async def test_a_client_comes_back_after_an_announced_stop(clients: Clients, room: str) -> None:
    romeo = await clients.online(ROMEO)
    await romeo.open_room(room, "Romeo")
    clients.server.command("stop", "--announce", "New disks", "--for", "2h")
    gone = await romeo.presence(f"{room}/Romeo", type="unavailable")
    assert {110, 332} <= set(gone["muc"]["status_codes"])
    assert not clients.server.is_running(START)
    romeo.cancel_connection_attempt()
    await called_back(clients, room)


async def test_a_client_comes_back_after_a_crash(clients: Clients, room: str) -> None:
    romeo = await clients.online(ROMEO)
    await romeo.open_room(room, "Romeo")
    clients.server.kill()
    romeo.cancel_connection_attempt()
    await called_back(clients, room)
