"""Questions to an archive, and the arithmetic of their pages (XEP-0313 §4, XEP-0059).

A question names messages by their archive ids; a `Selection` says the same by their places, for storage.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from math import inf
from typing import Final, NamedTuple, Protocol

from ..xmpp import namespaces as ns
from ..xmpp.dataforms import DATA_FORM, Form
from ..xmpp.element import Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID, JIDError
from ..xmpp.rsm import Page
from ..xmpp.stamps import stamp_of

QUERY: Final = "{%s}query" % ns.MAM
METADATA: Final = "{%s}metadata" % ns.MAM
ENDLESS: Final = 2**63 - 1  #: a place after all others
IDS_MAX: Final = 100  #: so many messages may be asked for by their ids at once

GROUPCHAT_FIELD: Final = "include-groupchat"
FIELDS: Final = frozenset({"with", "start", "end", "before-id", "after-id", "ids"})

_PAGE: Final = 50
_PAGE_CHARACTERS: Final = 1_000_000  # of the messages of one page: whoever asks must be able to take it in
_HALF_A_MILLISECOND: Final = 0.0005  # stamps are written with three digits (`xmpp.stamps`), but kept with more
_QUERYID_CHARACTERS: Final = 1_000  # it comes back with each message of the page
_FLIPPED: Final = "{%s}flip-page" % ns.MAM


class Match(Enum):
    """What about a message must match a JID; a bare one stands for all of its full ones."""

    EITHER = "who wrote it, or whom it was for"
    BOTH = "who wrote it, and whom it was for"
    SENDER = "the real JID of who wrote it"
    OCCUPANT = "the occupant JID of who wrote it"


class Selection(NamedTuple):
    """Messages of an archive, by place: those after one place and before another, both left out.

    `start` and `end` are Unix seconds, both included; `places` are the only ones in question, if given; messages with
    one of the flags `without` (`core.keeping`) are not. `most` of the messages are wanted, from the end if `newest`. 0
    asks how many there are.
    """

    most: int
    newest: bool = False
    after: int = 0
    before: int = ENDLESS
    start: float = -inf
    end: float = inf
    match: Match | None = None
    jid: JID | None = None
    places: tuple[int, ...] | None = None
    named: frozenset[int] = frozenset()  #: places that must be there, or the question cannot be answered
    without: int = 0


class Row(Protocol):
    """A message as storage hands it out (`host.stores.ArchivedRow`)."""

    @property
    def seq(self) -> int:
        """Its place."""

    @property
    def stamp(self) -> float:
        """When it came."""

    @property
    def sender(self) -> str:
        """The real JID of who wrote it."""

    @property
    def xml(self) -> str:
        """The stanza."""


class Found(NamedTuple):
    """The messages of a page, oldest first.

    `is_complete` says that there are no more in the direction of paging; `total` how many there are, if that was asked.
    """

    rows: Sequence[Row]
    is_complete: bool
    total: int | None = None

    @classmethod
    def of(cls, selection: Selection, rows: Sequence[Row]) -> "Found":
        """What is to be told of what storage has found, which is one more than `most` if there are more."""
        room, taken = _PAGE_CHARACTERS, 0
        for row in reversed(rows) if selection.newest else rows:
            room -= len(row.xml)
            if taken == selection.most or (taken and room < 0):
                break
            taken += 1
        page = rows[len(rows) - taken :] if selection.newest else rows[:taken]
        return cls(page, taken == len(rows))


class Query(NamedTuple):
    """A question as it was asked; `flipped` only changes the order in which the messages of a page are sent.

    `groupchat`: what was said in rooms is asked for as well, which is not so where nothing is said about it: clients
    ask rooms for that, and many would take it for conversations (XEP-0313 §6.1.3).
    """

    page: Page
    queryid: str | None = None
    flipped: bool = False
    jid: JID | None = None
    start: float = -inf
    end: float = inf
    after_id: str | None = None
    before_id: str | None = None
    ids: tuple[str, ...] = ()
    groupchat: bool = False

    @classmethod
    def parse(cls, element: Element, fields: frozenset[str] = FIELDS) -> "Query":
        """The question in a `<query/>`, of which the archive knows these fields.

        Raises StanzaError: `feature-not-implemented` for other fields, `bad-request` for what makes no sense.
        """
        submitted = child(element, DATA_FORM)
        form = Form("submit") if submitted is None else Form.parse(submitted, ns.MAM)
        if form.type != "submit":
            raise StanzaError("bad-request", "a query is a submitted form")
        queryid = element.get("queryid")
        if len(queryid or "") > _QUERYID_CHARACTERS:
            raise StanzaError("bad-request", f"a queryid can have {_QUERYID_CHARACTERS} characters")
        if any(field.var not in fields for field in form.fields):
            raise StanzaError("feature-not-implemented", "the archive does not know such a field")
        ids = tuple(dict.fromkeys(form.values("ids")))
        if len(ids) > IDS_MAX:
            raise StanzaError("resource-constraint", f"ask for {IDS_MAX} messages at a time")
        page = Page.parse(element, _PAGE) or Page(len(ids) or _PAGE)
        if page.at is not None:
            raise StanzaError("feature-not-implemented", "pages have no numbers here")
        try:
            return cls(
                page,
                queryid,
                child(element, _FLIPPED) is not None,
                JID.parse(form.text("with")) if form.values("with") else None,
                stamp_of(form.text("start")) - _HALF_A_MILLISECOND if form.values("start") else -inf,
                stamp_of(form.text("end")) + _HALF_A_MILLISECOND if form.values("end") else inf,
                form.text("after-id") if form.values("after-id") else None,
                form.text("before-id") if form.values("before-id") else None,
                ids,
                GROUPCHAT_FIELD in form and form.boolean(GROUPCHAT_FIELD),
            )
        except (ValueError, JIDError) as error:
            raise StanzaError("bad-request", "that is no JID, or no time") from error
        except StanzaError as error:
            raise StanzaError("bad-request", error.text) from error

    def selection(self, seq_of: Callable[[str], int | None], match: Match | None) -> Selection:
        """The same by places; `match` says how `with` is meant, if there is one.

        Raises StanzaError `item-not-found` for what is no id of that archive.
        """

        def place(id: str) -> int:
            found = seq_of(id)
            if found is None:
                raise StanzaError("item-not-found", "the archive has no such message")
            return found

        after = [place(id) for id in (self.after_id, self.page.after) if id is not None]
        before = [place(id) for id in (self.before_id, self.page.before) if id]
        places = tuple(place(id) for id in self.ids) or None
        return Selection(
            self.page.max,
            self.page.before is not None,
            max(after, default=0),
            min(before, default=ENDLESS),
            self.start,
            self.end,
            match,
            self.jid,
            places,
            frozenset((*after, *before, *(places or ()))),
        )


def account_match(account: JID, jid: JID | None) -> Match | None:
    """How `with` is meant in the archive of an account: its own bare JID is for what it wrote to itself (§4.1.1)."""
    if jid is None:
        return None
    return Match.BOTH if jid == account else Match.EITHER
