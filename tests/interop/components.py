"""A server for components that nobody here wrote, and slixmpp as one."""

import asyncio
from pathlib import Path
from typing import Any

from slixmpp import ComponentXMPP, Message, Presence

from kit.server import Server, free_port

from .waiting import DEADLINE, Inbox

SECRET = "correct horse battery staple"


class ComponentServer(Server):
    """Lets components connect at these domains."""

    def __init__(self, directory: Path, *domains: str) -> None:
        self.component_port = free_port()
        listen = {"listen": [f"tcp:{self.component_port}:interface=127.0.0.1"]}
        tables = {f'components.external."{domain}"': {"secret": SECRET} for domain in domains}
        super().__init__(directory, {"c2s": {"require_tls": True}, "components": listen, **tables})


class SlixmppComponent(ComponentXMPP):
    """Slixmpp as a component. Messages and presence go into `inbox`, from which a test takes them."""

    def __init__(self, domain: str, secret: str = SECRET, **options: Any) -> None:
        super().__init__(domain, secret, **options)
        self.inbox = Inbox()
        for plugin in ("xep_0030", "xep_0045", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self.plugin["xep_0030"].add_identity("gateway", "irc", name="slixmpp")
        self.add_event_handler("message", self._arrived)
        self.add_event_handler("presence", self._arrived)

    def _arrived(self, stanza: Message | Presence) -> None:
        self.inbox.put(stanza)

    async def come(self, port: int, outcome: str = "session_start") -> Any:
        """Connects, until slixmpp has that event; returns what comes with it."""
        came = asyncio.ensure_future(self.wait_until(outcome, DEADLINE))
        self.connect("127.0.0.1", port)
        return await came

    async def leave(self) -> None:
        """Closes the stream."""
        await asyncio.wait_for(self.disconnect(wait=DEADLINE), DEADLINE)
        self.cancel_connection_attempt()

    async def take(self, kind: type, **wanted: str) -> Any:
        """The next message or presence with these values of slixmpp's interfaces."""
        values = {name.rstrip("_"): value for name, value in wanted.items()}

        def fits(stanza: Any) -> bool:
            return isinstance(stanza, kind) and all(str(stanza[name]) == value for name, value in values.items())

        return await self.inbox.take(fits, f"{kind.__name__} with {values}")
