"""Two servers that talk to each other, and domains that hang: their addresses, and a name server that knows them."""

import base64
import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.kit.dns import NameServer

from .credentials import PASSWORD, rooms_of
from .servers import Place, Reach

_PORT: Final = 5269
_HANGING: Final = 50
_STREAM: Final = (
    "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>"
)


class Network:
    """Domains on loopback addresses of their own."""

    def __init__(self, names: NameServer, hosts: Path) -> None:
        self._names, self._hosts = names, hosts
        block = os.getpid() % 25_000
        self._addresses = (f"127.{1 + block // 250}.{1 + block % 250}.{number}" for number in itertools.count(1))
        hosts.touch()

    def reach(self, domain: str) -> Reach:
        """A place for a domain and its rooms, which others find from now on."""
        address = self._register(domain, rooms_of(domain))
        with self._hosts.open("a") as file:
            file.write(f"{address} xmpp.{domain}\n")
        return Reach(address, self._names.address[1], self._hosts)

    def hang(self, domain: str) -> socket.socket:
        """Let connections to that domain be made, and nobody answer on them."""
        return socket.create_server((self._register(domain), _PORT))

    def _register(self, *domains: str) -> str:
        address = next(self._addresses)
        self._names.a(f"xmpp.{domains[0]}", address)
        for domain in domains:
            self._names.srv(domain, _PORT, f"xmpp.{domains[0]}")
        return address


@contextmanager
def network(directory: Path) -> Iterator[Network]:
    """One that is there until the end of the context."""
    with NameServer() as names:
        yield Network(names, directory / "hosts")


@contextmanager
def hanging_domains(network: Network, place: Place, user: str) -> Iterator[None]:
    """Somebody on that server, who may log in without TLS, has written to fifty domains that hang."""
    with ExitStack() as stack:
        domains = [f"hanging{number}.example" for number in range(_HANGING)]
        for domain in domains:
            stack.enter_context(network.hang(domain))
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", place.port), 10))
        stream = _STREAM.format(domain=place.domain)
        password = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
        bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        _ask(connection, stream, "</stream:features>")
        _ask(
            connection,
            f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{password}</auth>",
            "<success",
        )
        _ask(connection, stream, "</stream:features>")
        _ask(connection, bind, "</iq>")
        for domain in domains:
            connection.sendall(f"<message to='somebody@{domain}' type='chat'><body>hello?</body></message>".encode())
        yield


def _ask(connection: socket.socket, xml: str, until: str) -> None:
    connection.sendall(xml.encode())
    received = b""
    while until.encode() not in received:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError(f"the server closed the connection after {xml}: {received!r}")
        received += piece
