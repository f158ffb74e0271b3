"""A real server with people of its own and, at a component, people far away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .component import Component
from .links import SocketLink
from .people import PASSWORD
from .server import Server, free_port
from .wire import Client

FAR = "far.localhost"
_SECRET = "correct horse battery staple"


class Place(Server):
    """One with these accounts, and what is given of the table `stay`."""

    def __init__(self, directory: Path, *accounts: str, **stay: object) -> None:
        self.component_port = free_port()
        listen = {"listen": [f"tcp:{self.component_port}:interface=127.0.0.1"]}
        external = {"secret": _SECRET}
        super().__init__(directory, {"components": listen, f'components.external."{FAR}"': external, "stay": stay})
        self.add_accounts([(account, PASSWORD) for account in accounts])

    def far(self) -> Component:
        """The server of those who are far away."""
        link = SocketLink(("127.0.0.1", self.component_port))
        self._links.append(link)
        return Component(link, FAR).connect(_SECRET)

    def online(self, jid: str) -> Client:
        """A session with that full JID, without stream management."""
        name, _, resource = jid.partition("/")
        client = Client(self.link(), "localhost")
        client.open()
        client.authenticate(name.partition("@")[0], PASSWORD)
        client.bind(resource)
        client.available()
        return client

    @contextmanager
    def in_service(self) -> Iterator[None]:
        """It is started before and stopped after that; nothing may have gone wrong in it."""
        self.start()
        yield
        self.cut_all()
        if self.is_running():
            self.stop()
        assert not self.failures(), self.failures()
