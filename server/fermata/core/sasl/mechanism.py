"""The contract of SASL mechanisms (RFC 4422): what goes in, and the steps that come out.

A mechanism is one attempt of one client. It looks nothing up and does no slow work: each call returns the next step,
and the shell does what the step says. Any call may raise SASLError, which ends the attempt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...xmpp.errors import SASLError
from ...xmpp.jid import JID, JIDError
from .credentials import ScramKeys, fake_keys


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this, and pass what comes back to `respond`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class NeedCredentials:
    """Look up the keys of the account with this localpart (prepared), and pass them to `credentials`."""

    username: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Run `check`, in a thread if need be (it takes milliseconds), and pass what it returns to `verified`."""

    check: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Success:
    """The client is who it says; `username` is the prepared localpart, `data` goes out with the success."""

    username: str
    data: bytes = b""


Step = Challenge | NeedCredentials | Verify | Success


class Mechanism(Protocol):
    """One attempt to authenticate."""

    def respond(self, response: bytes | None) -> Step:
        """The client's next response, decoded; None only at the start, if it sent no initial response."""

    def credentials(self, keys: Sequence[ScramKeys]) -> Step:
        """The answer to NeedCredentials: the account's keys; none if there is no such account."""

    def verified(self, matches: bool) -> Step:
        """The answer to Verify."""


@dataclass(frozen=True, slots=True)
class Realm:
    """What is the same for every attempt to authenticate at one domain.

    `secret` is the server's own and permanent; with `iterations`, those of new accounts, it makes an unknown account
    look like any other.
    """

    domain: str
    secret: bytes
    iterations: int

    def identify(self, username: str, authzid: str) -> str:
        """The prepared localpart of who claims to be `username`.

        Raises SASLError: `not-authorized` for what can be nobody's name, `invalid-authzid` if the client wants to act
        for anybody but itself (RFC 6120 §6.3.8).
        """
        try:
            bare = JID.of(username, self.domain)
        except JIDError:
            raise SASLError("not-authorized") from None
        if authzid and not _names(authzid, bare):
            raise SASLError("invalid-authzid")
        return bare.local

    def keys_for(self, username: str, keys: Sequence[ScramKeys], hashes: Sequence[str]) -> tuple[ScramKeys, bool]:
        """The keys for the first of these hashes that the account has, and whether they are real."""
        for hash in hashes:
            for candidate in keys:
                if candidate.hash == hash:
                    return candidate, True
        return fake_keys(self.secret, username, hashes[0], self.iterations), False


def _names(text: str, jid: JID) -> bool:
    try:
        return JID.parse(text) == jid
    except JIDError:
        return False
