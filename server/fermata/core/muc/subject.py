"""The room's subject: who may change it, and the message that tells it (XEP-0045 §7.2.15, §8.1)."""

from typing import NamedTuple

from ...xmpp.delay import delayed
from ...xmpp.element import Element, child, escape_text
from ...xmpp.jid import JID
from ...xmpp.payload import Payload
from .occupants import occupant_id_xml


class Subject(NamedTuple):
    """A room's subject; `by` is the bare JID of who set it with his nickname as resource, empty if nobody has.

    `message` tells it to somebody who enters.
    """

    text: str
    by: str
    stamp: float
    message: Payload

    @classmethod
    def of(cls, room: JID, secret: bytes, text: str = "", by: str = "", stamp: float = 0.0) -> "Subject":
        """The subject of the room with that JID and secret."""
        sender, author = room, ""
        if by:
            setter = JID.parse(by)
            sender, author = room.with_resource(setter.resource), occupant_id_xml(secret, setter.bare)
        subject = f"<subject>{escape_text(text)}</subject>"
        rest = f" from='{sender.attribute}' type='groupchat'>{subject}{author}</message>"
        message = Payload("message", rest, sender, "groupchat", stamp=stamp)
        return cls(text, by, stamp, delayed(message, room, stamp) if stamp else message)


def subject_of(message: Element) -> str | None:
    """The subject that a message sets: one with a body or a thread sets none (§8.1)."""
    subject = child(message, "subject")
    if subject is None or child(message, "body") is not None or child(message, "thread") is not None:
        return None
    return subject.text or ""
