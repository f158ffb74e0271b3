"""Copies of messages for the other clients of those who send and get them (XEP-0280)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..core.carbons import Shown, beside_author, beside_recipients, copy_of_received, copy_of_sent, is_private
from ..core.keeping import COPY, judge
from ..core.records import Record
from ..host.accounts import Account
from ..host.sessions import Session
from ..xmpp.element import Element
from ..xmpp.jid import JID
from ..xmpp.payload import Payload, payload_of
from ..xmpp.stanza import message_type
from .safekeeping import Safekeeping


class Copy(NamedTuple):
    """What these sessions get."""

    payload: Payload
    sessions: list[Session]


class Delivery(NamedTuple):
    """A message: as it was `said`, as `recipients` get it, and the records of what is kept of it.

    With `stands_in`, it is the account that is in the room to which it goes, for the session that has said it.
    """

    stanza: Element
    said: Payload
    message: Payload
    to: JID
    sender: JID
    records: Sequence[Record]
    recipients: Sequence[Session] = ()
    stands_in: bool = False


class Carbons:
    """Makes them, with the ids that what they are copies of has in the account's archive."""

    def __init__(self, safe: Safekeeping) -> None:
        self._safe = safe

    def of_received(self, account: Account, delivery: Delivery) -> list[Copy]:
        """Of a message, or of an error, for an account."""
        _, _, message, to, sender, _, recipients, _ = delivery
        if message.type == "error":
            return self.of_error(account, recipients[0], delivery.stanza, sender) if recipients else []
        if not message.keep & COPY:
            return []
        others = beside_recipients(account.listening, recipients, to, sender)
        if not others:
            return []
        copy = copy_of_received(message, to, account.jid)
        if recipients:  # else it waits in the spool, for a session that wants messages
            _join(message, copy)
        return [Copy(copy, others)]

    def of_sent(self, account: Account, delivery: Delivery, writer: Session | None) -> list[Copy]:
        """Of a message that `writer`, if it is still there, has sent; sessions that get it anyway need no copy."""
        stanza, said, _, to, _, records, recipients, stands_in = delivery
        others = beside_author(account.listening, writer, to, stands_in)
        others = [session for session in others if session not in recipients]
        if not others or not (said.keep & COPY or judge(stanza, message_type(stanza), is_sent=True) & COPY):
            return []
        if writer is not None:
            if writer.shown is None:
                writer.shown = Shown()
            writer.shown.add(stanza.get("id", ""), to)
        kept = self._safe.with_id(said, account, records)
        copy = copy_of_sent(kept, to, account.jid, is_private(writer, to, stands_in))
        if recipients and recipients[0].owner is account:  # a note to oneself
            _join(delivery.message, copy)
        return [Copy(copy, others)]

    def of_error(self, account: Account, writer: Session, error: Element, sender: JID) -> list[Copy]:
        """Of an error that answers what others have been shown."""
        if writer.shown is None or not writer.shown.answered(error.get("id", ""), sender):
            return []
        others = beside_author(account.listening, writer, sender, sender.bare in writer.attached)
        return [Copy(copy_of_received(payload_of(error), writer.jid, account.jid), others)] if others else []


def _join(message: Payload, copy: Payload) -> None:
    """Whichever of the two arrives, the account has the message."""
    message.copy, copy.spooled = copy, message.spooled


def hand_out(copies: Iterable[Copy]) -> None:
    """Sends them; who is not there any more needs none."""
    for payload, sessions in copies:
        for session in sessions:
            if not session.is_over:
                session.send(payload, session.jid)
