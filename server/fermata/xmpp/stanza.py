"""Stanzas: their form (RFC 6120 §8), and the answers to them."""

from typing import Final

from . import namespaces as ns
from .element import E, Element, child, children_in, local_name
from .errors import STANZA_CONDITIONS, StanzaError

KINDS: Final = frozenset({"message", "presence", "iq"})
MESSAGE_TYPES: Final = frozenset({"normal", "chat", "groupchat", "headline", "error"})
SUBSCRIPTION_TYPES: Final = frozenset({"subscribe", "subscribed", "unsubscribe", "unsubscribed"})
PRESENCE_TYPES: Final = SUBSCRIPTION_TYPES | {"", "unavailable", "probe", "error"}
IQ_TYPES: Final = frozenset({"get", "set", "result", "error"})


def check_iq(iq: Element) -> None:
    """RFC 6120 §8.2.3: an id, a known type, and exactly one child in a request. Raises StanzaError `bad-request`."""
    kind = iq.get("type")
    if not iq.get("id"):
        raise StanzaError("bad-request", "an iq needs an id")
    if kind not in IQ_TYPES:
        raise StanzaError("bad-request", "an iq is of type get, set, result or error")
    if kind in ("get", "set") and len(iq) != 1:
        raise StanzaError("bad-request", "a request has exactly one child")


def message_type(message: Element) -> str:
    """RFC 6121 §5.2.2: an absent or unknown type means normal."""
    kind = message.get("type", "normal")
    return kind if kind in MESSAGE_TYPES else "normal"


def answerable(stanza: Element) -> bool:
    """Whether an error may answer it: never an error, never the result of an iq (RFC 6120 §8.3.1)."""
    kind = stanza.get("type")
    return kind != "error" and not (stanza.tag == "iq" and kind == "result")


def _answer(stanza: Element, kind: str) -> Element:
    answer = Element(stanza.tag, {"type": kind})
    for name, source in (("id", "id"), ("from", "to"), ("to", "from")):
        value = stanza.get(source)
        if value is not None:
            answer.set(name, value)
    return answer


def result_of(iq: Element, payload: Element | None = None) -> Element:
    """The result of a request, with addresses swapped."""
    answer = _answer(iq, "result")
    if payload is not None:
        answer.append(payload)
    return answer


def error_element(error: StanzaError) -> Element:
    """The `<error/>` that says what a StanzaError says."""
    condition = E("{%s}%s" % (ns.STANZA_ERRORS, error.condition))
    condition.text = error.uri or None
    element = E("error", {"type": error.type}, condition)
    if error.by:
        element.set("by", error.by)
    if error.text:
        element.append(E("{%s}text" % ns.STANZA_ERRORS, {"{%s}lang" % ns.XML: "en"}, error.text))
    if error.detail:
        element.append(Element(error.detail, dict(error.detail_attributes)))
    return element


def error_of(stanza: Element, error: StanzaError) -> Element:
    """The error that answers a stanza, with addresses swapped; ask `answerable` first.

    The payload of an iq or presence is sent back with it, so that the sender knows what was refused; that of a
    message is not, since its author may be somebody else's.
    """
    answer = _answer(stanza, "error")
    if stanza.tag == "iq":
        answer.extend(list(stanza)[:1])
    elif stanza.tag == "presence":
        muc = child(stanza, "{%s}x" % ns.MUC)
        if muc is not None:
            answer.append(Element(muc.tag))
    answer.append(error_element(error))
    return answer


def condition_of(stanza: Element) -> str:
    """The condition that an error stanza carries; `undefined-condition` where it carries none that we know."""
    error = child(stanza, "error")
    if error is not None:
        for item in children_in(error, ns.STANZA_ERRORS):
            condition = local_name(item)
            if condition in STANZA_CONDITIONS:
                return condition
    return "undefined-condition"


def type_of_error(stanza: Element) -> str:
    """The type of the error that an error stanza carries; empty where it carries none."""
    error = child(stanza, "error")
    return "" if error is None else error.get("type", "")
