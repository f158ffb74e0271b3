"""What the ways to other servers have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from ..core.s2s.answered import Answered
from ..host.federation import Dialling, Pair
from ..host.origin import Clock, Origin
from .lasting_streams import LastingStreams
from .link_listener import LinkListener
from .onward_spool import OnwardSpool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all links have in common.

    `relayed` is where errors are given to people here; `is_needed` says whether anybody here or there depends on a
    pair; `random` gives numbers from 0 to 1; `broken` are the pairs to which there is no way just now.
    """

    dialling: Dialling
    clock: Clock
    relayed: Origin
    spool: OnwardSpool
    listener: LinkListener
    is_needed: Callable[[Pair], bool]
    random: Callable[[], float]
    broken: set[Pair]
    answered: Answered
    streams: LastingStreams
