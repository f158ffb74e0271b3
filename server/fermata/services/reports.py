"""What users report as spam or abuse when they block somebody (XEP-0377): kept for the administrators."""

import json
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ..core.blocking import ITEM
from ..core.records import Record
from ..host.accounts import Account
from ..host.origin import Clock
from ..xmpp import namespaces as ns
from ..xmpp.element import Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError
from .domain_values import DomainValues

_SPACE: Final = "reports"  #: of the domain; the key orders them
_REPORT: Final = "{%s}report" % ns.REPORTING
_TEXT: Final = "{%s}text" % ns.REPORTING
_STANZA_ID: Final = "{%s}stanza-id" % ns.SID
_REASONS: Final = {"urn:xmpp:reporting:spam": "spam", "urn:xmpp:reporting:abuse": "abuse"}
_TEXT_MAX: Final = 2_000  #: characters
_IDS_MAX: Final = 20  #: messages that one report names
_OF_ONE_MAX: Final = 20  #: reports of one account that nobody has dealt with
_MOST: Final = 1_000  #: of a domain


class Report(NamedTuple):
    """Who (bare JIDs) has reported whom, when (Unix seconds), for what, in which words.

    `messages` are the stanza-ids of what is reported.
    """

    reporter: str
    jid: str
    stamp: float
    reason: str
    text: str
    messages: list[str]


class Reports:
    """The reports of each domain's users."""

    def __init__(self, own: DomainValues, clock: Clock) -> None:
        self._own, self._clock = own, clock

    def named_in(self, request: Element) -> "list[tuple[JID, Element]]":
        """Who is reported in a `<block/>`, with the `<report/>`. Raises StanzaError `bad-request`, `jid-malformed`."""
        found = []
        for item in request:
            report = child(item, _REPORT) if item.tag == ITEM else None
            if report is not None:
                if report.get("reason") not in _REASONS:
                    raise StanzaError("bad-request", "a report gives spam or abuse as its reason")
                try:
                    found.append((JID.parse(item.attrib["jid"]), report))
                except (KeyError, JIDError):
                    raise StanzaError("jid-malformed", "who is reported must be named") from None
        return found

    async def records(self, account: Account, reported: Iterable[tuple[JID, Element]]) -> list[Record]:
        """What keeps these reports; nothing for one too many: that blocks, and is not counted against anybody."""
        kept = await self.of(account.jid.domain)
        room = min(_OF_ONE_MAX - sum(each.reporter == account.jid for each in kept.values()), _MOST - len(kept))
        return [
            await self._own.saving(account.jid.domain, _SPACE, key, value)
            for key, value in list(self._written(account, reported, list(kept)))[: max(0, room)]
        ]

    def _written(
        self, account: Account, reported: Iterable[tuple[JID, Element]], taken: list[str]
    ) -> Iterator[tuple[str, str]]:
        first = max(map(int, taken), default=0) + 1
        for number, (jid, report) in enumerate(reported, first):
            text = child(report, _TEXT)
            ids = [each.get("id", "") for each in report if each.tag == _STANZA_ID]
            words = "" if text is None else (text.text or "")[:_TEXT_MAX]
            reason = _REASONS[report.get("reason", "")]
            written = Report(account.jid, jid.bare, self._clock.seconds(), reason, words, ids[:_IDS_MAX])
            yield str(number), json.dumps(written)

    async def of(self, domain: str) -> dict[str, Report]:
        """The reports that are kept for a domain, by their numbers, in order."""
        kept = await self._own.values(domain, _SPACE)
        return {key: Report(*json.loads(kept[key])) for key in sorted(kept, key=int)}

    async def dismiss(self, domain: str, numbers: Iterable[str]) -> int:
        """Somebody has dealt with these reports, or with all if none is named; how many there were."""
        kept = await self._own.keys(domain, _SPACE)
        named = set(numbers)
        gone = [key for key in kept if not named or key in named]
        await self._own.remove(domain, _SPACE, gone)
        return len(gone)
