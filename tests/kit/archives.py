"""Asking archives on the wire (XEP-0313)."""

from collections.abc import Sequence
from typing import NamedTuple

from . import ns
from .stanzas import Element, escape, find, find_all, quoteattr, show, text
from .wire import Client

Values = str | Sequence[str]


class Page(NamedTuple):
    """What came: messages as they came, and what the end of the page says."""

    messages: list[Element]
    first: str | None
    last: str | None
    count: int | None
    is_complete: bool

    @property
    def results(self) -> list[Element]:
        """The `<result/>` of each message."""
        return [result for message in self.messages for result in find_all(message, "mam:result")]

    @property
    def ids(self) -> list[str]:
        """The archive ids."""
        return [result.get("id", "") for result in self.results]


def query(
    page: str = "",
    *,
    queryid: str = "",
    with_: str | None = None,
    start: str | None = None,
    end: str | None = None,
    before_id: str | None = None,
    after_id: str | None = None,
    ids: Sequence[str] = (),
    fields: dict[str, Values] | None = None,
    form_type: str = ns.MAM,
    more: str = "",
) -> str:
    """A `<query/>`; `page` is what its `<set/>` contains, `more` what it contains besides."""
    named = {"with": with_, "start": start, "end": end, "before-id": before_id, "after-id": after_id}
    asked: dict[str, Values] = {var: value for var, value in named.items() if value is not None}
    asked |= ({"ids": ids} if ids else {}) | (fields or {})
    xml = f"<field var='FORM_TYPE' type='hidden'><value>{form_type}</value></field>"
    for var, values in asked.items():
        each = [values] if isinstance(values, str) else values
        xml += f"<field var='{var}'>{''.join(f'<value>{escape(value)}</value>' for value in each)}</field>"
    form = f"<x xmlns='{ns.DATA}' type='submit'>{xml}</x>"
    set = f"<set xmlns='{ns.RSM}'>{page}</set>" if page else ""
    marked = f" queryid={quoteattr(queryid)}" if queryid else ""
    return f"<query xmlns='{ns.MAM}'{marked}>{form}{set}{more}</query>"


def page(client: Client, query: str, to: str | None = None) -> Page:
    """Asks, and reads the answer; nothing else may come before its end."""
    address = f" to='{to}'" if to else ""
    client.send(f"<iq type='set' id='page'{address}>{query}</iq>")
    messages = []
    while (element := client.next()).tag != "iq":
        assert find(element, "mam:result") is not None, f"{client}: no result: {show(element)}"
        messages.append(element)
    fin = find(element, "mam:fin")
    assert fin is not None, show(element)
    count = text(fin, "rsm:set/rsm:count")
    return Page(
        messages,
        text(fin, "rsm:set/rsm:first"),
        text(fin, "rsm:set/rsm:last"),
        None if count is None else int(count),
        fin.get("complete") == "true",
    )


def bodies(found: Page) -> list[str]:
    """What was said, in the order in which it came."""
    return [text(result, "forward:forwarded/message/body") or "" for result in found.results]
