"""The network of federation: ports, names, TLS and connections, opened and closed with the server."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from twisted.internet.task import deferLater

from ..core.s2s.outgoing import Authenticate, Purpose, Verify
from ..core.xmlstream import Limits
from ..host.federation import Pair
from ..net.competition import Failed
from ..net.dialler import NEGOTIATION_SECONDS, QUESTION_SECONDS, Dialler
from ..net.resolver import resolver
from ..net.s2s_connection import SharedByServers
from ..net.s2s_listeners import ServerListeners
from ..net.s2s_outgoing import OutgoingConnection
from ..net.server_tls import ServerTLS
from ..net.targets import Target
from ..net.turn_writes import TurnWrites
from ..xmpp.errors import StreamError
from .config import Config
from .federation import Federating
from .parts import new_id
from .s2s_examination import Examination

_PARTING_SECONDS: Final = 2.0  #: how long, at the end, others have to acknowledge what they were sent
_LOOK_SECONDS: Final = 0.02


class OtherServers:
    """What `Federating` reaches others with, and where they reach it.

    Without a port for them there is no federation: what is not for a domain of ours is refused at once.
    """

    def __init__(self, config: Config, federating: Federating, reactor: Any, turn: TurnWrites) -> None:
        """Raises CertificateError."""
        self._config, self._federating, self._reactor, self._turn = config, federating, reactor, turn
        self.is_open = bool(config.s2s.listen or config.s2s.listen_direct_tls)
        self.tls = ServerTLS(config.tls.certificate, config.tls.key, config.certificate_names(), config.tls.ca_file)
        names = resolver(reactor, reactor, config.s2s.resolver, config.s2s.routes)
        self.dialler = Dialler(reactor, names, self._connect)
        limits = config.limits
        self._shared = SharedByServers(
            federating.federation,
            self.dialler,
            self.tls,
            Limits(stanza_bytes=limits.server_stanza_bytes or sys.maxsize),
            config.s2s.require_tls,
            config.s2s.bidi,
            limits.unauthenticated_seconds,
            reactor,
            new_id,
            turn,
        )
        self._limited = {
            kind: replace(self._shared, unauthenticated_seconds=seconds)
            for kind, seconds in ((Authenticate, NEGOTIATION_SECONDS), (Verify, QUESTION_SECONDS))
        }
        self.listeners = ServerListeners(self._shared, limits.connections_per_address)
        self.examination = Examination(config, reactor, self._shared, names)

    def _connect(
        self, pair: Pair, target: Target, purpose: Purpose, failed: Failed, proven: Callable[[], None]
    ) -> OutgoingConnection:
        return OutgoingConnection(self._limited[type(purpose)], pair, target, purpose, failed, proven)

    async def open(self) -> None:
        """Listens, and connects for whatever waits. Raises PortError."""
        if self.is_open:
            s2s = self._config.s2s
            self.listeners.listen(self._reactor, s2s.listen, s2s.listen_direct_tls)
            await self._federating.open(self.dialler)

    async def stop_listening(self) -> None:
        """Closes the ports; connections stay."""
        await self.listeners.stop_listening()

    async def close(self) -> None:
        """Gives what is under way a moment to arrive, tells everybody how far we got, and closes all connections."""
        links, until = self._federating.federation.links, self._reactor.seconds() + _PARTING_SECONDS
        links.ask()
        while links.has_unacked and self._reactor.seconds() < until:
            await deferLater(self._reactor, _LOOK_SECONDS, lambda: None)
        await self._federating.leave_notes()
        links.close()
        self.listeners.end_all(StreamError("system-shutdown"))
