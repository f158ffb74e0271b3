"""SCRAM (RFC 5802, RFC 7677), with channel binding: each side proves that it knows the password or its keys."""

import hashlib
import hmac
import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Mapping, Sequence

from ...xmpp.errors import SASLError
from .credentials import ScramKeys
from .mechanism import Challenge, NeedCredentials, Realm, Step, Success

# RFC 5802 §7. The reserved extension `m=` fits nowhere: it must be refused.
_EXTENSIONS = r"(?:,(?!m=)[A-Za-z]=[^,\0]+)*"
_CLIENT_FIRST = re.compile(
    r"(?P<header>(?:(?P<flag>[ny])|p=(?P<type>[A-Za-z0-9.\-]+)),(?:a=(?P<authzid>[^,\0]+))?,)"
    rf"(?P<bare>n=(?P<name>[^,\0]+),r=(?P<nonce>[!-+\--~]+){_EXTENSIONS})"
)
_CLIENT_FINAL = re.compile(
    rf"(?P<unproved>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>[!-+\--~]+){_EXTENSIONS}),p=(?P<proof>[A-Za-z0-9+/=]+)"
)
_BAD_ESCAPE = re.compile("=(?!2C|3D)")


class Scram:
    """One attempt by SCRAM with one hash (`sha1`, `sha256`).

    `nonce` is the server's part of the nonce: printable ASCII without a comma, at least 128 random bits, never used
    before. `channel_bindings` are the data of each type that this connection has; having any means that we offered
    the -PLUS mechanisms. `plus` says whether the client chose one of them.
    """

    __slots__ = (
        "_bindings",
        "_client_first",
        "_expected_binding",
        "_hash",
        "_keys",
        "_nonce",
        "_plus",
        "_real",
        "_realm",
        "_server_first",
        "_username",
    )

    def __init__(self, realm: Realm, hash: str, plus: bool, nonce: str, channel_bindings: Mapping[str, bytes]) -> None:
        self._realm, self._hash, self._plus, self._nonce = realm, hash, plus, nonce
        self._bindings = channel_bindings
        self._username = self._client_first = self._server_first = ""
        self._expected_binding = b""
        self._keys: ScramKeys | None = None
        self._real = False

    def respond(self, response: bytes | None) -> Step:
        """Takes client-first-message, then client-final-message."""
        if response is None:
            return Challenge(b"")
        try:
            text = response.decode()
        except UnicodeDecodeError:
            raise SASLError("malformed-request") from None
        if not self._client_first:
            return self._first(text)
        if self._keys is None:
            raise SASLError("malformed-request", "one attempt is all there is")
        keys, self._keys = self._keys, None
        return self._final(text, keys)

    def credentials(self, keys: Sequence[ScramKeys]) -> Step:
        """Takes the account's keys; an account that has none for this hash looks like an unknown one."""
        self._keys, self._real = self._realm.keys_for(self._username, keys, (self._hash,))
        salt = b64encode(self._keys.salt).decode()
        self._server_first = f"r={self._nonce},s={salt},i={self._keys.iterations}"
        return Challenge(self._server_first.encode())

    def verified(self, matches: bool) -> Step:
        """Never asked for: SCRAM leaves the slow work to the client."""
        raise SASLError("not-authorized")

    def _first(self, text: str) -> Step:
        match = _CLIENT_FIRST.fullmatch(text)
        if match is None:
            raise SASLError("malformed-request")
        binding = self._binding(match["flag"], match["type"])
        self._expected_binding = b64encode(match["header"].encode() + binding)
        self._client_first = match["bare"]
        self._nonce = match["nonce"] + self._nonce
        self._username = self._realm.identify(_unescaped(match["name"]), _unescaped(match["authzid"] or ""))
        return NeedCredentials(self._username)

    def _binding(self, flag: str | None, type: str | None) -> bytes:
        """The channel binding data that the gs2 header calls for (RFC 5802 §6)."""
        if (type is not None) != self._plus:
            raise SASLError("malformed-request", "the channel binding flag does not go with the mechanism")
        if flag == "y" and self._bindings:
            raise SASLError("not-authorized", "channel binding was offered and the client did not see it")
        if type is None:
            return b""
        if type not in self._bindings:
            raise SASLError("not-authorized", "this type of channel binding was not offered")
        return self._bindings[type]

    def _final(self, text: str, keys: ScramKeys) -> Step:
        match = _CLIENT_FINAL.fullmatch(text)
        if match is None:
            raise SASLError("malformed-request")
        try:
            proof = a2b_base64(match["proof"], strict_mode=True)
        except ValueError:
            raise SASLError("malformed-request") from None
        bound = hmac.compare_digest(match["binding"].encode(), self._expected_binding)
        if not bound or match["nonce"] != self._nonce:
            raise SASLError("not-authorized")
        message = f"{self._client_first},{self._server_first},{match['unproved']}".encode()
        if not _proves(proof, message, keys) or not self._real:
            raise SASLError("not-authorized")
        signature = hmac.digest(keys.server_key, message, keys.hash)
        return Success(self._username, b"v=" + b64encode(signature))


def _proves(proof: bytes, message: bytes, keys: ScramKeys) -> bool:
    """RFC 5802 §3: whether the hash of the client key that the proof hides is the stored key."""
    signature = hmac.digest(keys.stored_key, message, keys.hash)
    if len(proof) != len(signature):
        return False
    client_key = int.from_bytes(proof) ^ int.from_bytes(signature)
    hashed = hashlib.new(keys.hash, client_key.to_bytes(len(signature))).digest()
    return hmac.compare_digest(hashed, keys.stored_key)


def _unescaped(name: str) -> str:
    if "=" not in name:
        return name
    if _BAD_ESCAPE.search(name):
        raise SASLError("malformed-request")
    return name.replace("=2C", ",").replace("=3D", "=")
