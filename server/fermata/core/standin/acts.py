"""What a stand-in wants done. The acts of one step are done in their order."""

from typing import NamedTuple

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from ..muc.history import Limits


class ToRoom(NamedTuple):
    """Route this stanza, which has its addresses: it is for the room or somebody in it.

    `client` is the one that has said it, if one has.
    """

    stanza: Element
    client: JID | None = None


class ToClients(NamedTuple):
    """Hand this to these clients (full JIDs)."""

    payload: Payload
    clients: tuple[JID, ...]


class Said(NamedTuple):
    """Somebody has said something: it goes to the account's archive, and then to these clients.

    `is_private`: it was said to this occupant alone.
    """

    payload: Payload
    stanza: Element
    clients: tuple[JID, ...]
    is_private: bool = False


class Before(NamedTuple):
    """Keep these to be shown: they were said in the room before the account came, and its archive has them not."""

    messages: tuple[Payload, ...]


class Replay(NamedTuple):
    """Read at most so many of the newest messages in the account's archive, and call `StandIn.replayed`.

    Older ones are those that were told just now or, where `before` has none, those of the act Before.
    """

    client: JID
    most: int
    limits: Limits
    before: tuple[Payload, ...] = ()


class Answer(NamedTuple):
    """What answers a client, in the name of the room."""

    client: JID
    stanza: Element


class Native(NamedTuple):
    """A client enters the room itself, beside the stand-in, with this presence."""

    client: JID
    presence: Element


class Attached(NamedTuple):
    """From now on, what the client sends to the room is for the stand-in."""

    client: JID


class Detached(NamedTuple):
    """That is over."""

    client: JID


class Watch(NamedTuple):
    """The guardian watches over it: it is in, under this nickname."""

    nick: str


class Doubt(NamedTuple):
    """The guardian is to find out whether it is in."""


class Fallen(NamedTuple):
    """It is out, and the guardian is to let it in again, not before so many seconds."""

    nick: str
    pause: float


class Refused(NamedTuple):
    """The room has not let it in: the guardian knows what to do."""

    condition: str
    type: str


class Turn(NamedTuple):
    """It is to ask the room for what was missed, once the account's archive was read: then call `repair.turn`."""


class Forget(NamedTuple):
    """The guardian need not care for it any more."""


class Save(NamedTuple):
    """What is kept of it on disk has changed."""


Act = (
    ToRoom
    | ToClients
    | Said
    | Before
    | Replay
    | Answer
    | Native
    | Attached
    | Detached
    | Watch
    | Doubt
    | Fallen
    | Refused
    | Turn
    | Forget
    | Save
)
