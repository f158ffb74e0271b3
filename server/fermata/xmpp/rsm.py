"""Result set management (XEP-0059): long lists, a page at a time."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from . import namespaces as ns
from .element import E, Element, child
from .errors import StanzaError

T = TypeVar("T")
SET: Final = "{%s}set" % ns.RSM
_PAGE_MAX: Final = 100


class Page(NamedTuple):
    """The page that somebody asks for: at most `max` items after or before an item, or from place `at`.

    An empty `before` is the end of the list.
    """

    max: int
    after: str | None = None
    before: str | None = None
    at: int | None = None

    @classmethod
    def parse(cls, query: Element, usual: int = _PAGE_MAX) -> "Page | None":
        """What the `<set/>` in a query asks for; None where there is none. Raises StanzaError `bad-request`.

        `usual` is the `max` of one that names none.
        """
        found = child(query, SET)
        if found is None:
            return None
        texts = {item.tag.rpartition("}")[2]: item.text or "" for item in found}
        if "after" in texts and "before" in texts:
            raise StanzaError("bad-request", "a page is after an item or before one")
        try:
            most = int(texts.get("max", str(usual)))
            index = int(texts["index"]) if "index" in texts else None
        except ValueError:
            raise StanzaError("bad-request", "max and index are numbers") from None
        if most < 0 or (index or 0) < 0:
            raise StanzaError("bad-request", "max and index are not negative")
        return cls(min(most, _PAGE_MAX), texts.get("after"), texts.get("before"), index)

    def of(self, items: Sequence[T], key: Callable[[T], str]) -> tuple[Sequence[T], Element]:
        """The items of the page, and the `<set/>` that says where it is in the list.

        Raises StanzaError `item-not-found` if it is beside an item that is not there (§2.4).
        """
        keys = [key(item) for item in items]
        first = self._start(keys)
        page = items[first : first + self.max]
        answer = Element(SET)
        if page:
            answer.append(E("{%s}first" % ns.RSM, {"index": str(first)}, keys[first]))
            answer.append(E("{%s}last" % ns.RSM, None, keys[first + len(page) - 1]))
        answer.append(E("{%s}count" % ns.RSM, None, str(len(items))))
        return page, answer

    def _start(self, keys: list[str]) -> int:
        try:
            if self.after is not None:
                return keys.index(self.after) + 1
            if self.before:
                return max(0, keys.index(self.before) - self.max)
        except ValueError:
            raise StanzaError("item-not-found", "the list has no such item") from None
        if self.before is not None:
            return max(0, len(keys) - self.max)
        return self.at or 0
