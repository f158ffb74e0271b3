"""Publish-subscribe requests (XEP-0060): what somebody asks of a node.

wokkel reads them. It is shown no payloads, which are kept as they came, and neither addresses nor forms as they stand:
it is stricter about both than the people who send them.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from . import namespaces as ns
from .bridge import to_domish
from .dataforms import DATA_FORM, Form
from .element import E, Element, child, children_in, namespace
from .errors import StanzaError
from .jid import JID, JIDError
from .rsm import Page
from .wokkel import pubsub

PUBSUB: Final = "{%s}pubsub" % ns.PUBSUB
OWNER: Final = "{%s}pubsub" % ns.PUBSUB_OWNER
ITEM: Final = "{%s}item" % ns.PUBSUB
#: verb → the FORM_TYPE of the form that goes with it
_FORM_TYPES: Final = {
    "create": ns.PUBSUB_NODE_CONFIG,
    "configureSet": ns.PUBSUB_NODE_CONFIG,
    "subscribe": ns.PUBSUB_SUBSCRIBE_OPTIONS,
    "optionsSet": ns.PUBSUB_SUBSCRIBE_OPTIONS,
    "publish": ns.PUBSUB_PUBLISH_OPTIONS,
}
_FORM_PARENTS: Final = frozenset({"configure", "options", "publish-options"})
_BOOLEANS: Final = {"1": True, "true": True, "0": False, "false": False}


class Change(NamedTuple):
    """What is to become of an affiliation or a subscription; `state` is empty for: as it is."""

    element: Element
    jid: JID
    state: str


class NodeRequest(NamedTuple):
    """One request. `verb` is wokkel's name for it; what does not belong to that verb is empty or None."""

    verb: str
    node: str
    form: Form | None = None
    items: tuple[Element, ...] = ()
    ids: tuple[str, ...] = ()
    max_items: int | None = None
    page: Page | None = None
    subscriber: JID | None = None
    subid: str = ""
    changes: tuple[Change, ...] = ()
    notify: bool | None = None  #: of a retraction; None: as the node has it
    redirect: str = ""  #: of a deletion


def error(condition: str, specific: str, text: str = "", type: str = "") -> StanzaError:
    """An error with a condition of publish-subscribe's own (XEP-0060 §10)."""
    return StanzaError(condition, text, type, detail="{%s}%s" % (ns.PUBSUB_ERRORS, specific))


def unsupported(feature: str) -> StanzaError:
    """The refusal of what is a feature of other services."""
    detail = "{%s}unsupported" % ns.PUBSUB_ERRORS
    return StanzaError("feature-not-implemented", detail=detail, detail_attributes={"feature": feature})


def parse(iq: Element) -> NodeRequest:
    """What an iq of type get or set with a `<pubsub/>` asks for. Raises StanzaError."""
    payload = iq[0]
    form = _form(payload)
    parsed = _read(iq.get("type", ""), payload, form)
    uri, name, _ = _kind(parsed.verb)
    verb = next(item for item in children_in(payload, uri) if item.tag == "{%s}%s" % (uri, name))
    if form is not None and form.form_type not in ("", _FORM_TYPES.get(parsed.verb)):
        raise StanzaError("bad-request", "a form of another kind")
    return NodeRequest(
        parsed.verb,
        verb.get("node", ""),
        form,
        tuple(item for item in verb if item.tag == ITEM),
        tuple(parsed.itemIdentifiers or ()),
        parsed.maxItems,
        Page.parse(payload) if parsed.verb == "items" else None,
        _subscriber(verb) if parsed.verb in _WITH_SUBSCRIBER else None,
        verb.get("subid", ""),
        tuple(_changes(verb)) if parsed.verb in _CHANGING else (),
        _BOOLEANS.get(verb.get("notify", "")),
        _redirect(verb),
    )


_WITH_SUBSCRIBER: Final = frozenset({"subscribe", "unsubscribe", "optionsGet", "optionsSet"})
_CHANGING: Final = frozenset({"affiliationsSet", "subscriptionsSet"})


def _kind(verb: str) -> tuple[str, str, str]:
    type, uri, name = pubsub.PubSubRequest._verbRequestMap[verb]
    return uri, name, type


def _read(type: str, payload: Element, form: Form | None) -> Any:
    iq = E("iq", {"type": type}, _skeleton(payload, form))
    try:
        return pubsub.PubSubRequest.fromElement(to_domish(iq))
    except NotImplementedError:
        raise _unknown(payload) from None
    except pubsub.error.StanzaError as failure:
        specific = failure.appCondition
        detail = "" if specific is None else "{%s}%s" % (specific.uri, specific.name)
        raise StanzaError(failure.condition, failure.text or "", detail=detail) from None


def _unknown(payload: Element) -> StanzaError:
    if child(payload, "{%s}default" % ns.PUBSUB) is not None:
        return unsupported("retrieve-default-sub")
    return StanzaError("bad-request" if not len(payload) else "feature-not-implemented", "no such request")


def _skeleton(payload: Element, form: Form | None) -> Element:
    """The request without what wokkel need not see."""
    copy = Element(payload.tag)
    for part in payload:
        if namespace(part) != namespace(payload):
            continue
        twin = E(part.tag, {name: value for name, value in part.attrib.items() if not name.startswith("{")})
        if "jid" in twin.attrib:
            twin.set("jid", "subscriber")
        twin.extend(E(ITEM, {"id": item.get("id", "")}) for item in part if item.tag == ITEM)
        if child(part, DATA_FORM) is not None and form is not None:
            of_part = ns.PUBSUB_NODE_CONFIG if part.tag.endswith("}configure") else ns.PUBSUB_SUBSCRIBE_OPTIONS
            twin.append(Form(form.type, of_part).element())
        copy.append(twin)
    return copy


def _form(payload: Element) -> Form | None:
    for part in payload:
        if part.tag.rpartition("}")[2] in _FORM_PARENTS:
            found = child(part, DATA_FORM)
            if found is not None:
                return Form.parse(found)
    return None


def _subscriber(verb: Element) -> JID:
    try:
        return JID.parse(verb.attrib["jid"])
    except KeyError:
        raise error("bad-request", "jid-required") from None
    except JIDError as problem:
        raise error("bad-request", "invalid-jid", str(problem)) from None


def _changes(verb: Element) -> Iterable[Change]:
    name = verb.tag.removesuffix("s")  # affiliations, subscriptions
    attribute = name.rpartition("}")[2]
    for item in verb:
        if item.tag == name:
            try:
                yield Change(item, JID.parse(item.get("jid", "")), item.get(attribute, ""))
            except JIDError as problem:
                raise error("bad-request", "invalid-jid", str(problem)) from None


def _redirect(verb: Element) -> str:
    found = child(verb, "{%s}redirect" % ns.PUBSUB_OWNER)
    return "" if found is None else found.get("uri", "")
