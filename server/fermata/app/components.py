"""The components of a server, built from [components] of the configuration."""

import math
import sys
from collections.abc import Callable
from typing import Any

from ..core.xmlstream import Limits
from ..host.origin import Clock
from ..host.residents import Spawn
from ..host.router import Router
from ..host.sessions import QueueLimits
from ..net.components import ComponentListeners, SharedByComponents
from ..net.inside_component import InsideComponent
from ..net.turn_writes import TurnWrites
from ..services.components import ExternalComponent, FromComponent
from ..services.messages import Messages
from ..services.onward_spool import OnwardSpool
from ..services.relayed import Relayed
from ..services.sent_messages import SentMessages
from ..storage.database import Database
from ..xmpp.errors import StreamError
from ..xmpp.jid import JID
from .component_import import make_subprotocols
from .config_tables import Config


class Components:
    """All components of one server; each answers for its domains as soon as this is made."""

    def __init__(
        self, config: Config, router: Router, database: Database, messages: Messages, clock: Clock, spawn: Spawn
    ) -> None:
        self._config, self._router, self._database, self._messages = config, router, database, messages
        self._clock, self._spawn = clock, spawn
        tables = config.components
        self._external = {name: self._make_external((name, *each.also)) for name, each in tables.external.items()}
        self._inside = {name: self._make_inside(name) for name in tables.inside}
        self.listeners: ComponentListeners  #: where external ones connect, once opened

    @property
    def jids(self) -> list[JID]:
        """The addresses of all of them."""
        return [JID.parse(domain) for domain, _ in self._config.components.domains()]

    def open(self, reactor: Any, new_id: Callable[[], str], turn: TurnWrites) -> None:
        """Starts those in this process and listens for the others. Raises ComponentError, PortError."""
        for component in self._external.values():
            self._spawn(component.recover())
        tables, limits = self._config.components, self._config.limits
        made = {domain: make_subprotocols(domain, each) for domain, each in tables.inside.items()}
        for domain, handlers in made.items():
            self._inside[domain].start(handlers)
        shared = SharedByComponents(
            self._external,
            {domain: each.secret for domain, each in tables.external.items()},
            Limits(stanza_bytes=limits.stanza_bytes or sys.maxsize),
            limits.unauthenticated_seconds,
            self._clock,
            new_id,
            turn,
        )
        self.listeners = ComponentListeners(shared)
        self.listeners.listen(reactor, tables.listen)

    async def close(self, error: StreamError) -> None:
        """Closes the ports and the connections, with that error, and stops those in this process."""
        await self.listeners.stop_listening()
        self.listeners.end_all(error)
        for component in self._inside.values():
            component.stop()

    def _make_external(self, domains: tuple[str, ...]) -> ExternalComponent:
        origin, database, limits = self._origin(domains[0]), self._database, self._config.limits
        sent = FromComponent(domains, self._router, origin)
        spool = OnwardSpool(origin.jid, database.entities, database.spool, database.writer, self._clock)
        queue = QueueLimits(limits.queue_stanzas or math.inf, limits.queue_bytes or math.inf)
        component = ExternalComponent(sent, origin, spool, self._clock, queue)
        for domain in domains:
            self._router.serve(domain, SentMessages(component, self._messages))
        return component

    def _make_inside(self, domain: str) -> InsideComponent:
        origin = self._origin(domain)
        component = InsideComponent(domain, FromComponent([domain], self._router, origin).take, origin, self._clock)
        self._router.serve(domain, SentMessages(component, self._messages))
        return component

    def _origin(self, domain: str) -> Relayed:
        """Where answers to what a component sends, and to what is made here for it, are given."""
        return Relayed(JID.parse(domain), self._router, self._database.writer)
