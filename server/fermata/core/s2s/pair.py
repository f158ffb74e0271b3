"""Who speaks with whom between servers, and what is found out about a dialback key."""

from enum import StrEnum
from typing import NamedTuple


class Pair(NamedTuple):
    """A domain of ours and one of another server's, both prepared (RFC 7622)."""

    local: str
    remote: str


class Verdict(StrEnum):
    """What the authoritative server says of a dialback key; ERROR is that it could not be asked (XEP-0220 §2.4)."""

    VALID = "valid"
    INVALID = "invalid"
    ERROR = "error"
