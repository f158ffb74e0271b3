"""A client that others wrote makes its own account, and administers the server."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from slixmpp.exceptions import IqError

from interop.slixmpp_client import SlixmppClient
from kit import ns
from kit.people import PASSWORD
from kit.server import Server, Settings
from kit.stanzas import form_values

ADMIN, ROMEO = "guest0@localhost", "romeo@localhost"
SETTINGS: Settings = {"server": {"admins": [ADMIN]}, "registration": {"open": True}}


def client(server: Server, jid: str, password: str = PASSWORD) -> SlixmppClient:
    made = SlixmppClient(jid, password, server.directory / "var" / "tls" / "cert.pem")
    for plugin in ("xep_0004", "xep_0050", "xep_0077"):
        made.register_plugin(plugin)
    return made


async def command(admin: SlixmppClient, name: str, **answers: str) -> Any:
    """Executes a command of XEP-0133, answering its form if it asks; the last `<command/>`."""
    commands, node = admin.plugin["xep_0050"], f"{ns.ADMIN}#{name}"
    answer = await commands.send_command("localhost", node, action="execute", timeout=20)
    if answer["command"]["status"] == "executing":
        form = answer["command"]["form"]
        form["type"] = "submit"
        form["values"] = {**form["values"], **answers}
        session = answer["command"]["sessionid"]
        answer = await commands.send_command(
            "localhost", node, action="complete", sessionid=session, payload=form, timeout=20
        )
    assert answer["command"]["status"] == "completed"
    return answer["command"]


async def register(romeo: SlixmppClient, port: int) -> None:
    """Logs in to an account that is made on the way."""

    async def fill_in(form: Any) -> None:
        assert {"username", "password"} <= set(form["register"]["fields"])
        answer = romeo.Iq()
        answer["type"] = "set"
        answer["register"]["username"] = romeo.boundjid.user
        answer["register"]["password"] = romeo.password
        await answer.send(timeout=20)

    romeo.add_event_handler("register", fill_in)
    await romeo.log_in(port)


async def story(server: Server) -> None:
    admin, romeo = client(server, ADMIN), client(server, ROMEO, "s3cret")
    await admin.log_in(server.port)
    await register(romeo, server.port)
    listed = await command(admin, "get-registered-users-list")
    assert ROMEO in form_values(listed.xml)["registereduserjids"]
    await command(admin, "announce", announcement="Fire!")
    assert (await romeo.message("Fire!"))["from"] == "localhost"
    with pytest.raises(IqError) as refused:
        await command(romeo, "announce", announcement="No fire")
    assert refused.value.condition == "forbidden"
    await romeo.plugin["xep_0077"].change_password("n3w", timeout=20)
    out = asyncio.ensure_future(romeo.wait_until("disconnected", 20))
    await command(admin, "disable-user", accountjids=ROMEO)
    await out
    romeo.cancel_connection_attempt()
    await command(admin, "reenable-user", accountjids=ROMEO)
    again = client(server, ROMEO, "n3w")
    await again.log_in(server.port)
    gone = asyncio.ensure_future(again.wait_until("disconnected", 20))
    await again.plugin["xep_0077"].cancel_registration(timeout=20)
    await gone
    again.cancel_connection_attempt()
    listed = await command(admin, "get-registered-users-list")
    assert ROMEO not in form_values(listed.xml)["registereduserjids"]
    await admin.leave()


def test_slixmpp_registers_and_administers(launch: Callable[[Settings], Server]) -> None:
    server = launch(SETTINGS)
    with asyncio.Runner() as runner:
        runner.run(story(server))
