"""What a room says about an occupant, and the presence that says it to somebody (XEP-0045 §7.2.2 to §7.2.4).

Presences are put together as text from parts that were serialised once: a room with many occupants makes many.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.element import escape
from ...xmpp.jid import JID
from ...xmpp.payload import Payload

_X: Final = f"<x xmlns='{ns.MUC_USER}'>"


class Notice(NamedTuple):
    """What the room says about an occupant, but for what depends on who reads it.

    `jid` is the real JID, for those who may see it; `presence` is kept as by `occupants.Session`; `nick` is the new
    nickname of who changes it; `inside` stands within `<item/>` and `after` behind it, both XML; `codes` say why.
    """

    sender: JID
    id_xml: str
    jid: JID
    affiliation: str
    role: str
    type: str = ""
    presence: str = ">"
    nick: str = ""
    inside: str = ""
    after: str = ""
    codes: tuple[int, ...] = ()


def compose(notice: Notice, reveal: bool, codes: Iterable[int] = (), id: str = "") -> Payload:
    """One presence from an occupant, with its real JID or without."""
    sender, id_xml, jid, affiliation, role, kind, presence, nick, inside, after, _ = notice
    attributes = f" from='{sender.attribute}'"
    if id:
        attributes += f" id='{escape(id)}'"
    if kind:
        attributes += f" type='{kind}'"
    item = f"<item affiliation='{affiliation}' role='{role}'"
    if reveal:
        item += f" jid='{jid.attribute}'"
    if nick:
        item += f" nick='{escape(nick)}'"
    item += f">{inside}</item>" if inside else "/>"
    statuses = "".join([f"<status code='{code}'/>" for code in codes])
    rest = f"{attributes}{presence}{id_xml}{_X}{item}{after}{statuses}</x></presence>"
    return Payload("presence", rest, sender, kind)
