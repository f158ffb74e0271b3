"""What a client does in a crash run: each deed with its stanza, and with how it is recognised on the disk."""

from dataclasses import dataclass

from .. import ns

Key = tuple[str, str, str]  # what, whose, about whom
Settings = dict[Key, str]


@dataclass(frozen=True, slots=True)
class Deed:
    """One stanza. As such it leaves nothing on the disk: a chat state, a ping, a status."""

    id: str
    xml: str


@dataclass(frozen=True, slots=True)
class Message(Deed):
    """A message with a body that nobody else ever writes; `to` is the bare JID of an account or a room."""

    text: str
    to: str
    is_groupchat: bool


@dataclass(frozen=True, slots=True)
class Change(Deed):
    """Something is from now on so (`value`), or not there any more (None)."""

    key: Key
    value: str | None


def chat(id: str, to: str, text: str) -> Message:
    return Message(id, f"<message type='chat' id='{id}' to='{to}'><body>{text}</body></message>", text, to, False)


def groupchat(id: str, room: str, text: str) -> Message:
    xml = f"<message type='groupchat' id='{id}' to='{room}'><body>{text}</body></message>"
    return Message(id, xml, text, room, True)


def composing(id: str, to: str) -> Deed:
    return Deed(id, f"<message type='chat' id='{id}' to='{to}'><composing xmlns='{ns.CHAT_STATES}'/></message>")


def ping(id: str) -> Deed:
    return Deed(id, f"<iq type='get' id='{id}'><ping xmlns='{ns.PING}'/></iq>")


def available(id: str) -> Deed:
    return Deed(id, f"<presence id='{id}'/>")


def status(id: str, room: str, nick: str) -> Deed:
    return Deed(id, f"<presence id='{id}' to='{room}/{nick}'><status>{id}</status></presence>")


def enter(id: str, room: str, nick: str, jid: str) -> Change:
    xml = f"<presence id='{id}' to='{room}/{nick}'><x xmlns='{ns.MUC}'/></presence>"
    return Change(id, xml, ("occupancy", room, jid), nick)


def leave(id: str, room: str, nick: str, jid: str) -> Change:
    xml = f"<presence id='{id}' type='unavailable' to='{room}/{nick}'/>"
    return Change(id, xml, ("occupancy", room, jid), None)


def name_contact(id: str, account: str, contact: str) -> Change:
    """The contact gets the id as its name."""
    return _roster_set(id, f"<item jid='{contact}' name='{id}'/>", ("roster", account, contact), id)


def remove_contact(id: str, account: str, contact: str) -> Change:
    return _roster_set(id, f"<item jid='{contact}' subscription='remove'/>", ("roster", account, contact), None)


def _roster_set(id: str, item: str, key: Key, value: str | None) -> Change:
    return Change(id, f"<iq type='set' id='{id}'><query xmlns='{ns.ROSTER}'>{item}</query></iq>", key, value)


def affiliate(id: str, room: str, jid: str, affiliation: str) -> Change:
    """The id is the reason, so that no two changes are the same."""
    item = f"<item affiliation='{affiliation}' jid='{jid}'><reason>{id}</reason></item>"
    xml = f"<iq type='set' id='{id}' to='{room}'><query xmlns='{ns.MUC_ADMIN}'>{item}</query></iq>"
    return Change(id, xml, ("affiliation", room, jid), None if affiliation == "none" else f"{affiliation} {id}")


def describe(id: str, room: str) -> Change:
    """The room gets the id as its description."""
    field = f"<field var='muc#roomconfig_roomdesc'><value>{id}</value></field>"
    return Change(id, _configuration(id, room, field), ("configuration", room, "roomdesc"), id)


def accept_configuration(id: str, room: str) -> Deed:
    """A new room opens as it is (XEP-0045 §10.1.2)."""
    return Deed(id, _configuration(id, room, ""))


def _configuration(id: str, room: str, fields: str) -> str:
    form_type = f"<field var='FORM_TYPE' type='hidden'><value>{ns.MUC_ROOM_CONFIG}</value></field>" if fields else ""
    form = f"<x xmlns='{ns.DATA}' type='submit'>{form_type}{fields}</x>"
    return f"<iq type='set' id='{id}' to='{room}'><query xmlns='{ns.MUC_OWNER}'>{form}</query></iq>"
