"""Who is to be told when there is something new in a room: registrations for push, and what they wait for."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ...xmpp.element import Element
from ...xmpp.jid import JID
from ..records import PushRemoved, PushSaved

ANSWER_SECONDS: Final = 900.0  #: for so long an answer may still come: who was cut off answers when he is back
MOST_CHECKS: Final = 20  #: push services that are asked at a time what they are


class Registration:
    """`node` at `jid` is told, for the bare JID `registrant`; the rest is as in `core.records.PushSaved`.

    `id` is that of the push that has no answer yet, empty for none; before `quiet_until` there is no other one;
    `missed` counts the messages since the registrant was last in the room or was last told. `is_own`: he is told
    himself, and not by a push service; `is_for_session`: by one of his sessions, and only while that is not in.
    """

    __slots__ = (
        "failing_since",
        "failures",
        "id",
        "is_for_session",
        "is_own",
        "jid",
        "missed",
        "node",
        "options",
        "quiet_until",
        "registrant",
    )

    def __init__(
        self, registrant: JID, jid: JID, node: str, options: str = "", failures: int = 0, failing_since: float = 0.0
    ) -> None:
        self.registrant, self.jid, self.node, self.options = registrant, jid, node, options
        self.failures, self.failing_since = failures, failing_since
        self.id, self.quiet_until, self.missed = "", 0.0, 0
        self.is_own = jid.bare == registrant
        self.is_for_session = self.is_own and bool(jid.resource)

    @property
    def key(self) -> tuple[JID, JID, str]:
        """There is one registration for each of these."""
        return self.registrant, self.jid, self.node

    def saved(self, room: int) -> PushSaved:
        """It as it is kept."""
        return PushSaved(room, *self.key, self.options, self.failures, self.failing_since)

    def removed(self, room: int) -> PushRemoved:
        """The word that it is gone."""
        return PushRemoved(room, *self.key)


class Check(NamedTuple):
    """A push service that was asked what it is, before `registration` is one; `iq` is the request that waits for it."""

    iq: Element
    sender: JID
    registration: Registration
    asked: float


class Registrations:
    """All of a room.

    `all` are by key, `pushed` by the id of the push that waits for an answer, and `checks` by the id of the question.
    """

    __slots__ = ("all", "checks", "pushed")

    def __init__(self, saved: Iterable[PushSaved] = ()) -> None:
        self.all: dict[tuple[JID, JID, str], Registration] = {}
        self.pushed: dict[str, Registration] = {}
        self.checks: dict[str, Check] = {}
        for row in saved:
            self.put(Registration(JID.parse(row.registrant), JID.parse(row.jid), *row[3:]))

    def put(self, one: Registration) -> None:
        """A registration, which takes the place of one that was the same."""
        older = self.all.get(one.key)
        if older is not None:
            self.pushed.pop(older.id, None)
        self.all[one.key] = one

    def drop(self, one: Registration) -> None:
        """It is gone."""
        del self.all[one.key]
        self.pushed.pop(one.id, None)

    def expect(self, one: Registration, id: str, now: float) -> None:
        """A push with that id is sent; until it is answered there is no other."""
        self.pushed.pop(one.id, None)
        self.pushed[id] = one
        one.id, one.quiet_until = id, now + ANSWER_SECONDS

    def take(self, id: str, sender: JID) -> Registration | None:
        """The registration whose push somebody answers; None if it is an answer to none."""
        one = self.pushed.get(id)
        if one is None or one.jid != sender:
            return None
        one.id = ""
        return self.pushed.pop(id)

    def of(self, registrant: JID) -> list[Registration]:
        """Those of one person."""
        return [one for one in self.all.values() if one.registrant == registrant]
