"""A connection that we make to another server: until its stream carries our stanzas, or says what is in the way."""

from collections.abc import Callable
from typing import ClassVar, Final

from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from ..core.s2s.outgoing import Authenticate, OutgoingStream, Purpose, Verify
from ..core.s2s.pair import Pair
from ..core.s2s.trouble import Cause, Trouble
from ..core.s2s.wants import Sends, Verified
from .s2s_connection import DEEDS, ServerConnection, SharedByServers, words_of
from .targets import Target
from .tls_transport import start_tls

__all__ = ["Authenticate", "OutgoingConnection", "Purpose", "Verify"]
_NO_TLS: Final = "TLS cannot be agreed on"
_TLS_REFUSED: Final = "the other server closed the connection once TLS had begun, as if our certificate would not do"


@implementer(IHandshakeListener)
class OutgoingConnection(ServerConnection):
    """Connects for a pair; `failed` is called once, unless the purpose is met.

    `proven` is called when our side of the pair is: whoever looks for a way there need not look any further.
    """

    _stream: OutgoingStream

    def __init__(
        self,
        shared: SharedByServers,
        pair: Pair,
        target: Target,
        purpose: Purpose,
        failed: Callable[[Trouble], None],
        proven: Callable[[], None],
    ) -> None:
        """`target` is what the transport is, or will be, connected to: over TCP, whatever is to be spoken there."""
        super().__init__(shared, OutgoingStream(shared.policy, pair, purpose), "out")
        self._pair, self._purpose, self._target = pair, purpose, target
        self._failed, self._has_proven = failed, proven
        self._begins_tls = self._has_heard = self._is_done = False
        self.address = str(target)

    # -- the transport (twisted.internet)

    def connectionMade(self) -> None:
        """See Protocol."""
        super().connectionMade()
        if self._target.direct_tls:
            self._begin_tls(self._pair.remote)
        else:
            self.write(self._stream.opening())

    def handshakeCompleted(self) -> None:
        """See IHandshakeListener: TLS is on, as far as we know."""
        self.is_encrypted, self._has_heard = True, False
        self._do(self._stream.secured(self._shown()))

    def dataReceived(self, data: bytes) -> None:
        """See Protocol."""
        self._has_heard = True
        super().dataReceived(data)

    def _cut(self, reason: Failure = connectionDone) -> Trouble:
        """With TLS 1.3 we take the handshake for done before the peer has looked at our certificate."""
        if self._begins_tls and not self.is_encrypted:
            return Trouble(Cause.NO_TLS, f"{_NO_TLS}: {words_of(reason)}")
        if self.is_encrypted and not self._has_heard:
            return Trouble(Cause.NO_TLS, f"{_TLS_REFUSED}: {words_of(reason)}")
        return super()._cut(reason)

    def _time_is_up(self) -> None:
        if self._begins_tls and not self.is_encrypted:
            self._trouble = Trouble(Cause.NO_TLS, f"{_NO_TLS}: the other server says nothing more")
        elif not self._has_heard:
            self._trouble = Trouble(Cause.SILENT, "the other server is connected, and says nothing")
        super()._time_is_up()

    # -- what is found out

    def _begin_tls(self, domain: str) -> None:
        self._begins_tls = True
        self.transport.unregisterProducer()
        creator = self._shared.tls.client_creator(self._pair, self._target.direct_tls)
        self.transport = start_tls(self.transport, creator, self, is_client=True)
        self.transport.registerProducer(self, True)

    def _sends(self, want: Sends) -> None:
        self._has_proven()
        super()._sends(want)

    def _verified(self, want: Verified) -> None:
        assert isinstance(self._purpose, Verify)
        self._is_done = True
        self._purpose.answered(want.verdict, want.text)

    def _unproven(self, trouble: Trouble) -> None:
        if not self._is_done:
            self._failed(trouble)

    _deeds: ClassVar = {**DEEDS, Sends: _sends, Verified: _verified}
