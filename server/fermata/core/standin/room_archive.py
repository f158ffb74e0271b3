"""A room's archive as an occupant asks it (XEP-0313 §4, XEP-0059): a page at a time, oldest first."""

from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.dataforms import Field, Form
from ...xmpp.delay import DELAY
from ...xmpp.element import E, Element, child, copy_of
from ...xmpp.jid import JID, JIDError
from ...xmpp.rsm import SET
from ...xmpp.stamps import stamp_of, text_of
from ..archive_query import QUERY
from .stanzas import MUC_USER, STANZA_ID

PAGE: Final = 100  #: messages in a page at most; many rooms give less
RESULT: Final = "{%s}result" % ns.MAM
_FIN: Final = "{%s}fin" % ns.MAM
_FORWARDED: Final = "{%s}forwarded" % ns.FORWARD
_MESSAGE: Final = ("message", "{%s}message" % ns.CLIENT)
_MOST_ID: Final = 1_000  # characters of an archive id


class Where(NamedTuple):
    """The part of an archive that is asked for: behind a message, from a time on (Unix seconds), or its newest page.

    A page `before` a message, or the newest where that is empty, is asked for backwards.
    """

    after: str = ""
    start: float = 0.0
    before: str | None = None


def asks(me: JID, room: JID, id: str, where: Where) -> Element:
    """The question; its id is the `queryid` of what answers it."""
    form = Form("submit", ns.MAM, (Field.text_single("start", text_of(where.start)),) if where.start else ())
    page = E(SET, None, E("{%s}max" % ns.RSM, None, str(PAGE)))
    if where.before is not None:
        page.append(E("{%s}before" % ns.RSM, None, where.before))
    elif where.after:
        page.append(E("{%s}after" % ns.RSM, None, where.after))
    query = E(QUERY, {"queryid": id}, form.element(), page)
    return E("iq", {"type": "set", "id": id, "from": me, "to": room}, query)


def id_of(result: Element) -> str:
    """The archive id in a `<result/>`; empty if it makes no sense."""
    id = result.get("id", "")
    return id if len(id) <= _MOST_ID else ""


def told_by(result: Element, room: JID, me: JID) -> Element | None:
    """The message of a `<result/>` as the room's history would tell it; None if it is no message of that room."""
    forwarded = child(result, _FORWARDED)
    delay = None if forwarded is None else child(forwarded, DELAY)
    found = () if forwarded is None else [item for item in forwarded if item.tag in _MESSAGE]
    if delay is None or len(found) != 1 or found[0].get("type") != "groupchat":
        return None
    try:
        sender, stamp = JID.parse(found[0].get("from", "")), stamp_of(delay.get("stamp", ""))
    except (JIDError, ValueError):
        return None
    if sender.bare != room or not sender.resource:
        return None
    message = copy_of(found[0])
    message.tag = "message"
    message.attrib.update({"from": sender, "to": me})
    for item in [item for item in message if _is_ours_to_say(item, room)]:
        message.remove(item)
    for item in message:
        item.tag = item.tag.removeprefix("{%s}" % ns.CLIENT)
    message.append(E(STANZA_ID, {"by": room, "id": id_of(result)}))
    message.append(E(DELAY, {"from": room, "stamp": text_of(stamp)}))
    return message


def _is_ours_to_say(item: Element, room: JID) -> bool:
    """What archives say of a message, and what the room says to each occupant in another way."""
    return item.tag in (STANZA_ID, MUC_USER) or (item.tag == DELAY and item.get("from", room) == room)


def is_complete(answer: Element) -> bool | None:
    """Whether an answer says that there is no more; None if it answers nothing."""
    fin = child(answer, _FIN)
    return None if fin is None else fin.get("complete") in ("true", "1")
