"""Connects to other servers: from target to target, until one authenticates us (RFC 6120 §3.2, RFC 8305)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from ..core.s2s.outgoing import Authenticate, Purpose, Verify
from ..core.s2s.site import site_of
from ..host.federation import Cause, Pair, Trouble, Verdict
from .competition import Attempt, Competition, Connect, Failed
from .names import UnreachableError
from .resolver import Resolver
from .targets import Target
from .turns import Turns

NEGOTIATION_SECONDS: Final = 30.0  #: a connection's own limit: it can tell what it was waiting for
_SEARCH_SECONDS: Final = 120.0  #: for all targets of a domain; some have very many
_VERIFICATION_SECONDS: Final = 30.0
QUESTION_SECONDS: Final = 10.0  #: so that a second target has its turn within those
_GRACE_SECONDS: Final = 1.0  #: then a connection that does not keep to it is cut
_MOST: Final = 400  #: searches at a time, and as many verifications
_MOST_OF_SITE: Final = 40  #: of these for domains that belong together: whoever has one has any number
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


class Dialler:
    """See host.federation.Dialling.

    Searches do not wait for each other, unless there are very many, or many for domains of one site: whoever hangs
    costs one socket, and whoever has very many domains that hang hinders nobody but himself.
    """

    def __init__(self, reactor: Any, resolver: Resolver, connect: Connect) -> None:
        self._reactor, self._resolver, self._connect = reactor, resolver, connect
        self._searches, self._verifications = Turns(_MOST, _MOST_OF_SITE), Turns(_MOST, _MOST_OF_SITE)

    def open(self, pair: Pair, failed: Failed) -> Callable[[], None]:
        """See Dialling."""

        def ended(trouble: Trouble | None) -> None:
            if trouble is not None:
                failed(trouble)

        search = _Search(self._reactor, self._resolver, self._connect, pair, Authenticate(), NEGOTIATION_SECONDS)
        running = Deferred.fromCoroutine(self._in_turn(self._searches, pair, search.run))
        running.addTimeout(_SEARCH_SECONDS, self._reactor, lambda *_: search.most_telling())
        running.addErrback(_explain, pair).addCallback(ended).addErrback(_explain, pair)
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
        search = _Search(self._reactor, self._resolver, self._connect, pair, purpose, QUESTION_SECONDS)
        running = Deferred.fromCoroutine(self._in_turn(self._verifications, pair, search.run))
        running.addTimeout(_VERIFICATION_SECONDS, self._reactor, lambda *_: search.most_telling())
        running.addErrback(_explain, pair).addCallback(ended).addErrback(_explain, pair)

    async def _in_turn(self, turns: Turns, pair: Pair, run: Callable[[], Awaitable[Trouble | None]]) -> Trouble | None:
        site = site_of(pair.remote)
        await turns.begin(site)
        try:
            await deferLater(self._reactor, 0)  # nobody is called back before he knows whom he has called
            return await run()
        finally:
            turns.end(site)


def _explain(failure: Failure, pair: Pair) -> Trouble | None:
    """Whoever waits for a search hears of its end, even if that is a fault of our own."""
    if failure.check(CancelledError) is not None:
        return None
    _log.failure("the search for {remote} failed", failure, remote=pair.remote)
    return Trouble(Cause.STREAM, "the search failed for a fault of our own, which the log tells")


class _Search:
    """The way to one domain: place after place, address after address."""

    def __init__(
        self, reactor: Any, resolver: Resolver, connect: Connect, pair: Pair, purpose: Purpose, seconds: float
    ) -> None:
        self._reactor, self._resolver, self._connect, self._pair = reactor, resolver, connect, pair
        self._purpose, self._seconds = purpose, seconds
        self._troubles: list[Trouble] = []
        self._competition: Competition | None = None

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
            self._competition = Competition(self._reactor, self._attempt, targets, self._troubles)
            if await self._competition.proven:
                return None
        return self.most_telling()

    def most_telling(self) -> Trouble:
        """What says most of why it did not: of the target with which it came furthest."""
        nothing = Trouble(Cause.SILENT, f"{self._pair.remote} could not be reached in time")
        return min(self._troubles, key=lambda trouble: _TELLING.index(trouble.cause), default=nothing)

    def over(self) -> None:
        """It has come to a good end."""
        if self._competition is not None:
            self._competition.succeed()

    def _attempt(self, target: Target, competition: Competition) -> Attempt:
        seconds = self._seconds + _GRACE_SECONDS
        return Attempt(self._reactor, self._connect, self._pair, target, self._purpose, seconds, competition)
