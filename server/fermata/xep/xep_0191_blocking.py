"""XEP-0191: Blocking Command. What is blocked is refused where it arrives; here the list is told and changed."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from ..core.blocking import BLOCK, BLOCKLIST, UNBLOCK, Change
from ..core.records import Record, Step
from ..host.accounts import Account
from ..host.extension import Host, extension
from ..host.iq import Addressee, Answer, Request
from ..services.reports import Reports
from ..services.standins import StandIns
from ..xmpp import namespaces as ns
from ..xmpp.element import Element
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID
from ..xmpp.payload import payload_of

_ENTRIES_MAX: Final = 10_000
_Consequence = Callable[[Account, Iterable[JID]], None]


@extension(xep=191, version="1.3", features=(ns.BLOCKING,))
def blocking(host: Host) -> None:
    """Answers the account itself."""
    blocking = _Blocking(host)
    host.on_iq(Addressee.SELF, "get", BLOCKLIST, blocking.get)
    host.on_iq(Addressee.SELF, "set", BLOCK, blocking.block)
    host.on_iq(Addressee.SELF, "set", UNBLOCK, blocking.unblock)


class _Blocking:
    def __init__(self, host: Host) -> None:
        self._sessions, self._visibility = host.sessions, host.visibility
        self._reports, self._stand_ins = host.services[Reports], host.services[StandIns]

    def get(self, request: Request) -> Element:
        """The list; who asks for it is told of its changes from now on (§3.2)."""
        session = self._sessions.get(request.sender)
        if session is not None:
            session.wants_blocklist = True
            if session.trail is not None:
                session.trail.told()
        return request.owner.blocklist.element()

    def block(self, request: Request) -> Answer | Awaitable[Answer]:
        """Nothing comes from these addresses any more, and they see the account leave (§3.3)."""
        reported = self._reports.named_in(request.payload)
        return self._block_and_report(request, reported) if reported else self._block(request, [])

    async def _block_and_report(self, request: Request, reported: list[tuple[JID, Element]]) -> Answer:
        """XEP-0377: the report is kept with what it goes with, or not at all."""
        return self._block(request, await self._reports.records(request.owner, reported))

    def _block(self, request: Request, reports: list[Record]) -> Answer:
        account = request.owner
        if len(account.blocklist) + len(request.payload) > _ENTRIES_MAX:
            raise StanzaError("resource-constraint", f"an account can block {_ENTRIES_MAX} addresses")
        change = account.blocklist.block(request.payload, self._audience(account))
        change.records.extend(reports)

        def hide(account: Account, contacts: Iterable[JID]) -> None:
            self._visibility.hide(account, contacts)
            self._stand_ins.blocked(account, contacts)

        return _answer(account, change, hide)

    def unblock(self, request: Request) -> Answer:
        """These addresses, or all, are as any others again (§3.4, §3.5)."""
        account = request.owner
        change = account.blocklist.unblock(request.payload, self._audience(account))
        return _answer(account, change, self._visibility.show)

    def _audience(self, account: Account) -> list[JID]:
        """Who gets presence of the account, rooms by the occupant JIDs that it has there."""
        directed = [target for session in account.sessions.values() for target in session.directed.targets()]
        return list(dict.fromkeys([*account.roster.subscribers, *directed, *self._stand_ins.occupants(account.jid)]))


def _answer(account: Account, change: Change, consequence: _Consequence) -> Answer:
    def tell() -> None:
        for session in [session for session in account.sessions.values() if session.wants_blocklist]:
            push = Element("iq", {"type": "set", "id": session.new_id(), "from": account.jid})
            push.append(change.push)
            session.send(payload_of(push), session.jid)
        consequence(account, change.affected)

    return Answer(step=Step(change.records, lineage=account.lineage), then=tell)
