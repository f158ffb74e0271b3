"""What a step of a publish-subscribe service asks for: records to keep, an answer, then notifications to send."""

from collections.abc import Sequence
from typing import NamedTuple

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ..records import Record
from .node import Node


class Notice(NamedTuple):
    """An `<event/>` of a node for everybody who is to hear of it, or for these addresses only.

    `id` is the item that it tells of, if it tells of one that is there now.
    """

    node: Node
    event: Element
    to: Sequence[JID] | None = None
    id: str = ""


class Changed(NamedTuple):
    """An item was published, with that payload, or is gone (None); for those in this server who follow a node."""

    node: str
    id: str
    payload: Element | None


class Question(NamedTuple):
    """A message with a form that asks the owners of a node for something."""

    form: Element
    text: str
    to: Sequence[JID]


class Effects:
    """What one step does: `records` are committed first, then the answer and what tells others go out, in order.

    `last` is for whom the last item of which node is to be fetched and sent: a new subscriber.
    """

    __slots__ = ("answer", "changes", "last", "notices", "questions", "records")

    def __init__(self, answer: Element | None = None) -> None:
        self.answer = answer
        self.records: list[Record] = []
        self.changes: list[Changed] = []
        self.notices: list[Notice] = []
        self.questions: list[Question] = []
        self.last: tuple[Node, JID] | None = None
