"""`fermata s2s test`: how far we get with another server, step by step, and what is in the way."""

import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from twisted.internet.defer import Deferred

from ..core.xmlstream import Limits
from ..host.federation import Cause, Connection, Pair, Trouble, Trunk, Verdict
from ..net.names import UnreachableError
from ..net.resolver import Resolver, resolver
from ..net.s2s_connection import SharedByServers
from ..net.s2s_trial import Ended, Outcome, Step, attempt
from ..net.server_tls import ServerTLS
from ..net.targets import Service, Target
from ..net.turn_writes import TurnWrites
from .config_tables import Config
from .s2s_advice import Circumstances, advice

_SECONDS: Final = 50.0  #: for all of it; whoever asks over the control socket waits for a minute
_NEGOTIATION_SECONDS: Final = 15.0
_TARGETS: Final = 10
_NOT_CONNECTED: Final = Ended(None)
_STAGES: Final[Mapping[Cause, str]] = {
    Cause.NO_DOMAIN: "dns",
    Cause.NAME_SERVER: "dns",
    Cause.REFUSED: "tcp",
    Cause.SILENT: "tcp",
    Cause.NO_TLS: "tls",
    Cause.CERTIFICATE: "certificate",
    Cause.AUTHENTICATION: "authentication",
    Cause.HOST_UNKNOWN: "stream",
    Cause.STREAM: "stream",
    Cause.POLICY: "policy",
}


class Examination:
    """Tries to reach other servers with what `shared` and `resolver` are for real connections.

    `is_running` says whether a server runs here that could confirm a dialback key.
    """

    def __init__(
        self, config: Config, reactor: Any, shared: SharedByServers, resolver: Resolver, is_running: bool = True
    ) -> None:
        self._config, self._reactor, self._resolver, self._is_running = config, reactor, resolver, is_running
        # A peer that could send something on a connection that is only a test would lose it.
        self._shared = replace(shared, unauthenticated_seconds=_NEGOTIATION_SECONDS, offers_bidi=False)

    async def run(self, domain: str, local: str = "") -> dict[str, Any]:
        """What came of each step, for a domain elsewhere and one of ours (the first, if none is given)."""
        steps: list[Step] = []
        pair = Pair(local or self._config.server.domains[0], domain)
        running = Deferred.fromCoroutine(self._examine(pair, steps.append))
        is_reached = await running.addTimeout(_SECONDS, self._reactor, lambda *_: _out_of_time(steps))
        return {
            "domain": domain,
            "from": pair.local,
            "is_reached": is_reached,
            "steps": [_plain(step) for step in steps],
        }

    async def _examine(self, pair: Pair, tell: Callable[[Step], None]) -> bool:
        if self._config.s2s.is_blocked(pair.remote):
            trouble = Trouble(Cause.POLICY, f"[s2s.domains] blocks {pair.remote}")
            self._tell_wrong(tell, pair, trouble, _NOT_CONNECTED)
            return False
        if pair.remote in self._config.certificate_names():
            hint = "test it from another server; `fermata check` looks at it from here"
            tell(Step("policy", Outcome.WRONG, f"{pair.remote} is a domain of this server itself", hint))
            return False
        fault = self._shared.tls.fault(pair.local)
        if fault:
            text = f"ours would not convince everybody: {fault}"
            tell(Step("certificate", Outcome.NOTE, text, "other servers may accept it, or have to do with dialback"))
        for target in (await self._find(pair, tell))[:_TARGETS]:
            ended = await attempt(self._reactor, self._shared, pair, target, tell)
            if ended.trouble is None:
                return True
            trouble = Trouble(ended.trouble.cause, f"{target}: {ended.trouble.text}")
            self._tell_wrong(tell, pair, trouble, ended)
            if trouble.cause is Cause.AUTHENTICATION and ended.takes_dialback:
                await self._look_for_ourselves(pair.local, tell)
        return False

    def _tell_wrong(self, tell: Callable[[Step], None], pair: Pair, trouble: Trouble, ended: Ended) -> None:
        around = Circumstances(pair, ended, self._shared.tls.fault(pair.local), self._is_running)
        stage = "stream" if trouble.cause is Cause.SILENT and ended.is_connected else _STAGES[trouble.cause]
        tell(Step(stage, Outcome.WRONG, trouble.text, advice(trouble, around)))

    # -- the DNS

    async def _find(self, pair: Pair, tell: Callable[[Step], None]) -> list[Target]:
        targets: list[Target] = []
        try:
            await self._tell_records(pair.remote, tell)
            places = await self._resolver.places(pair.remote)
        except UnreachableError as unreachable:
            self._tell_wrong(tell, pair, unreachable.trouble, _NOT_CONNECTED)
            return targets
        for place in places:
            try:
                found = await self._resolver.targets(place)
            except UnreachableError as unreachable:
                self._tell_wrong(tell, pair, unreachable.trouble, _NOT_CONNECTED)
            else:
                tell(Step("dns", Outcome.OK, f"{place.host} is at {', '.join(each.address for each in found)}"))
                targets += found
        return targets

    async def _tell_records(self, domain: str, tell: Callable[[Step], None]) -> None:
        route = self._config.s2s.routes.get(domain)
        if route is not None:
            tell(Step("dns", Outcome.OK, f"[s2s.routes] leads to {route}; the DNS is not asked"))
            return
        services = await self._resolver.services(domain)
        for service in sorted(services):
            tell(Step("dns", Outcome.OK, f"SRV {_shown(service)}"))
        if not services:
            tell(Step("dns", Outcome.NOTE, f"{domain} has no SRV record, so that its own address and port 5269 count"))

    async def _look_for_ourselves(self, local: str, tell: Callable[[Step], None]) -> None:
        """What another server would find that looks for us, since dialback depends on it."""
        try:
            places = await self._resolver.places(local)
            targets = [target for place in places for target in await self._resolver.targets(place)]
        except UnreachableError as unreachable:
            text = f"others cannot find {local}, as which you talk to them: {unreachable}"
            tell(Step("dns", Outcome.WRONG, text, f"make an SRV record _xmpp-server._tcp.{local} that leads here"))
        else:
            shown = ", ".join(map(str, targets))
            tell(Step("dns", Outcome.NOTE, f"others find {local} at {shown}", "is that this server, and open to them?"))


def _shown(service: Service) -> str:
    kind = "_xmpps-server" if service.direct_tls else "_xmpp-server"
    where = f"{service.host} port {service.port}" if service.is_offered else "nowhere: it is not offered"
    return f"{kind}: priority {service.priority}, weight {service.weight}, {where}"


def _plain(step: Step) -> dict[str, str]:
    return {"stage": step.stage, "outcome": step.outcome.value, "text": step.text, "hint": step.hint}


def _out_of_time(steps: list[Step]) -> bool:
    steps.append(Step("time", Outcome.WRONG, f"there was no time for the rest: a test ends after {_SECONDS:g} s"))
    return False


class _Alone:
    """What a connection that is only a test needs where no server runs (host.federation.Federation and Dialling)."""

    def __init__(self, config: Config) -> None:
        self.is_served = config.certificate_names().__contains__
        self.is_blocked, self.requires_certificate = config.s2s.is_blocked, config.s2s.requires_certificate

    def key(self, local: str, remote: str, stream_id: str) -> str:
        """Nobody is there who could confirm it."""
        return secrets.token_hex(32)

    def trunk(self, connection: Connection) -> Trunk:
        _carries_nothing()

    def open(self, pair: Pair, failed: Callable[[Trouble], None]) -> Callable[[], None]:
        _carries_nothing()

    def verify(self, pair: Pair, stream_id: str, key: str, answered: Callable[[Verdict, str], None]) -> None:
        _carries_nothing()


def _carries_nothing() -> NoReturn:
    raise AssertionError("a test carries nothing, and takes no connections")


def examination_alone(config: Config, reactor: Any) -> Examination:
    """One for the command line, while no server runs. Raises CertificateError."""
    alone, s2s = _Alone(config), config.s2s
    tls = ServerTLS(config.tls.certificate, config.tls.key, config.certificate_names(), config.tls.ca_file)
    shared = SharedByServers(
        alone,
        alone,
        tls,
        Limits(stanza_bytes=sys.maxsize),
        s2s.require_tls,
        s2s.bidi,
        _NEGOTIATION_SECONDS,
        reactor,
        secrets.token_urlsafe,
        TurnWrites(reactor),
    )
    return Examination(config, reactor, shared, resolver(reactor, reactor, s2s.resolver, s2s.routes), False)
