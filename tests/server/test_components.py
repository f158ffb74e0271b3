"""External components on the wire of a real server: ports, sockets, processes (XEP-0114)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.component import Component
from kit.links import SocketLink, UnixLink
from kit.people import PASSWORD, People
from kit.server import Server, free_port
from kit.wire import Client

SECRET = "correct horse battery staple"


class ComponentServer(Server):
    """Listens for components, over TCP and in the file system."""

    def __init__(self, directory: Path) -> None:
        self.component_port = free_port()
        self.path = directory / "c.sock"
        listen = [f"tcp:{self.component_port}:interface=127.0.0.1", f"unix:{self.path}"]
        external = {"secret": SECRET}
        super().__init__(directory, {"components": {"listen": listen}, 'components.external."irc.localhost"': external})

    def stranger(self, link: SocketLink | None = None) -> Component:
        """A connection on which nothing was said."""
        link = link or SocketLink(("127.0.0.1", self.component_port))
        self._links.append(link)
        return Component(link, "irc.localhost")

    def component(self, link: SocketLink | None = None) -> Component:
        """A component that is connected."""
        return self.stranger(link).connect(SECRET)


@pytest.fixture(scope="module")
def component_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComponentServer]:
    server = ComponentServer(tmp_path_factory.mktemp("c"))
    server.add_accounts([("romeo@localhost", PASSWORD)])
    server.start()
    yield server
    if server.is_running():
        server.stop()
    assert not server.failures()


@pytest.fixture
def romeo(component_server: ComponentServer) -> Iterator[Client]:
    people = People(component_server, iter(["romeo"]))
    yield people.online()
    people.go()
    component_server.cut_all()


def say(client: Client, *ids: str, body: str = "hi") -> None:
    for id in ids:
        client.send(f"<message to='x@irc.localhost' id='{id}' type='chat'><body>{body}</body></message>")


def test_a_component_connects_over_tcp(component_server: ComponentServer, romeo: Client) -> None:
    irc = component_server.component()
    say(romeo, "m1")
    irc.expect("message", id="m1", from_=romeo.jid)
    irc.send(f"<message from='x@irc.localhost' to='{romeo.jid}' id='m2'/>")
    romeo.expect("message", id="m2")
    irc.close()


def test_a_component_connects_through_a_file(component_server: ComponentServer, romeo: Client) -> None:
    irc = component_server.component(UnixLink(component_server.path))
    say(romeo, "m1")
    irc.expect("message", id="m1", from_=romeo.jid)
    irc.close()


def test_one_that_dies_in_the_middle_of_a_stanza_is_replaced(component_server: ComponentServer, romeo: Client) -> None:
    link = SocketLink(("127.0.0.1", component_server.component_port))
    irc = component_server.component(link)
    irc.send(f"<message to='{romeo.jid}' id='m1'/><message to='{romeo.jid}' id='m2'><body>h")
    romeo.expect("message", id="m1")
    link.reset()
    again = component_server.component()
    say(romeo, "m3")
    again.expect("message", id="m3")
    assert romeo.sync() == []
    again.close()


def test_one_that_never_reads_costs_only_itself(component_server: ComponentServer, romeo: Client) -> None:
    irc = component_server.component()
    ids, refused = list[str](), list[str | None]()
    while len(refused) < 2:  # one by one: from the first on that is refused, it has a few seconds to read the rest
        ids.append(f"m{len(ids)}")
        say(romeo, ids[-1], body="x" * 200_000)
        refused += [stanza.get("id") for stanza in romeo.sync() if stanza.get("type") == "error"]
        assert len(ids) < 500, "it takes whatever it is sent"
    assert refused == ids[-2:]
    got = []
    while (stanza := irc.next()).tag == "message":
        got.append(stanza.get("id"))
    again = component_server.component()
    got += [stanza.get("id") for stanza in again.synchronise() if stanza.tag == "message"]
    assert got + refused == ids
    again.close()


def test_the_one_that_connected_last_counts(component_server: ComponentServer, romeo: Client) -> None:
    older, newer = component_server.component(), component_server.component()
    older.expect_stream_error("conflict")
    say(romeo, "m1")
    newer.expect("message", id="m1")
    newer.close()


def test_a_wrong_secret_is_in_the_log_but_no_secret_is(component_server: ComponentServer, romeo: Client) -> None:
    stranger = component_server.stranger()
    stranger.begin()
    stranger.shake_hands("open sesame")
    stranger.expect_stream_error("not-authorized")
    log = "".join(component_server.log)
    assert "The component irc.localhost is sent away: not-authorized" in log
    assert SECRET not in log


def test_a_stopping_server_says_so_and_is_found_again(component_server: ComponentServer, romeo: Client) -> None:
    irc = component_server.component()
    component_server.stop()
    irc.expect_stream_error("system-shutdown")
    component_server.start()
    component_server.component().synchronise()
