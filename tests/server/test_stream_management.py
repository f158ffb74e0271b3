"""Stream management (XEP-0198): counting, resuming, and what becomes of a session that is lost."""

import base64

import pytest

from kit import ns
from kit.people import People
from kit.sessions import failure, managed, name, say
from kit.stanzas import find, show

# Enabling (§3)


def test_enabled_says_that_and_how_long_it_can_be_resumed(people: People) -> None:
    enabled = people.bound().enable()
    assert enabled.get("resume") == "true"
    assert len(base64.b64decode(enabled.get("id", "") + "==", altchars=b"-_")) >= 16
    assert int(enabled.get("max", "0")) >= 60


def test_ids_cannot_be_guessed(people: People) -> None:
    user = people.name()
    ids = {people.bound(user).enable().get("id") for _ in range(4)}
    assert len(ids) == 4


def test_it_can_be_enabled_without_resumption(people: People) -> None:
    enabled = people.bound().enable(resume=False)
    assert enabled.get("resume") in (None, "false")
    assert enabled.get("id") is None


def test_it_cannot_be_enabled_before_binding(people: People) -> None:
    client = people.authenticated()
    client.send(f"<enable xmlns='{ns.SM}' resume='true'/>")
    failure(client.next(), "unexpected-request")
    client.bind()
    client.enable()


def test_it_cannot_be_enabled_twice(people: People) -> None:
    client = people.bound()
    client.enable()
    client.send(f"<enable xmlns='{ns.SM}'/>")
    failure(client.next(), "unexpected-request")
    client.sync()
    assert client.request_ack() == 1


def test_it_cannot_be_enabled_before_authentication(people: People) -> None:
    client = people.opened()
    client.send(f"<enable xmlns='{ns.SM}'/>")
    answer = client.next()
    if answer.tag == f"{{{ns.SM}}}failed":
        failure(answer, "unexpected-request")
    else:
        assert find(answer, "stream-errors:not-authorized") is not None, show(answer)


@pytest.mark.parametrize("nonza", ["<r xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='0'/>"])
def test_acknowledgements_without_it_harm_nobody(people: People, nonza: str) -> None:
    """They are ignored, refused or end this stream; somebody else's goes on."""
    client, other = people.bound(), people.bound()
    client.send(nonza)
    other.sync()
    people.bound(name(client)).sync()


# Counting (§4)


def test_stanzas_are_counted_and_nothing_else(people: People) -> None:
    client = people.bound()
    client.enable()
    assert client.request_ack() == 0
    client.send("<presence/>")
    client.send(f"<iq type='get' id='1' to='localhost'><ping xmlns='{ns.PING}'/></iq>")
    client.send(f"<message to='{client.bare}/gone' type='headline'/>")
    assert client.request_ack() == 3
    client.send("   \n ")
    client.ack(0)
    assert client.request_ack() == 3


def test_stanzas_sent_right_after_enable_count(people: People) -> None:
    client = people.bound()
    ping = f"<iq type='get' id='1' to='localhost'><ping xmlns='{ns.PING}'/></iq>"
    client.send(f"<enable xmlns='{ns.SM}' resume='true'/>{ping}{ping}")
    client.expect("sm:enabled")
    client.managed = True
    assert client.request_ack() == 2


def test_an_invalid_stanza_counts_as_well(people: People) -> None:
    client = people.bound()
    client.enable()
    client.send("<message to='@'/><iq type='get' id='1'/><presence type='strange' to='localhost'/>")
    assert client.request_ack() == 3


def test_a_request_is_answered_at_once_and_as_often_as_it_is_made(people: People) -> None:
    client = people.bound()
    client.enable()
    client.transparent = True
    client.send(f"<r xmlns='{ns.SM}'/>" * 5)
    acks = [client.wait_for(lambda element: element.tag == f"{{{ns.SM}}}a") for _ in range(5)]
    assert [ack.get("h") for ack in acks] == ["0"] * 5


def test_the_server_asks_for_acknowledgements(people: People) -> None:
    ann = people.online()
    ben, _ = managed(people)
    ben.transparent = True
    say(ann, ben, "hello")
    ben.wait_for(lambda element: element.tag == f"{{{ns.SM}}}r")


def test_acknowledging_more_than_was_sent_ends_the_stream(people: People) -> None:
    client = people.bound()
    client.enable()
    client.sync()
    client.ack(1000)
    ended = client.expect_stream_error("undefined-condition")
    detail = find(ended, "sm:handled-count-too-high")
    assert detail is not None, show(ended)
    assert detail.get("h") == "1000"
    assert detail.get("send-count") == "1"


def test_acknowledging_less_than_before_harms_nobody(people: People) -> None:
    ann = people.online()
    ben, _ = managed(people)
    for number in range(3):
        say(ann, ben, str(number))
        ben.expect("message")
    ben.ack()
    ben.ack(1)
    ben.sync()


@pytest.mark.parametrize("h", ["many", "", "99999999999999999999"])
def test_an_acknowledgement_that_is_no_number_ends_this_stream_alone(people: People, h: str) -> None:
    client, other = people.bound(), people.online()
    client.enable()
    client.send(f"<a xmlns='{ns.SM}' h='{h}'/>")
    client.wait_for(lambda element: element.tag == f"{{{ns.STREAMS}}}error")
    other.sync()
