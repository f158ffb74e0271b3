"""A stanza that was serialised once for any number of recipients: only `to` differs.

Fan-outs, delivery queues and stream management all pass these along instead of elements.
"""

from .element import Element, serialise
from .jid import JID


class Payload:
    """A stanza but for its `to`, with what a later decision about it needs.

    `kind` is message, presence or iq; `sender` its `from`; `type` its type attribute; `archive_id` the id it has in the
    archive of the entity that hands it out (empty where it is in none); `stamp` when that was (Unix seconds); `keep`
    the verdict of the rule function (`core.keeping`), an int of flags; `spooled` the number under which it waits in the
    recipient's spool until it has arrived (0: it does not); `has_arrived` whether a client has it, by its own word or,
    if it counts nothing, because it was written; `noted` the number under which it stands in the log of sessions, or 0;
    `copy` the same message as the recipient's other sessions get it (XEP-0280), if they do.
    """

    __slots__ = (
        *("archive_id", "copy", "has_arrived", "keep", "kind", "noted", "rest", "sender", "spooled", "stamp", "type"),
        "__weakref__",
    )

    def __init__(
        self, kind: str, rest: str, sender: str, type: str = "", archive_id: str = "", stamp: float = 0.0, keep: int = 0
    ) -> None:
        self.kind, self.rest, self.sender, self.type = kind, rest, sender, type
        self.archive_id, self.stamp, self.keep = archive_id, stamp, keep
        self.spooled = self.noted = 0
        self.has_arrived = False
        self.copy: Payload | None = None

    def addressed(self, to: JID) -> str:
        """The whole stanza, for one recipient."""
        return f"<{self.kind} to='{to.attribute}'{self.rest}"

    def with_child(self, xml: str) -> "Payload":
        """The same stanza with one more child, given as XML, at its end."""
        if self.rest.endswith("/>"):
            rest = f"{self.rest[:-2]}>{xml}</{self.kind}>"
        else:
            end = len(self.kind) + 3
            rest = f"{self.rest[:-end]}{xml}</{self.kind}>"
        longer = Payload(self.kind, rest, self.sender, self.type, self.archive_id, self.stamp, self.keep)
        longer.spooled = self.spooled
        return longer


def payload_of(stanza: Element, keep: int = 0, archive_id: str = "", stamp: float = 0.0) -> Payload:
    """Serialises a stanza; its own `to` is left out and comes back with `Payload.addressed`."""
    attributes = stanza.attrib
    to = attributes.pop("to", None)
    try:
        text = serialise(stanza)
    finally:
        if to is not None:
            attributes["to"] = to
    kind = stanza.tag
    return Payload(
        kind, text[len(kind) + 1 :], attributes.get("from", ""), attributes.get("type", ""), archive_id, stamp, keep
    )
