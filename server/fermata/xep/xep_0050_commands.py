"""XEP-0050: Ad-Hoc Commands, at the server. What commands there are is told by others: see `core.commands`."""

import secrets
from typing import Final

from ..core.commands import COMMAND, CommandSessions, CommandTable, Invocation, canceled
from ..core.commands import Request as CommandRequest
from ..host.extension import Host, Node, extension
from ..host.iq import Addressee, Request
from ..xmpp import namespaces as ns
from ..xmpp.disco import Identity, Item
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID

_ID_BYTES: Final = 12


@extension(xep=50, version="1.3.1", features=(ns.COMMANDS,))
def commands(host: Host) -> None:
    """Executes what is in the server's table of commands, and lists it to those who may execute it."""
    commands = _Commands(host)
    host.on_iq(Addressee.SERVER, "set", COMMAND, commands.execute)
    host.discoverable.server_nodes.append(commands.node)


class _Commands:
    def __init__(self, host: Host) -> None:
        self._table, self._clock = host.services[CommandTable], host.clock
        self._sessions = CommandSessions()

    def node(self, name: str, sender: JID, domain: JID) -> Node | None:
        """The node of a command, or that of all of them, as far as the sender may execute them (§2.2, §2.3)."""
        allowed = self._table.allowed(sender)
        if name == ns.COMMANDS:
            items = tuple(Item(domain, command.name, node) for node, command in allowed.items())
            return Node(Identity("automation", "command-list", "Commands"), items=items)
        if name in allowed:
            return Node(Identity("automation", "command-node", allowed[name].name), (ns.COMMANDS, ns.DATA_FORMS))
        return None

    async def execute(self, request: Request) -> Element:
        """Begins a command, or goes on with it (§2.4)."""
        asked = CommandRequest.parse(request.payload)
        command = self._table.get(asked.node)
        if command is None:
            raise StanzaError("item-not-found", "there is no such command")
        if not command.allows(request.sender):
            raise StanzaError("forbidden", "this command is not for you")
        new_id, now = secrets.token_urlsafe(_ID_BYTES), self._clock.seconds()
        turn = self._sessions.take(command, asked, request.sender, new_id, now)
        if turn.answers is None:
            return canceled(turn.session)
        outcome = await command.perform(Invocation(request.sender, request.to.domain, turn.answers))
        return self._sessions.settle(turn, outcome, self._clock.seconds())
