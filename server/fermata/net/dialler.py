"""Connects to other servers: from target to target, until one authenticates us (RFC 6120 §3.2, RFC 8305)."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.interfaces import IConnector, IProtocol
from twisted.internet.protocol import ClientFactory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..core.s2s.outgoing import Authenticate, Purpose, Verify
from ..host.federation import Cause, Pair, Trouble, Verdict
from ..host.origin import Timer
from .names import UnreachableError
from .resolver import Resolver
from .targets import Target

Failed = Callable[[Trouble], None]

TCP_SECONDS: Final = 10.0
_NEXT_ADDRESS_SECONDS: Final = 0.25  #: the Connection Attempt Delay of RFC 8305 §5
_NEGOTIATION_SECONDS: Final = 30.0
_SEARCH_SECONDS: Final = 120.0  #: for all targets of a domain; some have very many
_VERIFICATION_SECONDS: Final = 30.0
_QUESTION_SECONDS: Final = 10.0  #: so that a second target has its turn within those
_MOST: Final = 200  #: searches at a time, and as many verifications
# How far each of them has come. What may pass by itself comes before what is final in time.
_TELLING: Final = (
    Cause.AUTHENTICATION,
    Cause.CERTIFICATE,
    Cause.NO_TLS,
    Cause.STREAM,
    Cause.HOST_UNKNOWN,
    Cause.SILENT,
    Cause.NAME_SERVER,
    Cause.REFUSED,
    Cause.NO_DOMAIN,
    Cause.POLICY,
)
_log = Logger()


class Connect(Protocol):
    """Makes one end of a connection. `failed` is called if it ends before it is proven, or `proven` when it is."""

    def __call__(
        self, pair: Pair, target: Target, purpose: Purpose, failed: Failed, proven: Callable[[], None]
    ) -> IProtocol:
        """The protocol, for a TCP connection that stands."""


class Dialler:
    """See host.federation.Dialling.

    Searches do not wait for each other, unless there are very many: whoever hangs costs one socket.
    """

    def __init__(self, reactor: Any, resolver: Resolver, connect: Connect) -> None:
        self._reactor, self._resolver, self._connect = reactor, resolver, connect
        self._searches, self._verifications = DeferredSemaphore(_MOST), DeferredSemaphore(_MOST)

    def open(self, pair: Pair, failed: Failed) -> Callable[[], None]:
        """See Dialling."""

        def ended(trouble: Trouble | None) -> None:
            if trouble is not None:
                failed(trouble)

        search = _Search(self._reactor, self._resolver, self._connect, pair, Authenticate(), _NEGOTIATION_SECONDS)
        running = Deferred.fromCoroutine(self._in_turn(self._searches, search.run))
        running.addTimeout(_SEARCH_SECONDS, self._reactor, lambda *_: search.most_telling())
        running.addCallback(ended).addErrback(_tell, pair)
        return running.cancel

    def verify(self, pair: Pair, stream_id: str, key: str, answered: Callable[[Verdict, str], None]) -> None:
        """See Dialling."""
        verdicts: list[tuple[Verdict, str]] = []

        def heard(verdict: Verdict, text: str) -> None:
            verdicts.append((verdict, text))
            search.over()

        def ended(trouble: Trouble | None) -> None:
            text = trouble.text if trouble is not None else "its server has not answered"
            answered(*(verdicts[0] if verdicts else (Verdict.ERROR, text)))

        purpose = Verify(stream_id, key, heard)
        search = _Search(self._reactor, self._resolver, self._connect, pair, purpose, _QUESTION_SECONDS)
        running = Deferred.fromCoroutine(self._in_turn(self._verifications, search.run))
        running.addTimeout(_VERIFICATION_SECONDS, self._reactor, lambda *_: search.most_telling())
        running.addCallback(ended).addErrback(_tell, pair)

    async def _in_turn(self, turns: DeferredSemaphore, run: Callable[[], Awaitable[Trouble | None]]) -> Trouble | None:
        await turns.acquire()
        try:
            await deferLater(self._reactor, 0)  # nobody is called back before he knows whom he has called
            return await run()
        finally:
            turns.release()


def _tell(failure: Failure, pair: Pair) -> None:
    if failure.check(CancelledError) is None:
        _log.failure("the search for {remote} failed", failure, remote=pair.remote)


class _Search:
    """The way to one domain: place after place, address after address."""

    def __init__(
        self, reactor: Any, resolver: Resolver, connect: Connect, pair: Pair, purpose: Purpose, seconds: float
    ) -> None:
        self._reactor, self._resolver, self._connect, self._pair = reactor, resolver, connect, pair
        self._purpose, self._seconds = purpose, seconds
        self._troubles: list[Trouble] = []
        self._host: _Host | None = None

    async def run(self) -> Trouble | None:
        """Searches; None if it has come to a good end."""
        try:
            places = await self._resolver.places(self._pair.remote)
        except UnreachableError as unreachable:
            return unreachable.trouble
        for place in places:
            try:
                targets = await self._resolver.targets(place)
            except UnreachableError as unreachable:
                self._troubles.append(unreachable.trouble)
                continue
            self._host = _Host(self._reactor, self._attempt, targets, self._troubles)
            if await self._host.proven:
                return None
        return self.most_telling()

    def most_telling(self) -> Trouble:
        """What says most of why it did not: of the target with which it came furthest."""
        nothing = Trouble(Cause.SILENT, f"{self._pair.remote} could not be reached in time")
        return min(self._troubles, key=lambda trouble: _TELLING.index(trouble.cause), default=nothing)

    def over(self) -> None:
        """It has come to a good end."""
        if self._host is not None:
            self._host.succeed()

    def _attempt(self, target: Target, host: "_Host") -> "_Attempt":
        return _Attempt(self._reactor, self._connect, self._pair, target, self._purpose, self._seconds, host)


class _Host:
    """The addresses of one place: one is negotiated with at a time, and several may be connected to meanwhile."""

    def __init__(
        self,
        reactor: Any,
        attempt: "Callable[[Target, _Host], _Attempt]",
        targets: Sequence[Target],
        troubles: list[Trouble],
    ) -> None:
        self._reactor, self._attempt, self._troubles = reactor, attempt, troubles
        self._left = deque(targets)
        self._begun: list[_Attempt] = []
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

    def connected(self, attempt: "_Attempt") -> None:
        """One is connected: the others wait until that has led to nothing."""
        self._forget_timer()
        for other in [each for each in self._begun if each is not attempt]:
            self._begun.remove(other)
            self._left.appendleft(other.target)
            other.give_up()

    def failed(self, attempt: "_Attempt", trouble: Trouble) -> None:
        """One has led to nothing."""
        self._begun.remove(attempt)
        self._troubles.append(trouble)
        self._go_on()

    def succeed(self) -> None:
        """One has authenticated us, or has answered. It lives on by itself."""
        if not self.proven.called:
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


class _Attempt(ClientFactory):
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
        host: _Host,
    ) -> None:
        self._reactor, self._connect, self._pair, self._purpose = reactor, connect, pair, purpose
        self._seconds, self._host, self.target = seconds, host, target
        self._is_over = False
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Connects."""
        self._connector = self._reactor.connectTCP(self.target.address, self.target.port, self, TCP_SECONDS)

    def buildProtocol(self, addr: object) -> Any:
        """See IProtocolFactory."""
        if self._is_over:
            return None
        self._host.connected(self)
        self._timer = self._reactor.callLater(self._seconds, self._too_late)
        return self._connect(self._pair, self.target, self._purpose, self._failed, self._succeeded)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:  # noqa: N802
        """See ClientFactory."""
        self._failed(refusal(reason.value))

    def give_up(self) -> None:
        """Ends it; nobody hears of it any more."""
        self._end()
        if self._connector.state == "connecting":
            self._connector.stopConnecting()
        elif self._connector.state == "connected":
            self._connector.transport.abortConnection()

    def _too_late(self) -> None:
        host = self._host
        self.give_up()
        host.failed(self, self._told(Trouble(Cause.SILENT, f"has not come to an end in {self._seconds:g} s")))

    def _failed(self, trouble: Trouble) -> None:
        if not self._is_over:
            self._end()
            self._host.failed(self, self._told(trouble))

    def _succeeded(self) -> None:
        if not self._is_over:
            self._end()
            self._host.succeed()

    def _end(self) -> None:
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
