"""When an account was last available, and what it said on leaving (XEP-0012)."""

import json
from typing import Final, NamedTuple

from ..core.records import Step, ValueSaved
from ..host.accounts import Account
from ..host.origin import Clock
from ..host.stores import ValueStore, Writer
from ..xmpp.element import Element, child

_SPACE: Final = "last seen"
_STATUS_MAX: Final = 1_000  #: characters of what it said


class Seen(NamedTuple):
    """When (Unix seconds), and the status text."""

    stamp: float
    status: str


class LastSeen:
    """Keeps it whenever an account's last session becomes unavailable."""

    def __init__(self, values: ValueStore, writer: Writer, clock: Clock) -> None:
        self._values, self._writer, self._clock = values, writer, clock

    def left(self, account: Account, presence: Element) -> None:
        """An account has no available session any more, as this presence says."""
        status = child(presence, "status")
        text = "" if status is None else (status.text or "")[:_STATUS_MAX]
        seen = json.dumps(Seen(self._clock.seconds(), text))
        self._writer.submit(Step([ValueSaved(account.number, _SPACE, "", seen)]))

    async def of(self, account: Account) -> Seen | None:
        """What is known of an account; None if it never was available."""
        kept = await self._values.value(account.number, _SPACE, "")
        return None if kept is None else Seen(*json.loads(kept))
