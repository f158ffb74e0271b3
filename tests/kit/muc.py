"""Rooms on the wire: entering them in the strict order of XEP-0045 §7.1, configuring them, changing their lists."""

from dataclasses import dataclass, field

from . import ns
from .stanzas import Element, codes, find, find_all, mismatch, quoteattr, show, text
from .wire import Client

Values = str | list[str]
INSTANT = f"<query xmlns='{ns.MUC_OWNER}'><x xmlns='{ns.DATA}' type='submit'/></query>"


@dataclass
class Entry:
    """What a person saw on entering."""

    others: list[Element] = field(default_factory=list)
    own: Element = field(default_factory=lambda: Element("none"))
    history: list[Element] = field(default_factory=list)
    subject: Element = field(default_factory=lambda: Element("none"))

    @property
    def codes(self) -> set[str]:
        return codes(self.own)


def join(
    room: str, nick: str, *, password: str | None = None, history: str = "", content: str = "", id: str = ""
) -> str:
    """A presence that asks to enter; `history` is the attributes of that element."""
    inside = f"<password>{password}</password>" if password is not None else ""
    inside += f"<history {history}/>" if history else ""
    named = f" id={quoteattr(id)}" if id else ""
    to = quoteattr(f"{room}/{nick}")
    return f"<presence to={to}{named}><x xmlns='{ns.MUC}'>{inside}</x>{content}</presence>"


def enter(client: Client, room: str, nick: str, **options: str) -> Entry:
    """Enter, and read what has to come: the others' presence, one's own, the history, the subject."""
    client.send(join(room, nick, **options))
    return entered(client, room)


def entered(client: Client, room: str) -> Entry:
    """Read what comes on entering. Each stanza out of order fails the test."""
    entry = Entry()
    while True:
        presence = client.expect("presence", "user:x", lambda stanza: stanza.get("from", "").startswith(room + "/"))
        assert presence.get("type") is None, show(presence)
        if "110" in codes(presence):
            break
        entry.others.append(presence)
    entry.own = presence
    while True:
        message = client.expect("message", type="groupchat")
        if is_subject(message):
            break
        assert find(message, "delay:delay") is not None, f"live traffic before the subject: {show(message)}"
        entry.history.append(message)
    entry.subject = message
    return entry


def is_subject(message: Element) -> bool:
    """Whether it sets the subject: a subject, and neither a body nor a thread."""
    if mismatch(message, "message", ("subject",), {}):
        return False
    return text(message, "body") is None and text(message, "thread") is None


def say(client: Client, room: str, body: str, id: str = "") -> None:
    """A message to everybody, whose id is its body unless it has another one."""
    client.send(f"<message type='groupchat' to='{room}' id='{id or body}'><body>{body}</body></message>")


def talk(client: Client, room: str, *words: str) -> None:
    """Messages to everybody; when this returns, the room has them."""
    for word in words:
        say(client, room, word)
    client.sync(room)


def bodies(messages: list[Element]) -> list[str | None]:
    """What was said."""
    return [text(message, "body") for message in messages]


def form(form_type: str, **fields: Values) -> str:
    """A submitted data form; a field's `__` stands for `#`."""
    xml = f"<field var='FORM_TYPE'><value>{form_type}</value></field>"
    for var, values in fields.items():
        inside = "".join(f"<value>{each}</value>" for each in ([values] if isinstance(values, str) else values))
        xml += f"<field var='{var.replace('__', '#')}'>{inside}</field>"
    return f"<x xmlns='{ns.DATA}' type='submit'>{xml}</x>"


def configuration(**fields: Values) -> str:
    """The owner's request that sets fields of the configuration; a name without `__` gets `muc#roomconfig_`."""
    named = {var if "__" in var else f"muc__roomconfig_{var}": values for var, values in fields.items()}
    return f"<query xmlns='{ns.MUC_OWNER}'>{form(ns.MUC_ROOM_CONFIG, **named)}</query>"


def create(client: Client, room: str, nick: str, **fields: Values) -> Entry:
    """Make a room and open it with those fields of its configuration; nothing of it is left to read."""
    entry = enter(client, room, nick)
    assert "201" in entry.codes, f"the room is not new: {show(entry.own)}"
    client.set(configuration(**fields) if fields else INSTANT, room)
    client.sync(f"{room}/{nick}")
    return entry


def configure(client: Client, room: str, **fields: Values) -> None:
    """Change fields of the configuration; what the room says of it comes next."""
    client.set(configuration(**fields), room)


def items(client: Client, room: str, **attributes: str) -> list[dict[str, str]]:
    """What a list of the room holds: `affiliation='member'` and the like."""
    pairs = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    reply = client.get(f"<query xmlns='{ns.MUC_ADMIN}'><item {pairs}/></query>", room)
    return [dict(each.attrib) for each in find_all(reply, "admin:query/admin:item")]


def change(reason: str = "", **attributes: str) -> str:
    """The request of a moderator, admin or owner that changes one role or affiliation."""
    pairs = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    inside = f"<reason>{reason}</reason>" if reason else ""
    return f"<query xmlns='{ns.MUC_ADMIN}'><item {pairs}>{inside}</item></query>"


def party(room: str, clients: dict[str, Client], **fields: Values) -> None:
    """Make a room (the first is its owner) and let everybody enter; nothing is left to read."""
    (first, owner), *others = clients.items()
    create(owner, room, first, **fields)
    for nick, client in others:
        enter(client, room, nick)
    drain(room, clients)


def drain(room: str, clients: dict[str, Client]) -> None:
    """Drop what the room has sent so far to these occupants, by nick."""
    for nick, client in clients.items():
        client.sync(f"{room}/{nick}")
