"""Presence subscriptions between an account and one contact (RFC 6121 §3, appendix A)."""

from enum import Enum
from typing import Final, NamedTuple


class State(Enum):
    """The nine states of appendix A.1, seen from the account: (subscription, asked the contact, asked by the contact).

    *To*: the account gets the contact's presence. *From*: the contact gets the account's.
    """

    NONE = ("none", False, False)
    NONE_PENDING_OUT = ("none", True, False)
    NONE_PENDING_IN = ("none", False, True)
    NONE_PENDING_OUT_IN = ("none", True, True)
    TO = ("to", False, False)
    TO_PENDING_IN = ("to", False, True)
    FROM = ("from", False, False)
    FROM_PENDING_OUT = ("from", True, False)
    BOTH = ("both", False, False)

    def __init__(self, subscription: str, ask: bool, pending_in: bool) -> None:
        self.subscription, self.ask, self.pending_in = subscription, ask, pending_in
        self.has_to = subscription in ("to", "both")
        self.has_from = subscription in ("from", "both")


_STATES: Final = {state.value: state for state in State}


def state_of(subscription: str, ask: bool, pending_in: bool) -> State:
    """The state that these make; what is asked for does not count where it is granted already."""
    has_to, has_from = subscription in ("to", "both"), subscription in ("from", "both")
    return _STATES[subscription, ask and not has_to, pending_in and not has_from]


class Outcome(NamedTuple):
    """What a subscription stanza comes to, on the side of one account.

    `approved`: the contact has approval in advance (§3.4). `passes`: an outbound stanza is routed to the contact, an
    inbound one delivered to the account's clients. `push`: the item that clients see has changed. `reply`: the type of
    the presence that answers the contact on the account's behalf, or empty. `presence`: what the contact gets from
    each of the account's available sessions: their current presence (`available`, after the stanza), `unavailable`
    (before it, while the contact is still subscribed: §3.2.2), or nothing.
    """

    state: State
    approved: bool
    passes: bool
    push: bool
    reply: str = ""
    presence: str = ""


# Appendix A.2 and A.3: the state changes. What stands in neither table changes nothing.
_OUTBOUND: Final[dict[str, dict[State, State]]] = {
    "subscribe": {
        State.NONE: State.NONE_PENDING_OUT,
        State.NONE_PENDING_IN: State.NONE_PENDING_OUT_IN,
        State.FROM: State.FROM_PENDING_OUT,
    },
    "unsubscribe": {
        State.NONE_PENDING_OUT: State.NONE,
        State.NONE_PENDING_OUT_IN: State.NONE_PENDING_IN,
        State.TO: State.NONE,
        State.TO_PENDING_IN: State.NONE_PENDING_IN,
        State.FROM_PENDING_OUT: State.FROM,
        State.BOTH: State.FROM,
    },
    "subscribed": {
        State.NONE_PENDING_IN: State.FROM,
        State.NONE_PENDING_OUT_IN: State.FROM_PENDING_OUT,
        State.TO_PENDING_IN: State.BOTH,
    },
    "unsubscribed": {
        State.NONE_PENDING_IN: State.NONE,
        State.NONE_PENDING_OUT_IN: State.NONE_PENDING_OUT,
        State.TO_PENDING_IN: State.TO,
        State.FROM: State.NONE,
        State.FROM_PENDING_OUT: State.NONE_PENDING_OUT,
        State.BOTH: State.TO,
    },
}
_INBOUND: Final[dict[str, dict[State, State]]] = {
    "subscribe": {
        State.NONE: State.NONE_PENDING_IN,
        State.NONE_PENDING_OUT: State.NONE_PENDING_OUT_IN,
        State.TO: State.TO_PENDING_IN,
    },
    # The contact takes back what the account could have refused, and the other way round.
    "unsubscribe": _OUTBOUND["unsubscribed"],
    "subscribed": {
        State.NONE_PENDING_OUT: State.TO,
        State.NONE_PENDING_OUT_IN: State.TO_PENDING_IN,
        State.FROM_PENDING_OUT: State.BOTH,
    },
    "unsubscribed": _OUTBOUND["unsubscribe"],
}


def outbound(type: str, state: State, approved: bool = False) -> Outcome:
    """The account sends a subscription stanza of that type to the contact (appendix A.2)."""
    new = _OUTBOUND[type].get(state, state)
    changes = new is not state
    has_approval = approved
    if type == "subscribed":
        has_approval = approved or not (changes or state.has_from)  # §3.4.2
    elif type == "unsubscribed":
        has_approval = False
    passes = changes or type in ("subscribe", "unsubscribe")
    push = _shows(new, has_approval) != _shows(state, approved)
    return Outcome(new, has_approval, passes, push, presence=_presence(state, new))


def inbound(type: str, state: State, approved: bool = False) -> Outcome:
    """The contact sends a subscription stanza of that type to the account (appendix A.3).

    An `unsubscribe` gets no `unsubscribed` for an answer: all that this could end is a new request of the contact's.
    """
    if type == "subscribe" and (approved or state.has_from):
        asked = _INBOUND[type].get(state, state)
        new = _OUTBOUND["subscribed"].get(asked, asked)
        # The contact that asks again may have lost what it knew: it gets our presence in any case.
        return Outcome(new, approved, passes=False, push=new is not state, reply="subscribed", presence="available")
    new = _INBOUND[type].get(state, state)
    push = _shows(new, approved) != _shows(state, approved)
    return Outcome(new, approved, new is not state, push, presence=_presence(state, new))


def _shows(state: State, approved: bool) -> tuple[str, bool, bool]:
    """What a client sees of it: requests by the contact are no part of a roster (§2.1.2)."""
    return state.subscription, state.ask, approved


def _presence(before: State, after: State) -> str:
    if before.has_from == after.has_from:
        return ""
    return "available" if after.has_from else "unavailable"
