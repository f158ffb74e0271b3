"""What the answer to a self-ping (XEP-0410 §3.2) or to entering a room says."""

from enum import Enum
from typing import Final


class Standing(Enum):
    """What is known of somebody's place in a room."""

    IN = "in"
    PROBABLY = "the answer may come from a server whose rooms are down, or in the middle of a change of nickname"
    UNKNOWN = "nobody has answered who knows"
    OUT = "out"


_MEANINGS: Final = {
    "": Standing.IN,
    "item-not-found": Standing.PROBABLY,
    "service-unavailable": Standing.PROBABLY,
    "feature-not-implemented": Standing.PROBABLY,
    "remote-server-not-found": Standing.UNKNOWN,
    "remote-server-timeout": Standing.UNKNOWN,
    "internal-server-error": Standing.UNKNOWN,
    "resource-constraint": Standing.UNKNOWN,
}


def of_ping(condition: str) -> Standing:
    """What an answer with that condition says; empty for a result. Anything else is the room's own no."""
    return _MEANINGS.get(condition, Standing.OUT)


class Refusal(Enum):
    """What to do when a room does not let somebody in."""

    AGAIN = "it may be otherwise in a while"
    NICK = "somebody else has the nickname, or one's own ghost"
    FINAL = "only people can change that"


_REFUSALS: Final = {
    "conflict": Refusal.NICK,
    "registration-required": Refusal.FINAL,
    "forbidden": Refusal.FINAL,
    "not-authorized": Refusal.FINAL,
    "gone": Refusal.FINAL,
    "jid-malformed": Refusal.FINAL,
    "not-allowed": Refusal.FINAL,
}


def of_entering(condition: str, type: str) -> Refusal:
    """What an error with that condition and type (RFC 6120 §8.3.2) means for trying again."""
    return Refusal.AGAIN if type == "wait" else _REFUSALS.get(condition, Refusal.AGAIN)
