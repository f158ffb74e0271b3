"""A message that waits for a client without stream management stays on the disk until it has been sent."""

from collections.abc import Callable

from fermata.storage.crash_points import VARIABLE
from kit import ns
from kit.people import PASSWORD
from kit.server import Server, Settings
from kit.wire import Client, StreamClosed

TEXT = "wait for me"
ROOM = "room@conference.localhost"


def log_in(server: Server, name: str) -> Client:
    client = Client(server.link())
    client.open()
    client.authenticate(name, PASSWORD)
    client.bind()
    return client


def come_online(server: Server) -> list[str]:
    """The bodies that come to an account until the server answers a ping or dies."""
    client = log_in(server, "guest1")
    bodies = []
    try:
        # The room is looked for in the database, and for that what is open is committed: before anything is sent.
        client.send(f"<presence/><presence to='{ROOM}/me'><x xmlns='{ns.MUC}'/></presence>")
        client.send(f"<iq type='get' id='ping' to='localhost'><ping xmlns='{ns.PING}'/></iq>")
        while (element := client.next()).get("id") != "ping":
            bodies += [body.text or "" for body in element.findall("body")]
    except (StreamClosed, OSError):
        pass
    client.cut()
    return bodies


def test_it_is_not_forgotten_before_it_is_sent(launch: Callable[[Settings], Server]) -> None:
    server = launch({})
    sender = log_in(server, "guest0")
    sender.enable()
    sender.send(f"<message to='guest1@localhost' type='chat'><body>{TEXT}</body></message>")
    assert sender.request_ack() == 1
    server.kill()
    sender.cut()
    server.launch(**{VARIABLE: "after-commit:1"})
    server.wait_until_it_listens()
    seen = come_online(server)
    assert not server.is_running(10.0), "nothing was committed"
    server.start()
    assert TEXT in seen + come_online(server)
