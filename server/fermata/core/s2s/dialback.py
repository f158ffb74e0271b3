"""Server dialback: the key (XEP-0185), and the elements that carry it (XEP-0220 §2).

The prefix of our elements is literally `db`, as our stream header declares it: others know them by no other.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ...xmpp import namespaces as ns
from ...xmpp.element import Element, escape, local_name, serialise
from ...xmpp.errors import StanzaError, StreamError
from ...xmpp.jid import JID, JIDError
from ...xmpp.stanza import error_element
from .pair import Verdict

RESULT: Final = "{%s}result" % ns.DIALBACK
VERIFY: Final = "{%s}verify" % ns.DIALBACK
_NAMES: Final = {RESULT: "db:result", VERIFY: "db:verify"}


@dataclass(frozen=True, slots=True)
class Request:
    """A key: to be checked (`db:result`), or asked about, and then `id` is that of the stream it is for (`db:verify`).

    `sender` and `to` are domains, prepared.
    """

    tag: str
    sender: str
    to: str
    id: str
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says of a key; `verdict` is ERROR for whatever is neither valid nor invalid.

    `error` is the `<error/>` inside, if there is one.
    """

    tag: str
    sender: str
    to: str
    id: str
    verdict: Verdict
    error: Element | None


def key(secret: str, receiving: str, originating: str, stream_id: str) -> str:
    """The key that `originating` shows to `receiving` on the stream with the id that the latter gave (XEP-0185 §2)."""
    hashed = sha256(secret.encode()).hexdigest()
    return hmac.new(hashed.encode(), f"{receiving} {originating} {stream_id}".encode(), sha256).hexdigest()


def is_same(key: str, other: str) -> bool:
    """Compares keys without telling by the time it takes where they differ."""
    return hmac.compare_digest(key.encode(), other.encode())


def read(element: Element) -> Request | Answer:
    """What an element of dialback says. Raises StreamError `improper-addressing`."""
    sender, to = _domain(element.get("from", "")), _domain(element.get("to", ""))
    id, kind = element.get("id", ""), element.get("type")
    if kind is None:
        return Request(element.tag, sender, to, id, (element.text or "").strip())
    error = next((item for item in element if local_name(item) == "error"), None)
    verdict = Verdict(kind) if kind in (Verdict.VALID, Verdict.INVALID) else Verdict.ERROR
    return Answer(element.tag, sender, to, id, verdict, error)


def _domain(text: str) -> str:
    try:
        jid = JID.parse(text)
    except JIDError:
        raise StreamError("improper-addressing", "dialback is between domains") from None
    if jid != jid.domain:
        raise StreamError("improper-addressing", "dialback is between domains")
    return jid.domain


def request(tag: str, sender: str, to: str, key: str, id: str = "") -> str:
    """Shows a key, or asks about one that was shown on the stream with this id."""
    return f"<{_NAMES[tag]}{_addresses(sender, to, id)}>{escape(key)}</{_NAMES[tag]}>"


def answer(request: Request, verdict: Verdict, error: StanzaError | None = None) -> str:
    """Answers; `error` goes with the verdict ERROR (§2.5)."""
    name, addresses = _NAMES[request.tag], _addresses(request.to, request.sender, request.id)
    if error is None:
        return f"<{name}{addresses} type='{verdict}'/>"
    return f"<{name}{addresses} type='{verdict}'>{serialise(error_element(error))}</{name}>"


def _addresses(sender: str, to: str, id: str) -> str:
    stated = f" id='{escape(id)}'" if id else ""
    return f" from='{escape(sender)}' to='{escape(to)}'{stated}"
