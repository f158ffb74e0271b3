"""Requests between occupants and to the room, and self-ping (XEP-0045 §17.4; XEP-0410; XEP-0199)."""

import pytest

from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from kit.rooms import ANN, BOB, BOB2, CAT, ROOM, Said, Stage, refusal
from kit.xml import read

PING = f"<ping xmlns='{ns.PING}'/>"
VERSION = f"<query xmlns='{ns.VERSION}'/>"


def occupied() -> Stage:
    stage = Stage()
    stage.enter(BOB)
    return stage


def ping(stage: Stage, sender, nick) -> Said:
    return stage.iq(sender, PING, to=f"{ROOM}/{nick}")


def is_answered(got: Said, sender) -> bool:
    answer = got.only(sender)
    return (answer.get("type"), answer.get("id"), set(got)) == ("result", "q", {sender})


# -- the decision table of XEP-0410


def test_a_self_ping_to_ones_own_nickname_is_answered():
    got = ping(occupied(), BOB, "Bob")
    assert is_answered(got, BOB)
    assert got.only(BOB).get("from") == f"{ROOM}/Bob"


def test_a_self_ping_to_the_nickname_of_a_minute_ago_is_answered():
    stage = occupied()
    stage.presence(BOB, "Rob")
    stage.now += 59
    assert is_answered(ping(stage, BOB, "Bob"), BOB)
    stage.now += 1
    assert refusal(ping, stage, BOB, "Bob") == ("item-not-found", "cancel")


def test_a_ping_to_somebody_else_is_passed_on():
    got = ping(occupied(), BOB, "Ann")
    assert set(got) == {ANN}
    assert child(got.only(ANN), "{%s}ping" % ns.PING) is not None


def test_a_ping_to_a_nickname_that_nobody_has_says_that_the_nickname_changed():
    assert refusal(ping, occupied(), BOB, "Nobody") == ("item-not-found", "cancel")


@pytest.mark.parametrize("nick", ["Ann", "Bob", "Nobody"])
def test_who_is_not_in_learns_so_whatever_nickname_he_pings(nick):
    assert refusal(ping, occupied(), CAT, nick) == ("not-acceptable", "cancel")


def test_it_is_the_session_that_counts_and_not_the_person():
    assert refusal(ping, occupied(), BOB2, "Bob") == ("not-acceptable", "cancel")


def test_a_locked_room_is_none_to_be_in():
    assert refusal(ping, Stage(locked=True), BOB, "Bob") == ("not-acceptable", "cancel")


def test_a_ping_to_the_room_is_answered_to_anybody():
    for sender in (ANN, CAT):
        assert is_answered(occupied().iq(sender, PING), sender)


# -- between occupants


def test_a_request_goes_to_one_session_and_its_answer_comes_back():
    stage = occupied()
    stage.enter(BOB2, "Bob")
    got = stage.iq(ANN, VERSION, to=f"{ROOM}/Bob")
    asked = got.only(BOB2)
    assert set(got) == {BOB2}
    assert asked.get("from") == f"{ROOM}/Ann"
    assert asked.get("id") != "q"
    back = stage.send(BOB2, f"<iq type='result' id='{asked.get('id')}' to='{ROOM}/Ann'>{VERSION}</iq>")
    answer = back.only(ANN)
    assert (answer.get("from"), answer.get("id"), answer.get("type")) == (f"{ROOM}/Bob", "q", "result")
    assert child(answer, "{%s}query" % ns.VERSION) is not None


def test_an_answer_comes_once():
    stage = occupied()
    id = stage.iq(ANN, VERSION, to=f"{ROOM}/Bob").only(BOB).get("id")
    answer = f"<iq type='result' id='{id}' to='{ROOM}/Ann'/>"
    assert stage.send(BOB, answer)
    assert not stage.send(BOB, answer)


def test_nobody_else_may_answer():
    stage = occupied()
    stage.enter(CAT)
    id = stage.iq(ANN, VERSION, to=f"{ROOM}/Bob").only(BOB).get("id")
    answer = f"<iq type='result' id='{id}' to='{ROOM}/Ann'/>"
    assert not stage.send(CAT, answer)
    assert stage.send(BOB, answer)


def test_an_answer_to_somebody_who_has_left_is_dropped():
    stage = occupied()
    id = stage.iq(BOB, VERSION, to=f"{ROOM}/Ann").only(ANN).get("id")
    stage.leave(BOB)
    assert not stage.send(ANN, f"<iq type='result' id='{id}' to='{ROOM}/Bob'/>")


def test_an_error_comes_back_without_the_address_of_who_made_it():
    stage = occupied()
    id = stage.iq(ANN, VERSION, to=f"{ROOM}/Bob").only(BOB).get("id")
    error = f"<error type='cancel' by='{BOB}'><service-unavailable xmlns='{ns.STANZA_ERRORS}'/></error>"
    got = stage.send(BOB, f"<iq type='error' id='{id}' to='{ROOM}/Ann'>{VERSION}{error}</iq>")
    told = child(got.only(ANN), "error")
    assert told.attrib == {"type": "cancel"}
    assert child(told, "{%s}service-unavailable" % ns.STANZA_ERRORS) is not None


@pytest.mark.parametrize(
    "query", ["<vCard xmlns='vcard-temp'/>", f"<pubsub xmlns='{ns.PUBSUB}'/>", f"<vcard xmlns='{ns.VCARD4}'/>"]
)
def test_what_belongs_to_the_account_is_asked_of_the_account(query):
    stage = occupied()
    got = stage.iq(ANN, query, to=f"{ROOM}/Bob")
    asked = got.only(BOB.bare)
    back = stage.send(BOB.bare, f"<iq type='result' id='{asked.get('id')}' to='{ROOM}/Ann'>{query}</iq>")
    assert back.only(ANN).get("from") == f"{ROOM}/Bob"


def test_a_stranger_may_not_ask_an_occupant():
    stage = occupied()
    assert refusal(stage.iq, CAT, VERSION, to=f"{ROOM}/Bob") == ("not-acceptable", "cancel")


@pytest.mark.parametrize("uri", [ns.DISCO_INFO, ns.DISCO_ITEMS])
def test_a_strangers_disco_of_an_occupant_is_a_bad_request(uri):
    stage = occupied()
    assert refusal(stage.iq, CAT, f"<query xmlns='{uri}'/>", to=f"{ROOM}/Bob") == ("bad-request", "modify")
    assert stage.iq(ANN, f"<query xmlns='{uri}'/>", to=f"{ROOM}/Bob")[BOB]


def test_the_room_forgets_the_oldest_question_before_it_has_too_many():
    stage = occupied()
    first = stage.iq(ANN, VERSION, to=f"{ROOM}/Bob").only(BOB).get("id")
    for _ in range(1000):
        last = stage.iq(ANN, VERSION, to=f"{ROOM}/Bob").only(BOB).get("id")
    assert len(stage.room.state.queries) == 1000
    assert not stage.send(BOB, f"<iq type='result' id='{first}' to='{ROOM}/Ann'/>")
    assert stage.send(BOB, f"<iq type='result' id='{last}' to='{ROOM}/Ann'/>")


# -- to the room


def test_the_room_remembers_no_id_that_is_very_long():
    stage = occupied()
    asked = f"<iq type='get' id='%s' to='{ROOM}/Bob'><query xmlns='jabber:iq:version'/></iq>"
    assert stage.send(ANN, asked % ("x" * 1_023))[BOB]
    assert refusal(stage.send, ANN, asked % ("x" * 1_024)) == ("policy-violation", "modify")


def test_what_the_room_does_not_know_it_says_so():
    assert refusal(occupied().iq, BOB, VERSION) == ("service-unavailable", "cancel")


@pytest.mark.parametrize("xml", ["<iq type='get' id='q'/>", "<iq type='get'><a/></iq>", "<iq id='q'><a/></iq>"])
def test_a_request_that_is_none_is_refused(xml):
    for to in (ROOM, f"{ROOM}/Ann"):
        stanza = read(xml)
        stanza.set("from", BOB)
        stanza.set("to", to)
        assert refusal(occupied().give, BOB, stanza) == ("bad-request", "modify")


def test_an_answer_to_nothing_is_ignored():
    stage = occupied()
    for type in ("result", "error"):
        for to in (ROOM, f"{ROOM}/Ann"):
            assert not stage.iq(BOB, "", type, to)
