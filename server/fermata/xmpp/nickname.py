"""Nicknames: when two of them are the same to the eye (RFC 8266)."""

import re
from functools import lru_cache
from unicodedata import normalize

from .jid import JIDError

_ORDINARY = re.compile("[!-~]+(?: [!-~]+)*")
# Default_Ignorable_Code_Point: PRECIS allows none of them in a nickname; where one comes along, it shows nothing.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


@lru_cache(maxsize=16_384)
def nickname_key(text: str) -> str:
    """Two nicknames are in conflict if and only if they have the same key (RFC 8266 §2.4).

    Spaces, case, width and invisible characters make no difference. Raises JIDError if nothing visible is left.
    """
    if _ORDINARY.fullmatch(text):
        return text.lower()
    key = text
    for _ in range(4):  # as RFC 8264 §7 has it: one step may give the one before it something to do
        key = normalize("NFKC", " ".join(_INVISIBLE.sub("", key).split()).lower())
    if not key.strip():
        raise JIDError("a nickname needs something to be seen")
    return key
