"""Stringprep profiles (RFC 3454): what passwords and the addresses of older servers are prepared with.

Code points that Unicode 3.2 had not assigned yet are let through, as RFC 3454 §7 allows for queries: today's emoji
are among them.
"""

import stringprep
from collections.abc import Callable
from functools import lru_cache
from unicodedata import ucd_3_2_0 as unicode_3_2

from precis_i18n import get_profile

_OPAQUE = get_profile("OpaqueString")

# RFC 3454 C.2.1 to C.9: what every profile here prohibits, beside its own rule for spaces.
_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """A password as RFC 4013 prepares it. Raises ValueError for what the profile prohibits."""
    return _prepared(text, lambda char: " " if stringprep.in_table_c12(char) else char, bidirectional=True)


def opaque_string(text: str) -> str:
    """A password as RFC 8265 §4.2 prepares it. Raises ValueError for what the profile prohibits."""
    return str(_OPAQUE.enforce(text))


def nodeprep(text: str) -> str:
    """A localpart as RFC 6122 Appendix A prepares it, but for the ASCII characters that it prohibits.

    Raises ValueError for what the profile prohibits.
    """
    return _prepared(text, stringprep.map_table_b2, bidirectional=True)


def resourceprep(text: str) -> str:
    """A resourcepart as RFC 6122 Appendix B prepares it; may mix directions, as RFC 7622 has it.

    Raises ValueError for what the profile prohibits.
    """
    return _prepared(text, str, bidirectional=False)


def _prepared(text: str, mapped: Callable[[str], str], bidirectional: bool) -> str:
    kept = "".join(mapped(char) for char in text if not stringprep.in_table_b1(char))
    prepared = unicode_3_2.normalize("NFKC", kept)
    if any(map(_is_prohibited, prepared)):
        raise ValueError("a character that the profile prohibits")
    if bidirectional:
        _check_direction(prepared)
    return prepared


@lru_cache(maxsize=4096)
def _is_prohibited(char: str) -> bool:
    return any(in_table(char) for in_table in _PROHIBITED)


def _check_direction(text: str) -> None:
    """RFC 3454 §6: a text with right-to-left characters has no left-to-right ones, and begins and ends with its own."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    at_the_ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not at_the_ends or any(map(stringprep.in_table_d2, text)):
        raise ValueError("directions of writing are mixed")
