"""PLAIN (RFC 4616): the client shows its password; offered only where nobody else sees it."""

from collections.abc import Sequence

from ...xmpp.errors import SASLError
from .credentials import HASHES, ScramKeys, verify_password
from .mechanism import Challenge, NeedCredentials, Realm, Step, Success, Verify


class Plain:
    """One attempt by PLAIN."""

    __slots__ = ("_password", "_realm", "_username")

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._username = self._password = ""

    def respond(self, response: bytes | None) -> Step:
        """Takes the one message that there is: authzid NUL authcid NUL password."""
        if self._username:
            raise SASLError("malformed-request", "one message is all there is")
        if response is None:
            return Challenge(b"")
        try:
            authzid, authcid, password = response.decode().split("\0")
        except ValueError:
            raise SASLError("malformed-request") from None
        if not authcid or not password:
            raise SASLError("malformed-request", "name or password is empty")
        self._username, self._password = self._realm.identify(authcid, authzid), password
        return NeedCredentials(self._username)

    def credentials(self, keys: Sequence[ScramKeys]) -> Step:
        """Takes the account's keys, of whichever hash."""
        chosen, real = self._realm.keys_for(self._username, keys, HASHES)
        password, self._password = self._password, ""
        return Verify(lambda: verify_password(chosen, password) and real)

    def verified(self, matches: bool) -> Step:
        """Takes what the check said."""
        if not matches:
            raise SASLError("not-authorized")
        return Success(self._username)
