"""Why there is no way to another server, or no longer one, and what its own words mean."""

from enum import StrEnum
from typing import Final, NamedTuple

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, children_in, local_name
from ...xmpp.errors import StreamError


class Cause(StrEnum):
    """Why there is no way to another server."""

    NO_DOMAIN = "no-domain"  #: the name does not exist, or says that no XMPP is spoken there (SRV target `.`)
    NAME_SERVER = "name-server"  #: nobody can tell where it is
    REFUSED = "refused"  #: nobody listens there, or there is no way to that network
    SILENT = "silent"  #: connected, or tried to, and heard nothing in time
    NO_TLS = "no-tls"  #: TLS is wanted and not offered, or the handshake failed
    CERTIFICATE = "certificate"  #: it does not prove the domain, and it must
    AUTHENTICATION = "authentication"  #: the other server does not believe that we are who we are
    HOST_UNKNOWN = "host-unknown"  #: a server is there, but not for that domain
    STREAM = "stream"  #: it closed the stream, with an error or without
    POLICY = "policy"  #: our own configuration blocks the domain


LASTING = frozenset({Cause.NO_DOMAIN, Cause.REFUSED, Cause.HOST_UNKNOWN})  #: given an hour, these are final


class Trouble(NamedTuple):
    """Why a connection could not be made, or ended: its kind, and words for the operator."""

    cause: Cause
    text: str


CLOSED: Final = Trouble(Cause.STREAM, "the other server has closed the stream")
_TEXT_CHARACTERS: Final = 200  # what strangers write is shown to the operator, but not at any length
# What a peer's stream error or dialback error (XEP-0220 §2.5) means; anything else is `STREAM`.
_CAUSES: Final = {
    "host-unknown": Cause.HOST_UNKNOWN,
    "host-gone": Cause.HOST_UNKNOWN,
    "item-not-found": Cause.HOST_UNKNOWN,
    "not-authorized": Cause.AUTHENTICATION,
    "forbidden": Cause.AUTHENTICATION,
    "remote-connection-failed": Cause.AUTHENTICATION,
    "remote-server-not-found": Cause.AUTHENTICATION,
    "remote-server-timeout": Cause.AUTHENTICATION,
}


def words_of(error: Element) -> tuple[str, str]:
    """The condition and the text in an `<error/>` of a stream or of dialback, or a SASL failure, if there are any.

    Any name is taken for a condition: XEP-0220 uses one that RFC 6120 defines for streams alone.
    """
    condition = text = ""
    for uri in (ns.STREAM_ERRORS, ns.STANZA_ERRORS, ns.SASL):
        for item in children_in(error, uri):
            if local_name(item) == "text":
                text = text or " ".join((item.text or "").split())[:_TEXT_CHARACTERS]
            else:
                condition = condition or local_name(item)[:_TEXT_CHARACTERS]
    return condition, text


def told_by_peer(error: Element, what: str) -> Trouble:
    """What an `<error/>` from the peer means; `what` says what it has done with it."""
    condition, text = words_of(error)
    said = ": ".join(part for part in (condition or "an error that does not say which", text) if part)
    return Trouble(_CAUSES.get(condition, Cause.STREAM), f"{what} with {said}")


def found_here(error: StreamError) -> Trouble:
    """What it means that we have closed the stream for an error of the peer's."""
    said = ": ".join(part for part in (error.condition, error.text) if part)
    return Trouble(Cause.STREAM, f"we have closed the stream with {said}")
