"""Stanza-ids: a sequence number and an owner under one AES key (0001: Archive ids)."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

_LENGTH = 22  # of 16 bytes in base64 without padding
_pack = struct.Struct(">QQ").pack
_unpack = struct.Struct(">QQ").unpack


class ArchiveIDs:
    """Enciphers (seq, owner), which is just one block: so a mode without chaining is the right one."""

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(AES(key), ECB())
        self._encipher = cipher.encryptor().update
        self._decipher = cipher.decryptor().update

    def id_of(self, seq: int, owner: int) -> str:
        """The stanza-id of a message in its owner's archive."""
        return urlsafe_b64encode(self._encipher(_pack(seq, owner)))[:_LENGTH].decode("ascii")

    def seq_of(self, id: str, owner: int) -> int | None:
        """The sequence number behind a stanza-id of that owner's archive; None if it is none."""
        if len(id) != _LENGTH or not id.isascii():
            return None
        try:
            block = urlsafe_b64decode(id + "==")
        except ValueError:
            return None
        if len(block) != 16:
            return None
        seq, found = _unpack(self._decipher(block))
        # Base64 has several spellings for some blocks; only the one that was given out is an id.
        return int(seq) if found == owner and self.id_of(seq, owner) == id else None
