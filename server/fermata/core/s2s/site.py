"""Which domains belong together, as far as anybody can tell: whoever has one can make any number below it."""

from typing import Final

_COUNTRY: Final = 2  # letters of a country's domain
#: below which many countries sell names
_SOLD_BELOW: Final = frozenset("ac co com edu go gob gov gv ltd ne net nom or org plc".split())


def site_of(domain: str) -> str:
    """The part of a prepared domain that somebody had to register: its last two labels, or three in some countries."""
    if domain.endswith("]"):
        return domain
    labels = domain.rsplit(".", 3)
    if labels[-1].isdecimal():
        return domain
    is_below = len(labels[-1]) == _COUNTRY and labels[-2:-1] and labels[-2] in _SOLD_BELOW
    return ".".join(labels[-3 if is_below else -2 :])
