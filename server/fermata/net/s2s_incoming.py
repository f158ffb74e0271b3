"""A connection that another server makes to us."""

from collections.abc import Callable
from typing import ClassVar

from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..core.s2s.incoming import IncomingStream
from ..core.s2s.pair import Verdict
from ..core.s2s.trouble import Trouble
from ..core.s2s.wants import Ask
from ..xmpp.errors import StreamError
from .s2s_connection import DEEDS, ServerConnection, SharedByServers
from .tls_transport import start_tls
from .turns import Turns

_log = Logger()


@implementer(IHandshakeListener)
class IncomingConnection(ServerConnection):
    """Finds out which domains the other server speaks for, and hands on what it says for those."""

    _stream: IncomingStream

    def __init__(
        self,
        shared: SharedByServers,
        address: str,
        network: str,
        verifications: Turns,
        gone: "Callable[[IncomingConnection], None]",
    ) -> None:
        """`address` is the peer's, as host and port; `gone` is called once the connection is lost.

        `verifications` says when it is the turn of that `network` to have a key asked about.
        """
        super().__init__(shared, IncomingStream(shared.policy, shared.new_id), "in")
        self._verifications, self._gone = verifications, gone
        self.address, self.network = address, network

    def handshakeCompleted(self) -> None:
        """See IHandshakeListener: TLS is on."""
        self.is_encrypted = True
        self._stream.secured(self._shown())

    def complete(self) -> None:
        """See host.federation.Connection."""
        self._stream.is_complete = True

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See Protocol."""
        super().connectionLost(reason)
        self._gone(self)

    def _begin_tls(self, domain: str) -> None:
        self.transport.unregisterProducer()
        self.transport = start_tls(self.transport, self._shared.tls.server_creator(domain), self)
        self.transport.registerProducer(self, True)

    def _ask(self, want: Ask) -> None:
        def begin(_: None) -> None:
            if self._closing:
                self._verifications.end(self.network)
            else:
                self._shared.dialling.verify(want.pair, want.stream_id, want.key, answered)

        def answered(verdict: Verdict, text: str) -> None:
            self._verifications.end(self.network)
            if verdict is Verdict.ERROR:
                _log.debug("nobody could say whether {address} is {peer}: {text}", **self._told(want, text))
            try:
                self._do(self._stream.answered(want, verdict))
            except StreamError as error:
                self.end(error)

        self._verifications.begin(self.network).addCallback(begin)

    def _told(self, want: Ask, text: str) -> dict[str, str]:
        return {"address": self.address, "peer": want.pair.remote, "text": text}

    def _unproven(self, trouble: Trouble) -> None:
        peer = self._stream.peer
        if peer:
            _log.debug(
                "{address} did not prove to be {peer}: {text}", address=self.address, peer=peer, text=trouble.text
            )

    _deeds: ClassVar = {**DEEDS, Ask: _ask}
