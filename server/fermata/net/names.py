"""The DNS, with a memory."""

from typing import Any, Final, NamedTuple

from twisted.names import dns

from ..host.federation import Cause, Trouble
from ..host.origin import Clock
from .name_servers import NameServerError, NameServers

NEGATIVE_SECONDS: Final = 60  #: at most; who has just put his name right shall not wait for us
_POSITIVE_SECONDS: Final = 24 * 3600
_KEPT: Final = 5_000  # names
_RECORDS: Final = 32  # of one name; strangers shall not fill the memory with more
_ALIASES: Final = 8  # in a row
_CIRCLE: Final = "its alias leads in a circle"


class UnreachableError(Exception):
    """A domain cannot be found, or a connection to it not be made."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


class Found(NamedTuple):
    """What the DNS says of one name: its records of one kind, and whether the name exists at all."""

    records: tuple[Any, ...]
    exists: bool


class Names:
    """The DNS, with a memory: what exists is remembered as long as it says itself, what does not a minute at most."""

    def __init__(self, servers: NameServers, clock: Clock) -> None:
        self._servers, self._clock = servers, clock
        self._known: dict[tuple[str, int], tuple[float, Found]] = {}

    async def find(self, name: str, kind: int) -> Found:
        """The records of that kind that a name in ASCII has, or its alias. Raises UnreachableError."""
        expires, found = self._known.get((name, kind), (0.0, Found((), False)))
        if expires > self._clock.seconds():
            return found
        try:
            seconds, found = await self._follow(name, kind)
        except NameServerError as error:
            trouble = Trouble(Cause.NAME_SERVER, f"the name server cannot tell anything of {name}: {error}")
            raise UnreachableError(trouble) from error
        self._keep(name, kind, seconds, found)
        return found

    def _keep(self, name: str, kind: int, seconds: float, found: Found) -> None:
        now = self._clock.seconds()
        if len(self._known) >= _KEPT:
            self._known = {key: each for key, each in self._known.items() if each[0] > now}
            if len(self._known) >= _KEPT:
                self._known.clear()
        self._known[name, kind] = now + seconds, found

    async def _follow(self, name: str, kind: int) -> tuple[float, Found]:
        """Asks, and goes on asking where a name server names an alias and stops there."""
        seconds: float = _POSITIVE_SECONDS
        for _ in range(_ALIASES):
            message = await self._servers.ask(name, kind)
            seconds = min([seconds, *(header.ttl for header in message.answers)])
            alias = _end_of_aliases(name, message.answers)
            wanted = [each for each in message.answers if each.type == kind and text_of(each.name) == alias]
            if wanted:
                return seconds, Found(tuple(each.payload for each in wanted[:_RECORDS]), True)
            if message.rCode == dns.ENAME or alias == name:
                return min(seconds, _negative_seconds(message)), Found((), message.rCode == dns.OK)
            name = alias
        raise NameServerError(_CIRCLE)


def text_of(name: dns.Name) -> str:
    """A name as text, in lower case; what is not ASCII in it makes it one that cannot exist."""
    return name.name.decode("ascii", "replace").lower()


def _end_of_aliases(name: str, answers: list[dns.RRHeader]) -> str:
    """The name that an answer ends with. Raises NameServerError."""
    aliases = {}
    for each in answers:
        payload: Any = each.payload
        if each.type == dns.CNAME:
            aliases[text_of(each.name)] = text_of(payload.name)
    for _ in aliases:
        name = aliases.get(name, name)
    if name in aliases:
        raise NameServerError(_CIRCLE)
    return name


def _negative_seconds(message: dns.Message) -> float:
    """How long nothing will be there (RFC 2308 §5)."""
    seconds: float = NEGATIVE_SECONDS
    for each in message.authority:
        payload: Any = each.payload
        if each.type == dns.SOA:
            seconds = min(seconds, each.ttl, payload.minimum)
    return seconds
