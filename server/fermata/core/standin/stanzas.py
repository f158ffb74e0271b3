"""The stanzas that a stand-in reads and writes."""

from collections.abc import Iterable
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.delay import DELAY
from ...xmpp.element import E, Element, child, copy_of
from ...xmpp.jid import JID, JIDError
from ...xmpp.stamps import stamp_of, text_of

MUC: Final = "{%s}x" % ns.MUC
MUC_USER: Final = "{%s}x" % ns.MUC_USER
ITEM: Final = "{%s}item" % ns.MUC_USER
STATUS: Final = "{%s}status" % ns.MUC_USER
DESTROY: Final = "{%s}destroy" % ns.MUC_USER
PASSWORD: Final = "{%s}password" % ns.MUC
HISTORY: Final = "{%s}history" % ns.MUC
REJOIN: Final = "{%s}rejoin-if-needed" % ns.REJOIN
REJOINED: Final = "{%s}rejoined" % ns.REJOIN
REJOIN_PASSWORD: Final = "{%s}password" % ns.REJOIN
DIRECT: Final = "{%s}direct" % ns.ACCOUNT_JOIN
LEAVE: Final = "{%s}leave" % ns.ACCOUNT_JOIN
STANZA_ID: Final = "{%s}stanza-id" % ns.SID
PING: Final = "{%s}ping" % ns.PING
_MUJI: Final = "{%s}" % ns.MUJI
_INVITATION: Final = "{%s}x" % ns.DIRECT_INVITE
_INVITE: Final = "{%s}invite" % ns.MUC_USER
IDLE: Final = "{%s}idle" % ns.IDLE


def codes_of(presence: Element) -> frozenset[str]:
    """The status codes in a presence (XEP-0045 §15.6)."""
    x = child(presence, MUC_USER)
    return frozenset() if x is None else frozenset(item.get("code", "") for item in x if item.tag == STATUS)


def is_call(presence: Element) -> bool:
    """Whether it is about a conference call, which is between clients (XEP-0272)."""
    return any(item.tag.startswith(_MUJI) for item in presence)


def invites_back(message: Element, room: JID) -> bool:
    """Whether a room invites to itself (XEP-0249, XEP-0045 §7.8.2): its occupants need no invitation."""
    for item in message:
        if item.tag == _INVITATION and item.get("jid") == room:
            return True
        if item.tag == MUC_USER and child(item, _INVITE) is not None:
            return True
    return False


def invited_to(message: Element, sender: JID) -> JID | None:
    """The room to which a message invites that has nothing else to say: the one that sends it, or another one."""
    for item in message:
        if item.tag == MUC_USER and not sender.resource and child(item, _INVITE) is not None:
            return sender
        if item.tag == _INVITATION and child(message, "body") is None:
            try:
                return JID.parse(item.get("jid", ""))
            except JIDError:
                return None
    return None


def new_nick(presence: Element, room: JID) -> JID | None:
    """Under which occupant JID somebody goes on who changes his nickname (status 303); None if it is not said."""
    x = child(presence, MUC_USER)
    item = None if x is None else child(x, ITEM)
    nick = None if item is None else item.get("nick")
    try:
        return room.with_resource(nick) if nick else None
    except JIDError:
        return None


def is_destroyed(presence: Element) -> bool:
    """Whether it says that the room is no more (§10.9)."""
    x = child(presence, MUC_USER)
    return x is not None and child(x, DESTROY) is not None


def is_subject(message: Element) -> bool:
    """Whether it tells the subject (§7.2.15): that, and neither body nor thread."""
    tags = {item.tag for item in message}
    return "subject" in tags and not tags & {"body", "thread"}


def said_at(message: Element) -> float:
    """When a message of the history was said (Unix seconds); 0 for one that is said now."""
    found = child(message, DELAY)
    try:
        return 0.0 if found is None else stamp_of(found.get("stamp", ""))
    except ValueError:
        return 0.0


def stanza_id(message: Element, room: JID) -> str:
    """The place that the room says the message has in its archive (XEP-0359); empty for none."""
    for item in message:
        if item.tag == STANZA_ID and item.get("by") == room:
            return item.get("id", "")
    return ""


def identity(message: Element, room: JID) -> str:
    """What a message is known by, if it comes twice: the room's stanza-id or, without one, who said it when and how."""
    id = stanza_id(message, room)
    if id:
        return id
    body = child(message, "body")
    text = "" if body is None else body.text or ""
    return f"{message.get('from')} {message.get('id', '')} {text}"


def enters(me: JID, occupant: JID, history: dict[str, str], password: str, others: Iterable[Element]) -> Element:
    """A presence that enters a room (§7.2); `history` is what that element says, nothing where it is left out."""
    x = E(MUC)
    if password:
        x.append(E(PASSWORD, None, password))
    if history:
        x.append(E(HISTORY, history))
    return E("presence", {"from": me, "to": occupant}, x, *others)


def leaves(me: JID, occupant: JID, status: str = "") -> Element:
    """A presence that leaves it (§7.14)."""
    presence = E("presence", {"from": me, "to": occupant, "type": "unavailable"})
    if status:
        presence.append(E("status", None, status))
    return presence


def is_in(occupant: JID) -> Element:
    """The room's word that oneself is in: in the room's name, where it has not said more to us."""
    return E("presence", {"from": occupant}, _about_oneself("participant"))


def is_out(occupant: JID, *codes: str) -> Element:
    """The room's word that oneself is out, likewise."""
    return E("presence", {"from": occupant, "type": "unavailable"}, _about_oneself("none", *codes))


def _about_oneself(role: str, *codes: str) -> Element:
    statuses = (E(STATUS, {"code": code}) for code in ("110", *codes))
    return E(MUC_USER, None, E(ITEM, {"affiliation": "none", "role": role}), *statuses)


def without_codes(presence: Element, codes: frozenset[str]) -> Element:
    """A copy of a presence that leaves these status codes out."""
    copy = copy_of(presence)
    x = child(copy, MUC_USER)
    if x is not None:
        for item in [item for item in x if item.tag == STATUS and item.get("code") in codes]:
            x.remove(item)
    return copy


def with_code(presence: Element, code: str) -> Element:
    """A copy of a presence that has one status code more."""
    copy = copy_of(presence)
    x = child(copy, MUC_USER)
    if x is not None:
        x.append(E(STATUS, {"code": code}))
    return copy


def idle(since: float) -> Element:
    """Since when nobody is there (XEP-0319)."""
    return E(IDLE, {"since": text_of(since)})
