"""The one rule function: what becomes of a message."""

from ..xmpp.element import Element, child

ARCHIVE, COPY, SPOOL, URGENT, PUSH = 1, 2, 4, 8, 16


def judge(message: Element, type: str) -> int:
    """Placeholder until the table is in."""
    return 31 if type in ("chat", "normal") and child(message, "body") is not None else 0


def room_keeps(message: Element) -> int:
    """Placeholder until the table is in."""
    return 31 if child(message, "body") is not None else 0
