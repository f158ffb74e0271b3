"""The stream management of a session as one value that can be saved (XEP-0198 §5; resuming after a restart)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from .stream_management import Inbound, Outbound


class SavedStanza(NamedTuple):
    """A stanza on its way to the peer: its addressee, and the parts of its payload."""

    to: str
    kind: str
    rest: str
    sender: str
    type: str
    archive_id: str
    stamp: float
    keep: int
    spooled: int


@dataclass(frozen=True, slots=True)
class State:
    """Counters, and the stanzas that the peer has not acknowledged; `pending` were not even written, so have no number.

    `handled` and `acked` are the `h` that we told last and the one that we were told.
    """

    handled: int
    acked: int
    unacked: tuple[SavedStanza, ...]
    pending: tuple[SavedStanza, ...] = ()


def state(inbound: Inbound, outbound: Outbound, pending: Iterable[tuple[Payload, JID]] = ()) -> State:
    """The state as it is now. What came in and is not durable yet does not count as handled."""
    return State(
        inbound.h,
        outbound.acked_h,
        tuple(_saved(payload, to) for payload, to in outbound.unacked()),
        tuple(_saved(payload, to) for payload, to in pending),
    )


def from_state(state: State) -> tuple[Inbound, Outbound, list[tuple[Payload, JID]]]:
    """Both directions as they were, and what was pending. Raises JIDError if the state was tampered with."""
    outbound = Outbound(state.acked, map(_restored, state.unacked))
    return Inbound(state.handled), outbound, list(map(_restored, state.pending))


def _saved(payload: Payload, to: JID) -> SavedStanza:
    return SavedStanza(
        str(to),
        payload.kind,
        payload.rest,
        payload.sender,
        payload.type,
        payload.archive_id,
        payload.stamp,
        payload.keep,
        payload.spooled,
    )


def _restored(saved: SavedStanza) -> tuple[Payload, JID]:
    to, kind, rest, sender, type, archive_id, stamp, keep, spooled = saved
    payload = Payload(kind, rest, sender, type, archive_id, stamp, keep)
    payload.spooled = spooled
    return payload, JID.parse(to)
