"""Connecting to one place: its addresses compete (RFC 8305), and each attempt has its time."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConnector, IProtocol
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from ..core.s2s.outgoing import Purpose
from ..host.federation import Cause, Pair, Trouble
from ..host.origin import Timer
from .targets import Target

Failed = Callable[[Trouble], None]

TCP_SECONDS: Final = 10.0
_NEXT_ADDRESS_SECONDS: Final = 0.25  #: the Connection Attempt Delay of RFC 8305 §5


class Connect(Protocol):
    """Makes one end of a connection. `failed` is called if it ends before it is proven, or `proven` when it is."""

    def __call__(
        self, pair: Pair, target: Target, purpose: Purpose, failed: Failed, proven: Callable[[], None]
    ) -> IProtocol:
        """The protocol, for a TCP connection that stands."""


class Competition:
    """The addresses of one place: one is negotiated with at a time, and several may be connected to meanwhile."""

    def __init__(
        self,
        reactor: Any,
        attempt: "Callable[[Target, Competition], Attempt]",
        targets: Sequence[Target],
        troubles: list[Trouble],
    ) -> None:
        self._reactor, self._attempt, self._troubles = reactor, attempt, troubles
        self._left = deque(targets)
        self._begun: list[Attempt] = []
        self._timer: Timer | None = None
        self.proven: Deferred[bool] = Deferred(lambda _: self._give_up())
        self._go_on()

    def _go_on(self) -> None:
        """Begins with the next address, and sees to it that the one after it has its turn."""
        self._forget_timer()
        if self._left:
            attempt = self._attempt(self._left.popleft(), self)
            self._begun.append(attempt)
            attempt.begin()
            if self._left and attempt in self._begun:
                self._timer = self._reactor.callLater(_NEXT_ADDRESS_SECONDS, self._go_on)
        elif not self._begun and not self.proven.called:
            self.proven.callback(False)

    def connected(self, attempt: "Attempt") -> None:
        """One is connected: the others wait until that has led to nothing."""
        self._forget_timer()
        for other in [each for each in self._begun if each is not attempt]:
            self._begun.remove(other)
            self._left.appendleft(other.target)
            other.give_up()

    def failed(self, attempt: "Attempt", trouble: Trouble) -> None:
        """One has led to nothing."""
        self._begun.remove(attempt)
        self._troubles.append(trouble)
        self._go_on()

    def succeed(self) -> None:
        """One has authenticated us, or has answered. It lives on by itself."""
        if not self.proven.called:
            for attempt in self._begun:
                attempt.let_go()
            self._begun.clear()
            self.proven.callback(True)

    def _give_up(self) -> None:
        self._forget_timer()
        self._left.clear()
        for attempt in self._begun:
            attempt.give_up()

    def _forget_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


class Attempt(ClientFactory):
    """One target: connecting, and then negotiating, each within its own time."""

    noisy = False

    def __init__(
        self,
        reactor: Any,
        connect: Connect,
        pair: Pair,
        target: Target,
        purpose: Purpose,
        seconds: float,
        competition: Competition,
    ) -> None:
        self._reactor, self._connect, self._pair, self._purpose = reactor, connect, pair, purpose
        self._seconds, self._competition, self.target = seconds, competition, target
        self._is_over = False
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Connects."""
        self._connector = self._reactor.connectTCP(self.target.address, self.target.port, self, TCP_SECONDS)

    def buildProtocol(self, addr: object) -> Any:
        """See IProtocolFactory."""
        if self._is_over:
            return None
        self._competition.connected(self)
        self._timer = self._reactor.callLater(self._seconds, self._too_late)
        return self._connect(self._pair, self.target, self._purpose, self._failed, self._succeeded)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:  # noqa: N802
        """See ClientFactory."""
        self._failed(refusal(reason.value))

    def give_up(self) -> None:
        """Ends it; nobody hears of it any more."""
        self.let_go()
        if self._connector.state == "connecting":
            self._connector.stopConnecting()
        elif self._connector.state == "connected":
            self._connector.transport.abortConnection()

    def _too_late(self) -> None:
        self.give_up()
        self._competition.failed(
            self, self._told(Trouble(Cause.SILENT, f"has not come to an end in {self._seconds:g} s"))
        )

    def _failed(self, trouble: Trouble) -> None:
        if not self._is_over:
            self.let_go()
            self._competition.failed(self, self._told(trouble))

    def _succeeded(self) -> None:
        if not self._is_over:
            self.let_go()
            self._competition.succeed()

    def let_go(self) -> None:
        """Has nothing more to do with the connection, which lives on."""
        self._is_over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _told(self, trouble: Trouble) -> Trouble:
        return Trouble(trouble.cause, f"{self.target}: {trouble.text}")


def refusal(reason: BaseException | None) -> Trouble:
    """Why there is no connection at all."""
    if isinstance(reason, error.ConnectionRefusedError):
        return Trouble(Cause.REFUSED, "nobody listens there")
    if isinstance(reason, error.NoRouteError | error.UnknownHostError):
        return Trouble(Cause.REFUSED, "there is no way to that network")
    if isinstance(reason, error.TimeoutError):
        return Trouble(Cause.SILENT, f"nothing answers there in {TCP_SECONDS:g} s")
    return Trouble(Cause.SILENT, f"no connection could be made: {reason}")
