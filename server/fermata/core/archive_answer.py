"""What an archive answers (XEP-0313 §4.1.5, §4.2, §4.4): messages one by one, then the end of the page."""

from collections.abc import Callable
from typing import Final, NamedTuple

from ..xmpp import namespaces as ns
from ..xmpp.dataforms import Field, Form
from ..xmpp.element import E, Element, escape
from ..xmpp.jid import JID
from ..xmpp.payload import Payload
from ..xmpp.rsm import SET
from ..xmpp.stamps import text_of
from .archive_query import GROUPCHAT_FIELD, METADATA, QUERY, Found, Query, Row

_FIN: Final = "{%s}fin" % ns.MAM
_FIELD: Final = "{%s}field" % ns.DATA_FORMS
_VALIDATE: Final = "{%s}validate" % ns.DATA_VALIDATE


class Ends(NamedTuple):
    """The oldest and the newest message of an archive, each as place and time."""

    oldest: tuple[int, float]
    newest: tuple[int, float]


def results(
    archive: JID, query: Query, found: Found, id_of: Callable[[int], str], told: Callable[[Row, str], str]
) -> list[Payload]:
    """The messages of a page, in the order in which they are to be sent.

    `told(row, id)` is a message as XML, as it may be shown to who asks.
    """
    queryid = "" if query.queryid is None else f" queryid='{escape(query.queryid)}'"
    opening = f" from='{archive.attribute}'><result xmlns='{ns.MAM}'{queryid} id='"
    payloads = []
    for row in reversed(found.rows) if query.flipped else found.rows:
        id = id_of(row.seq)
        # What is kept has no namespace of its own; in here it is a client's (XEP-0297 §3).
        message = told(row, id).removeprefix("<message")
        rest = (
            f"{opening}{id}'><forwarded xmlns='{ns.FORWARD}'><delay xmlns='{ns.DELAY}' stamp='{text_of(row.stamp)}'/>"
            f"<message xmlns='{ns.CLIENT}'{message}</forwarded></result></message>"
        )
        payloads.append(Payload("message", rest, archive))
    return payloads


def fin(found: Found, id_of: Callable[[int], str]) -> Element:
    """The end of a page: `<first/>` is its oldest message, in whichever order they were sent."""
    where = Element(SET)
    if found.rows:
        where.append(E("{%s}first" % ns.RSM, None, id_of(found.rows[0].seq)))
        where.append(E("{%s}last" % ns.RSM, None, id_of(found.rows[-1].seq)))
    if found.total is not None:
        where.append(E("{%s}count" % ns.RSM, None, str(found.total)))
    return E(_FIN, {"complete": "true"} if found.is_complete else None, where)


def metadata(ends: Ends | None, id_of: Callable[[int], str]) -> Element:
    """Where an archive begins and ends; nothing if it is empty."""
    answer = Element(METADATA)
    if ends is not None:
        for name, (seq, stamp) in zip(("start", "end"), ends, strict=True):
            answer.append(E("{%s}%s" % (ns.MAM, name), {"id": id_of(seq), "timestamp": text_of(stamp)}))
    return answer


def form(fields: frozenset[str]) -> Element:
    """The form of a query, for those who ask which fields there are."""
    asked = [
        Field.jid_single("with", "", "Only messages of or to this address"),
        Field("text-single", "start", label="Not before this time"),
        Field("text-single", "end", label="Not after this time"),
        Field("text-single", "before-id", label="Before this message"),
        Field("text-single", "after-id", label="After this message"),
        Field.list_multi("ids", (), {}, "These messages"),
    ]
    if GROUPCHAT_FIELD in fields:
        asked.append(Field("boolean", GROUPCHAT_FIELD, label="Messages of rooms too"))
    element = Form("form", ns.MAM, tuple(asked)).element()
    for field in element.iter(_FIELD):
        if field.get("var") == "ids":
            # Any id may be given: the archive will not list them all (XEP-0122 §3.2.3).
            field.append(E(_VALIDATE, {"datatype": "xs:string"}, Element("{%s}open" % ns.DATA_VALIDATE)))
    return E(QUERY, None, element)
