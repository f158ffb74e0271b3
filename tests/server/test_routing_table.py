"""Where a stanza goes: every cell of the table of RFC 6121 §8.5, with the choices that it leaves open.

The rows are the states of the addressee, the columns the types of a message. Offline storage is kept by `spooled`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kit import ns
from kit.people import People
from kit.stanzas import error, find, show, text
from kit.wire import Client

TYPES = ["normal", "chat", "groupchat", "headline", "error"]
UNKNOWN = "<query xmlns='urn:example:unknown'/>"


@dataclass
class Addressee:
    """An account with sessions in several states; `address` is where the message goes."""

    address: str
    sessions: dict[str, Client] = field(default_factory=dict)


def absent_bare(people: People) -> Addressee:
    return Addressee("nobody@localhost")


def absent_full(people: People) -> Addressee:
    return Addressee("nobody@localhost/phone")


def offline(people: People) -> Addressee:
    return Addressee(f"{people.name()}@localhost")


def bound_only(people: People) -> Addressee:
    client = people.bound()
    return Addressee(client.bare, {"silent": client})


def negative_only(people: People) -> Addressee:
    client = people.online(presence="<priority>-1</priority>")
    return Addressee(client.bare, {"negative": client})


def everything(people: People) -> Addressee:
    """Two ordinary sessions of different priority, a negative one, and one that has sent no presence."""
    user = people.name()
    sessions = {
        "silent": people.bound(user, "silent"),
        "negative": people.online(user, "negative", "<priority>-1</priority>"),
        "low": people.online(user, "low", "<priority>0</priority>"),
        "high": people.online(user, "high", "<priority>9</priority>"),
    }
    for client in sessions.values():
        client.sync()
    return Addressee(f"{user}@localhost", sessions)


def full(resource: str) -> Callable[[People], Addressee]:
    def situation(people: People) -> Addressee:
        addressee = everything(people)
        addressee.address += f"/{resource}"
        return addressee

    situation.__name__ = f"full_{resource}"
    return situation


def gone_with(others: Callable[[People], Addressee]) -> Callable[[People], Addressee]:
    def situation(people: People) -> Addressee:
        addressee = others(people)
        addressee.address += "/gone"
        return addressee

    situation.__name__ = f"gone_with_{others.__name__}"
    return situation


REFUSED, IGNORED, SPOOLED = "refused", "ignored", "spooled"
ALL = frozenset({"low", "high"})
Outcome = str | frozenset[str]

# situation: what becomes of a message of each type, in the order of TYPES
TABLE: list[tuple[Callable[[People], Addressee], list[Outcome]]] = [
    (absent_bare, [REFUSED, REFUSED, REFUSED, IGNORED, IGNORED]),
    (absent_full, [REFUSED, REFUSED, REFUSED, IGNORED, IGNORED]),
    (offline, [SPOOLED, SPOOLED, REFUSED, IGNORED, IGNORED]),
    (bound_only, [SPOOLED, SPOOLED, REFUSED, IGNORED, IGNORED]),
    (negative_only, [SPOOLED, SPOOLED, REFUSED, IGNORED, IGNORED]),
    (everything, [ALL, ALL, REFUSED, ALL, IGNORED]),
    (full("high"), [frozenset({"high"})] * 5),
    (full("low"), [frozenset({"low"})] * 5),
    (full("negative"), [frozenset({"negative"})] * 5),
    (full("silent"), [frozenset({"silent"})] * 5),
    (gone_with(everything), [REFUSED, ALL, REFUSED, IGNORED, IGNORED]),
    (gone_with(negative_only), [REFUSED, SPOOLED, REFUSED, IGNORED, IGNORED]),
    (gone_with(bound_only), [REFUSED, SPOOLED, REFUSED, IGNORED, IGNORED]),
    (gone_with(offline), [REFUSED, SPOOLED, REFUSED, IGNORED, IGNORED]),
]
CELLS = [
    pytest.param(situation, type, outcome, id=f"{situation.__name__}-{type}")
    for situation, outcomes in TABLE
    for type, outcome in zip(TYPES, outcomes, strict=True)
]


@pytest.mark.parametrize(("situation", "type", "outcome"), CELLS)
def test_a_message_goes_where_the_table_says(
    guests: People, situation: Callable[[People], Addressee], type: str, outcome: Outcome
) -> None:
    sender = guests.online()
    addressee = situation(guests)
    refusal = f"<error type='cancel'><gone xmlns='{ns.STANZA_ERRORS}'/></error>" if type == "error" else ""
    sender.send(f"<message type='{type}' id='m' to='{addressee.address}'><body>hello</body>{refusal}</message>")
    if outcome == REFUSED:
        sender.expect_error("message", "service-unavailable", "cancel", id="m", from_=addressee.address)
    sender.nothing_before()
    for name, client in addressee.sessions.items():
        if name in outcome and not isinstance(outcome, str):
            message = client.expect("message", "body", id="m", from_=sender.jid, to=addressee.address)
            assert message.get("type", "normal") == type
            assert find(message, "delay:delay") is None
        client.nothing_before()
    assert_spooled(guests, addressee, outcome == SPOOLED)


def assert_spooled(people: People, addressee: Addressee, spooled: bool) -> None:
    """Whoever becomes available next gets the message, or nothing."""
    if addressee.address.startswith("nobody"):
        return
    client = people.bound(addressee.address.split("@")[0])
    client.send("<presence/>")
    kept = [stanza for stanza in client.sync() if stanza.tag == "message"]
    assert [message.get("id") for message in kept] == (["m"] if spooled else [])
    if spooled:
        assert kept[0].get("to") == addressee.address


@pytest.mark.parametrize("type", ["normal", "chat", "headline"])
def test_a_message_to_ones_own_account_reaches_all_ones_sessions(guests: People, type: str) -> None:
    phone = guests.online()
    desk = guests.another(phone)
    phone.send(f"<message type='{type}' to='{phone.bare}'><body>note</body></message>")
    desk.expect("message", "body", from_=phone.jid)
    phone.expect("message", "body", from_=phone.jid)


# IQ


@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize("situation", [absent_bare, offline, everything], ids=lambda each: each.__name__)
def test_a_request_to_an_account_is_answered_by_its_server(
    guests: People, situation: Callable[[People], Addressee], type: str
) -> None:
    sender, addressee = guests.online(), situation(guests)
    reply = sender.iq(type, UNKNOWN, addressee.address)
    assert error(reply) == ("cancel", "service-unavailable")
    assert reply.get("from") == addressee.address
    for client in addressee.sessions.values():
        client.nothing_before()


@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize(
    "situation", [absent_full, gone_with(everything), gone_with(offline)], ids=lambda each: each.__name__
)
def test_a_request_to_a_session_that_is_not_there_is_refused(
    guests: People, situation: Callable[[People], Addressee], type: str
) -> None:
    sender, addressee = guests.online(), situation(guests)
    assert sender.refused(type, UNKNOWN, addressee.address) == ("cancel", "service-unavailable")
    for client in addressee.sessions.values():
        client.nothing_before()


@pytest.mark.parametrize("type", ["get", "set", "result", "error"])
@pytest.mark.parametrize("resource", ["high", "negative", "silent"])
def test_an_iq_to_a_session_reaches_it_alone(guests: People, resource: str, type: str) -> None:
    sender, addressee = guests.online(), everything(guests)
    payload = UNKNOWN
    if type == "error":
        payload += f"<error type='cancel'><gone xmlns='{ns.STANZA_ERRORS}'/></error>"
    sender.send(f"<iq type='{type}' id='q' to='{addressee.address}/{resource}'>{payload}</iq>")
    sender.nothing_before()
    for name, client in addressee.sessions.items():
        if name == resource:
            client.expect("iq", "{urn:example:unknown}query", id="q", type=type, from_=sender.jid)
        client.nothing_before()


@pytest.mark.parametrize("type", ["result", "error"])
@pytest.mark.parametrize(
    "situation",
    [absent_bare, absent_full, everything, gone_with(everything), gone_with(offline)],
    ids=lambda each: each.__name__,
)
def test_an_answer_to_nobody_is_dropped(guests: People, situation: Callable[[People], Addressee], type: str) -> None:
    sender, addressee = guests.online(), situation(guests)
    payload = f"<error type='cancel'><gone xmlns='{ns.STANZA_ERRORS}'/></error>" if type == "error" else UNKNOWN
    sender.send(f"<iq type='{type}' id='q' to='{addressee.address}'>{payload}</iq>")
    sender.nothing_before()
    for client in addressee.sessions.values():
        client.nothing_before()


# Presence


@pytest.mark.parametrize("type", ["available", "unavailable"])
def test_presence_to_an_account_reaches_all_its_available_sessions(guests: People, type: str) -> None:
    sender, addressee = guests.online(), everything(guests)
    attribute = "" if type == "available" else f"type='{type}'"
    sender.send(f"<presence id='p' {attribute} to='{addressee.address}'/>")
    sender.sync()
    for name, client in addressee.sessions.items():
        if name != "silent":
            client.expect("presence", id="p", from_=sender.jid, to=addressee.address)
        client.nothing_before()


@pytest.mark.parametrize("type", ["available", "unavailable"])
@pytest.mark.parametrize("resource", ["high", "negative"])
def test_presence_to_a_session_reaches_it_alone(guests: People, resource: str, type: str) -> None:
    sender, addressee = guests.online(), everything(guests)
    attribute = "" if type == "available" else f"type='{type}'"
    sender.send(f"<presence id='p' {attribute} to='{addressee.address}/{resource}'/>")
    sender.sync()
    for name, client in addressee.sessions.items():
        if name == resource:
            client.expect("presence", id="p", from_=sender.jid)
        client.nothing_before()


@pytest.mark.parametrize("type", ["available", "unavailable", "error"])
@pytest.mark.parametrize(
    "situation",
    [absent_bare, absent_full, offline, gone_with(everything), gone_with(offline)],
    ids=lambda each: each.__name__,
)
def test_presence_to_nobody_is_dropped(guests: People, situation: Callable[[People], Addressee], type: str) -> None:
    sender, addressee = guests.online(), situation(guests)
    attribute = "" if type == "available" else f"type='{type}'"
    refusal = f"<error type='cancel'><gone xmlns='{ns.STANZA_ERRORS}'/></error>" if type == "error" else ""
    sender.send(f"<presence id='p' {attribute} to='{addressee.address}'>{refusal}</presence>")
    sender.nothing_before()
    for client in addressee.sessions.values():
        client.nothing_before()


def test_a_subscription_to_a_session_is_one_to_its_account(people: People) -> None:
    ann, ben = people.online(), people.online()
    other = people.another(ben)
    ann.send(f"<presence type='subscribe' to='{ben.jid}'/>")
    for client in (ben, other):
        client.expect("presence", type="subscribe", from_=ann.bare)
    roster = ann.get(f"<query xmlns='{ns.ROSTER}'/>")
    assert [item.get("jid") for item in roster[0]] == [ben.bare]


def test_a_probe_to_a_stranger_tells_nothing(guests: People) -> None:
    ann, ben = guests.online(), guests.online()
    ann.send(f"<presence type='probe' to='{ben.bare}'/>")
    assert all(stanza.get("type") in ("unsubscribed", "error") for stanza in ann.sync())
    ben.nothing_before()


# The server's own addresses


@pytest.mark.parametrize("type", ["get", "set"])
def test_a_request_to_an_unknown_resource_of_the_server_is_refused(guests: People, type: str) -> None:
    assert guests.online().refused(type, UNKNOWN, "localhost/unknown") == ("cancel", "service-unavailable")


@pytest.mark.parametrize("type", ["normal", "chat", "groupchat"])
def test_a_message_to_an_unknown_resource_of_the_server_is_refused(guests: People, type: str) -> None:
    ann = guests.online()
    ann.send(f"<message type='{type}' id='m' to='localhost/unknown'><body>hello</body></message>")
    ann.expect_error("message", "service-unavailable", id="m", from_="localhost/unknown")


def test_presence_to_the_server_is_dropped(guests: People) -> None:
    ann = guests.online()
    ann.send("<presence to='localhost'/><presence type='unavailable' to='localhost'/>")
    ann.nothing_before()


def test_the_text_of_a_refused_message_is_not_lost_on_the_way_back(guests: People) -> None:
    """What the error carries beside the error is optional; if it carries the body, then the right one."""
    ann = guests.online()
    ann.send("<message type='chat' id='m' to='nobody@localhost'><body>hello</body></message>")
    refused = ann.expect_error("message", "service-unavailable", id="m")
    assert text(refused, "body") in (None, "hello"), show(refused)
