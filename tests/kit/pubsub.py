"""Nodes and those who want to hear of them (XEP-0060, XEP-0115, XEP-0163)."""

import base64
import hashlib
from typing import NamedTuple

from . import ns
from .stanzas import Element, escape, find, find_all, form_values, quoteattr, show
from .wire import Client

EVENT = f"{{{ns.PUBSUB}#event}}event"


class Event(NamedTuple):
    """What a notification tells: items are (id, payload), of which the payload may be missing."""

    sender: str
    kind: str  #: items, retract, purge, delete, configuration, subscription
    node: str
    items: list[tuple[str, Element | None]]
    message: Element

    @property
    def ids(self) -> list[str]:
        return [id for id, _ in self.items]


def form(kind: str, fields: dict[str, str | list[str]], type: str = "submit") -> str:
    """A filled in form of that kind; names are without `pubsub#`."""
    values = {"FORM_TYPE": kind if ":" in kind else f"{ns.PUBSUB}#{kind}"}
    written = f"<field var='FORM_TYPE' type='hidden'><value>{values['FORM_TYPE']}</value></field>"
    for name, value in fields.items():
        several = "".join(f"<value>{escape(each)}</value>" for each in ([value] if isinstance(value, str) else value))
        written += f"<field var='pubsub#{name}'>{several}</field>"
    return f"<x xmlns='{ns.DATA}' type='{type}'>{written}</x>"


def pubsub(content: str, owner: bool = False) -> str:
    return f"<pubsub xmlns='{ns.PUBSUB}{'#owner' if owner else ''}'>{content}</pubsub>"


def publishing(node: str, payload: str = "<x xmlns='urn:example'/>", id: str | None = None, **options: str) -> str:
    """The payload of a request to publish; options are publish-options."""
    of_id = "" if id is None else f" id={quoteattr(id)}"
    more = f"<publish-options>{form('publish-options', dict(options))}</publish-options>" if options else ""
    return pubsub(f"<publish node={quoteattr(node)}><item{of_id}>{payload}</item></publish>{more}")


def publish(
    client: Client,
    node: str,
    payload: str = "<x xmlns='urn:example'/>",
    id: str | None = None,
    to: str | None = None,
    **options: str,
) -> str:
    """Publish an item; its id."""
    item = find(client.set(publishing(node, payload, id, **options), to), "pubsub:pubsub/pubsub:publish/pubsub:item")
    assert item is not None
    return item.get("id", "")


def asking(node: str, *ids: str, more: str = "", **attributes: str) -> str:
    """The payload of a request for items."""
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    wanted = "".join(f"<item id={quoteattr(id)}/>" for id in ids)
    return pubsub(f"<items node={quoteattr(node)}{written}>{wanted}</items>{more}")


def items(client: Client, node: str, to: str | None = None, *ids: str, **attributes: str) -> dict[str, Element | None]:
    """The payloads of the items that a node shows, by their ids."""
    reply = client.get(asking(node, *ids, **attributes), to)
    found = find_all(reply, "pubsub:pubsub/pubsub:items/pubsub:item")
    return {item.get("id", ""): item[0] if len(item) else None for item in found}


def retract(client: Client, node: str, id: str, to: str | None = None, **attributes: str) -> None:
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    client.set(pubsub(f"<retract node={quoteattr(node)}{written}><item id={quoteattr(id)}/></retract>"), to)


def create(client: Client, node: str, to: str | None = None, **config: str | list[str]) -> None:
    more = f"<configure>{form('node_config', dict(config))}</configure>" if config else ""
    client.set(pubsub(f"<create node={quoteattr(node)}/>{more}"), to)


def configuration(client: Client, node: str, to: str | None = None) -> dict[str, list[str]]:
    """How a node is set up; names are without `pubsub#`."""
    reply = client.get(pubsub(f"<configure node={quoteattr(node)}/>", owner=True), to)
    return {name.removeprefix("pubsub#"): values for name, values in form_values(reply).items()}


def configure(client: Client, node: str, to: str | None = None, **config: str | list[str]) -> None:
    wanted = form("node_config", dict(config))
    client.set(pubsub(f"<configure node={quoteattr(node)}>{wanted}</configure>", owner=True), to)


def affiliate(client: Client, node: str, to: str | None = None, **people: str) -> None:
    """Set affiliations: localparts of people on localhost."""
    each = "".join(f"<affiliation jid='{name}@localhost' affiliation='{what}'/>" for name, what in people.items())
    client.set(pubsub(f"<affiliations node={quoteattr(node)}>{each}</affiliations>", owner=True), to)


def subscribe(client: Client, node: str, to: str | None = None, jid: str = "", options: str = "") -> str:
    """Subscribe the client's bare JID, or that one; the state of the subscription."""
    wanted = f"<subscribe node={quoteattr(node)} jid={quoteattr(jid or client.bare)}/>"
    reply = client.set(pubsub(wanted + options), to)
    found = find(reply, "pubsub:pubsub/pubsub:subscription")
    assert found is not None, show(reply)
    return found.get("subscription", "")


def unsubscribe(client: Client, node: str, to: str | None = None, jid: str = "") -> None:
    client.set(pubsub(f"<unsubscribe node={quoteattr(node)} jid={quoteattr(jid or client.bare)}/>"), to)


def refusal(client: Client, type: str, payload: str, to: str | None = None) -> tuple[str, str, str]:
    """(type, condition, pubsub's own condition) of the error that answers a request."""
    reply = client.iq(type, payload, to)
    error = reply.find("error")
    assert error is not None, show(reply)
    names = [child.tag.rpartition("}") for child in error]
    own = [name for uri, _, name in names if uri == f"{{{ns.PUBSUB}#errors"]
    (condition,) = [name for uri, _, name in names if uri == f"{{{ns.STANZA_ERRORS}" and name != "text"]
    return error.get("type", ""), condition, own[0] if own else ""


# -- clients that want to hear of nodes


def ver(*features: str) -> str:
    """The hash of a client with these features (XEP-0115 §5.1)."""
    text = "client/pc//test<" + "".join(f"{feature}<" for feature in sorted(features))
    return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


def caps(*nodes: str) -> str:
    """The `<c/>` of a client that wants notifications of these nodes."""
    wanted = ver(*(f"{node}+notify" for node in nodes))
    return f"<c xmlns='{ns.CAPS}' hash='sha-1' node='urn:test' ver='{wanted}'/>"


def tell_features(client: Client, question: Element, *features: str) -> None:
    """Answer a disco#info request."""
    query = find(question, "info:query")
    assert query is not None, show(question)
    each = "".join(f"<feature var={quoteattr(feature)}/>" for feature in features)
    client.send(
        f"<iq type='result' id='{question.get('id')}' to='{question.get('from')}'>"
        f"<query xmlns='{ns.DISCO_INFO}' node={quoteattr(query.get('node', ''))}>"
        f"<identity category='client' type='pc' name='test'/>{each}</query></iq>"
    )


def listen(client: Client, *nodes: str, presence: str = "") -> list[Event]:
    """Become available, wanting to hear of these nodes; what the client is told because of that."""
    client.send(f"<presence>{caps(*nodes)}{presence}</presence>")
    before = client.sync() + client.sync()  # the server asks in a turn of its own
    for stanza in before:
        if stanza.tag == "iq" and find(stanza, "info:query") is not None:
            tell_features(client, stanza, *(f"{node}+notify" for node in nodes))
    return _events(before) + events(client)


def events(client: Client) -> list[Event]:
    """The notifications that have come by now; all else that came is dropped."""
    return _events(client.sync())


def _events(stanzas: list[Element]) -> list[Event]:
    return [event(stanza) for stanza in stanzas if stanza.tag == "message" and find(stanza, EVENT) is not None]


def event(message: Element) -> Event:
    """What a notification tells."""
    found = find(message, EVENT)
    assert found is not None, show(message)
    assert len(found) == 1, show(message)
    told = found[0]
    kind = told.tag.rpartition("}")[2]
    if kind == "items" and [child for child in told if child.tag.endswith("}retract")]:
        kind = "retract"
    each = (
        [(child.get("id", ""), child[0] if len(child) else None) for child in told] if kind != "configuration" else []
    )
    return Event(message.get("from", ""), kind, told.get("node", ""), each, message)


def bookmark(client: Client, room: str, nick: str, autojoin: bool = True, inside: str = "") -> None:
    """Publishes a bookmark (XEP-0402); nothing of that is left to read."""
    conference = (
        f"<conference xmlns='{ns.BOOKMARKS}' autojoin='{'true' if autojoin else 'false'}'>"
        f"<nick>{nick}</nick>{inside}</conference>"
    )
    client.set(
        f"<pubsub xmlns='{ns.PUBSUB}'><publish node='{ns.BOOKMARKS}'><item id='{room}'>{conference}</item></publish>"
        "</pubsub>"
    )
