"""Slixmpp as a client that shows a test what it gets."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from slixmpp import ClientXMPP, Message, Presence
from slixmpp.xmlstream import StanzaBase

from .waiting import DEADLINE, Inbox

# All that is built here and that ordinary clients use, registered at once as they do.
PLUGINS = (
    *("xep_0030", "xep_0045", "xep_0054", "xep_0085", "xep_0092", "xep_0115", "xep_0128", "xep_0153", "xep_0184"),
    *("xep_0191", "xep_0198", "xep_0199", "xep_0202", "xep_0203", "xep_0249", "xep_0308", "xep_0359", "xep_0410"),
    *("xep_0421",),
)
_FAILURES = ("failed_all_auth", "ssl_invalid_chain", "connection_failed", "sm_failed")


class LoginError(Exception):
    """The client could not log in; the text is slixmpp's word for it."""


class SlixmppClient(ClientXMPP):
    """One account's client. Messages and presence go into `inbox`, from which a test takes them.

    It trusts nobody but `certificate`, and speaks to nobody without TLS.
    """

    def __init__(
        self, jid: str, password: str, certificate: Path, *, mechanism: str | None = None, without: Sequence[str] = ()
    ) -> None:
        super().__init__(jid, password, sasl_mech=mechanism)
        self.ca_certs = certificate
        self.inbox = Inbox()
        for plugin in PLUGINS:
            if plugin not in without:
                self.register_plugin(plugin)
        self.add_filter("in", self._arrived)

    def _arrived(self, stanza: StanzaBase) -> StanzaBase:
        if isinstance(stanza, Message | Presence):
            self.inbox.put(stanza)
        return stanza

    # -- coming and going

    async def log_in(self, port: int, *, host: str = "127.0.0.1", direct_tls: bool = False) -> None:
        """Connects, authenticates, and sends presence. Raises LoginError."""
        await self.come(port, "session_start", host=host, direct_tls=direct_tls)
        self.send_presence()
        await self.get_roster(timeout=DEADLINE)
        await self.presence(self.boundjid.full)

    async def come(self, port: int, welcome: str, *, host: str = "127.0.0.1", direct_tls: bool = False) -> None:
        """Connects, until slixmpp has the event `welcome`. Raises LoginError."""
        self.enable_direct_tls, self.enable_starttls = direct_tls, not direct_tls
        outcome: asyncio.Future[str] = self.loop.create_future()

        def told(event: str) -> Callable[[object], None]:
            return lambda _: None if outcome.done() else outcome.set_result(event)

        with ExitStack() as stack:
            for event in (welcome, *_FAILURES):
                stack.enter_context(self.event_handler(event, told(event)))
            self.connect(host, port)
            happened = await asyncio.wait_for(outcome, DEADLINE)
        if happened != welcome:
            raise LoginError(happened)

    async def leave(self) -> None:
        """Closes the stream, and waits until the server has closed its own."""
        if self.transport is not None:
            gone = asyncio.ensure_future(self.wait_until("disconnected", DEADLINE))
            await asyncio.wait_for(self.disconnect(wait=DEADLINE), DEADLINE)
            await gone
        self.cancel_connection_attempt()

    async def cut(self) -> None:
        """Loses the connection as a client does whose network is gone: without a word to the server."""
        await self.written()
        assert self.transport is not None
        gone = asyncio.ensure_future(self.wait_until("disconnected", DEADLINE))
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.transport.abort()
        await gone

    async def written(self) -> None:
        """Returns when nothing waits to be written: slixmpp would send that over its next connection, too early."""
        await asyncio.wait_for(self.waiting_queue.join(), DEADLINE)

    # -- what arrives

    async def message(self, body: str | None = None, **wanted: object) -> Message:
        """Takes the next message with that body, and with these values of slixmpp's interfaces (`type`, `from_`…)."""
        return cast(Message, await self._take(Message, {"body": body, **wanted}))

    async def presence(self, sender: str, **wanted: object) -> Presence:
        """Takes the next presence from there, likewise."""
        return cast(Presence, await self._take(Presence, {"from": sender, **wanted}))

    async def take(self, fits: Callable[[Any], bool], wanted: str) -> Any:
        """Takes the next stanza that fits; `wanted` says in words which one that is."""
        return await self.inbox.take(fits, wanted)

    async def _take(self, kind: type, wanted: dict[str, Any]) -> object:
        values = {name.rstrip("_"): value for name, value in wanted.items() if value is not None}

        def fits(stanza: object) -> bool:
            return isinstance(stanza, kind) and all(stanza[name] == value for name, value in values.items())

        return await self.inbox.take(fits, f"{kind.__name__} with {values}")

    async def sync(self) -> None:
        """Returns when all that the server had sent so far is in the inbox."""
        await self.plugin["xep_0199"].send_ping(self.boundjid.domain, timeout=DEADLINE)

    # -- rooms

    async def join(self, room: str, nick: str, **options: Any) -> list[Message]:
        """Enters a room and drops what everybody gets there; returns the history. Raises PresenceError."""
        joined = await self.plugin["xep_0045"].join_muc_wait(room, nick, timeout=DEADLINE, **options)
        await self.sync()
        self.inbox.waiting.clear()
        return list(joined[3])

    async def open_room(self, room: str, nick: str, **settings: object) -> None:
        """Enters a room that does not exist yet, and configures it by its form (`muc#roomconfig_` is added)."""
        await self.join(room, nick)
        await self.configure(room, **settings)

    async def configure(self, room: str, **settings: object) -> None:
        """Changes fields of the room's form."""
        form = await self.plugin["xep_0045"].get_room_config(room, timeout=DEADLINE)
        form["values"] = {f"muc#roomconfig_{name}": value for name, value in settings.items()}
        await self.plugin["xep_0045"].set_room_config(room, form, timeout=DEADLINE)
        await self.sync()

    def say(self, room: str, body: str) -> None:
        """Says something to everybody in the room."""
        self.send_message(room, body, mtype="groupchat")
