"""A client with stream management, from one connection, and one process, to the next (XEP-0198 §5)."""

from .stanzas import Element
from .wire import Client
from .world import World


class Managed:
    """Its session can be resumed; `content` is what its first presence contains."""

    def __init__(self, world: World, address: str, content: str = "") -> None:
        self.world = world
        self.client: Client = world.login(address)
        self.id = self.client.enable().get("id", "")
        self.client.available(content)
        self.client.ack()

    def again(self, h: int | None = None) -> Element:
        """Resumes on a new connection, and returns the answer."""
        before, self.client = self.client, self.world.authenticated(self.client.jid.partition("/")[0])
        self.client.jid = before.jid
        return self.client.resume(self.id, before.handled if h is None else h)
