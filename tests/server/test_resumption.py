"""Resuming sessions (XEP-0198 §5), how they end, and what their rooms see of it."""

import pytest

from kit import ns
from kit.muc import create, enter, party
from kit.people import PASSWORD, People
from kit.sessions import failure, managed, name, resumed, say
from kit.stanzas import Element, codes, find, show, text
from kit.wire import Client, SocketLink


def lose(client: Client) -> None:
    """Cut the connection; the session stays. A ping on another connection is not needed: resuming waits for it."""
    assert isinstance(client.link, SocketLink)
    client.cut()


def bodies(stanzas: list[Element]) -> list[str | None]:
    return [text(stanza, "body") for stanza in stanzas if stanza.tag == "message"]


# Resuming (§5)


def test_a_session_is_resumed_and_what_was_missed_comes_in_order(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    say(ann, ben, "seen")
    ben.expect("message", "body")
    h = ben.handled
    lose(ben)
    for number in range(5):
        say(ann, ben, str(number))
    ann.nothing_before()
    again = resumed(people, name(ben), id, h)
    assert bodies(again.sync()) == ["0", "1", "2", "3", "4"]
    say(ann, ben, "live")
    assert text(again.expect("message"), "body") == "live"


def test_what_was_sent_but_not_handled_comes_again(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    h = ben.handled
    for number in range(4):
        say(ann, ben, str(number))
        ben.expect("message")
    lose(ben)
    again = resumed(people, name(ben), id, h + 2)
    assert bodies(again.sync()) == ["2", "3"]


def test_what_was_handled_does_not_come_again(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    say(ann, ben, "once")
    ben.expect("message", "body")
    ben.ack()
    ben.request_ack()
    h = ben.handled
    lose(ben)
    assert bodies(resumed(people, name(ben), id, h).sync()) == []


def test_the_server_tells_what_it_handled(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    before = ben.request_ack()
    for number in range(3):
        say(ben, ann, str(number))
        ann.expect("message")
    lose(ben)
    client = people.authenticated(name(ben))
    answer = client.resume(id, ben.handled)
    assert answer.tag == f"{{{ns.SM}}}resumed", show(answer)
    assert answer.get("h") == str(before + 3)
    assert client.request_ack() == before + 3


def test_counting_goes_on_after_resuming(people: People) -> None:
    ben, id = managed(people)
    before = ben.request_ack()
    lose(ben)
    again = resumed(people, name(ben), id, ben.handled)
    again.sync()
    assert again.request_ack() == before + 1
    lose(again)
    third = resumed(people, name(ben), id, again.handled)
    assert third.sync() == []


def test_a_resumed_session_is_the_same_one(people: People) -> None:
    """Address, presence, subscriptions and the wish for roster pushes stay; nobody hears of it."""
    cat = people.online()
    ben, id = managed(people)
    people.befriend(cat, ben)
    ben.get(f"<query xmlns='{ns.ROSTER}'/>")
    lose(ben)
    again = resumed(people, name(ben), id, ben.handled)
    again.jid = ben.jid
    again.sync()
    cat.nothing_before()
    cat.send("<presence><show>away</show></presence>")
    cat.sync()
    again.expect("presence", from_=cat.jid)
    again.send(f"<message to='{cat.jid}'><body>still me</body></message>")
    cat.expect("message", from_=ben.jid)
    another = people.bound(name(ben))
    another.set(f"<query xmlns='{ns.ROSTER}'><item jid='x@example.org'/></query>")
    again.wait_for(lambda stanza: find(stanza, "roster:query/roster:item[@jid='x@example.org']") is not None)


def test_a_lost_session_is_not_unavailable(people: People) -> None:
    cat = people.online()
    ben, _ = managed(people)
    people.befriend(cat, ben)
    lose(ben)
    cat.send(f"<presence type='probe' to='{ben.bare}'/>")
    assert [stanza.get("type") for stanza in cat.sync()] == [None]


def test_a_message_to_the_account_waits_for_a_lost_session(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    lose(ben)
    ann.send(f"<message type='chat' to='{ben.bare}'><body>hello</body></message>")
    ann.nothing_before()
    assert bodies(resumed(people, name(ben), id, ben.handled).sync()) == ["hello"]


def test_a_request_to_a_lost_session_waits(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    lose(ben)
    ann.send(f"<iq type='get' id='q' to='{ben.jid}'><ping xmlns='{ns.PING}'/></iq>")
    ann.nothing_before()
    again = resumed(people, name(ben), id, ben.handled)
    again.wait_for(lambda stanza: stanza.get("id") == "q")
    again.send(f"<iq type='result' id='q' to='{ann.jid}'/>")
    ann.expect("iq", type="result", id="q", from_=ben.jid)


def test_a_session_whose_connection_seems_alive_is_taken_over(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    say(ann, ben, "unseen")
    ann.sync()
    again = resumed(people, name(ben), id, ben.handled)
    assert bodies(again.sync()) == ["unseen"]
    ben.expect_stream_error("conflict")
    ann.sync()
    say(ann, ben, "after")
    assert text(again.expect("message"), "body") == "after"


def test_a_session_is_resumed_once(people: People) -> None:
    ben, id = managed(people)
    lose(ben)
    first = resumed(people, name(ben), id, ben.handled)
    second = resumed(people, name(ben), id, ben.handled)
    first.expect_stream_error("conflict")
    second.sync()


# Resumption refused (§5)


def test_an_unknown_session_is_not_found(people: People) -> None:
    client = people.authenticated()
    failure(client.resume("no-such-session-at-all", 0), "item-not-found")
    client.bind()
    client.enable()


def test_a_session_of_another_account_is_not_found(people: People) -> None:
    ann = people.online()
    ben, id = managed(people)
    lose(ben)
    thief = people.authenticated()
    refusal = failure(thief.resume(id, ben.handled), "item-not-found")
    assert refusal.get("h") is None
    thief.bind()
    say(ann, ben, "private")
    ann.nothing_before()
    assert bodies(resumed(people, name(ben), id, ben.handled).sync()) == ["private"]


def test_resuming_after_binding_is_unexpected(people: People) -> None:
    ben, id = managed(people)
    lose(ben)
    client = people.bound(name(ben))
    failure(client.resume(id, ben.handled), "unexpected-request")
    client.sync()
    resumed(people, name(ben), id, ben.handled)


def test_resuming_before_authentication_is_refused(people: People) -> None:
    ben, id = managed(people)
    lose(ben)
    client = people.opened()
    answer = client.resume(id, ben.handled)
    if answer.tag == f"{{{ns.SM}}}failed":
        failure(answer, "unexpected-request")
    else:
        assert find(answer, "stream-errors:not-authorized") is not None, show(answer)


def test_resuming_with_a_count_too_high_is_refused(people: People) -> None:
    """It ends the new stream, or the attempt; the session itself does not lose anything unacknowledged."""
    ben, id = managed(people)
    lose(ben)
    client = people.authenticated(name(ben))
    answer = client.resume(id, ben.handled + 1000)
    assert answer.tag != f"{{{ns.SM}}}resumed", show(answer)
    if answer.tag == f"{{{ns.STREAMS}}}error":
        assert find(answer, "sm:handled-count-too-high") is not None, show(answer)


@pytest.mark.parametrize("attributes", ["", "previd='x'", "h='0'", "previd='x' h='-1'", "previd='x' h='many'"])
def test_a_malformed_resumption_is_refused(people: People, attributes: str) -> None:
    client = people.authenticated()
    client.send(f"<resume xmlns='{ns.SM}' {attributes}/>")
    answer = client.next()
    assert answer.tag in (f"{{{ns.SM}}}failed", f"{{{ns.STREAMS}}}error"), show(answer)


def test_a_session_that_was_not_resumable_is_gone(people: People) -> None:
    """Without `resume='true'` there is no id; nothing but the end remains (§3)."""
    ann = people.online()
    ben = people.bound()
    ben.enable(resume=False)
    ben.available()
    ann.send(f"<presence to='{ben.jid}'/>")
    ben.expect("presence")
    ben.send(f"<presence to='{ann.jid}'/>")
    ann.expect("presence", type=None, from_=ben.jid)
    lose(ben)
    ann.expect("presence", type="unavailable", from_=ben.jid)


# The end of a session


def test_closing_the_stream_ends_the_session(people: People) -> None:
    cat = people.online()
    ben, id = managed(people)
    people.befriend(cat, ben)
    ben.close()
    cat.expect("presence", type="unavailable", from_=ben.jid)
    client = people.authenticated(name(ben))
    failure(client.resume(id, ben.handled), "item-not-found")


def test_the_server_acknowledges_before_it_closes(people: People) -> None:
    ben, _ = managed(people)
    ben.transparent = True
    count = ben.request_ack()
    ben.transparent = True
    ben.send(f"<message to='{ben.bare}/gone' type='headline'/></stream:stream>")
    last = ben.wait_for(lambda element: element.tag == f"{{{ns.SM}}}a")
    assert last.get("h") == str(count + 1)


def test_what_a_closed_session_did_not_acknowledge_is_not_lost(people: People) -> None:
    """A chat message that its receiver never acknowledged goes to his other session, or waits."""
    ann = people.online()
    ben, _ = managed(people)
    say(ann, ben, "unacknowledged")
    ben.wait_for(lambda stanza: text(stanza, "body") == "unacknowledged")
    ben.managed = False  # whatever it asks, do not answer
    ben.send("</stream:stream>")
    ben.wait_for_end()
    again = people.bound(name(ben))
    again.send("<presence/>")
    (message,) = [stanza for stanza in again.sync() if stanza.tag == "message"]
    assert text(message, "body") == "unacknowledged"
    assert find(message, "delay:delay") is not None


def test_what_was_acknowledged_is_not_delivered_again(people: People) -> None:
    ann = people.online()
    ben, _ = managed(people)
    say(ann, ben, "acknowledged")
    ben.expect("message", "body")
    ben.ack()
    ben.close()
    again = people.bound(name(ben))
    again.send("<presence/>")
    assert bodies(again.sync()) == []


def short_lived(people: People) -> tuple[Client, str]:
    """A session that asks to be kept for a second only."""
    client = people.bound()
    client.send(f"<enable xmlns='{ns.SM}' resume='true' max='1'/>")
    enabled = client.expect("sm:enabled", max="1")
    client.managed = True
    client.available()
    return client, enabled.get("id", "")


def test_after_the_window_the_session_ends_and_its_messages_go_on(people: People) -> None:
    ann = people.online()
    ben, id = short_lived(people)
    other = people.another(ben)
    other.sync()
    lose(ben)
    say(ann, ben, "kept")
    ann.send(f"<iq type='get' id='q' to='{ben.jid}'><ping xmlns='{ns.PING}'/></iq>")
    other.wait_for(lambda stanza: stanza.get("type") == "unavailable" and stanza.get("from") == ben.jid)
    message = other.wait_for(lambda stanza: stanza.tag == "message")
    assert text(message, "body") == "kept"
    assert find(message, "delay:delay") is not None
    ann.expect_error("iq", "service-unavailable", id="q")
    client = people.authenticated(name(ben))
    refusal = failure(client.resume(id, ben.handled), "item-not-found")
    assert refusal.get("h") is not None


def test_after_the_window_the_rooms_are_left(people: People, room: str) -> None:
    ann = people.online()
    ben, _ = short_lived(people)
    party(room, {"Ann": ann, "Ben": ben})
    lose(ben)
    ann.expect("presence", type="unavailable", from_=f"{room}/Ben")


# Rooms


def test_losing_a_session_is_not_leaving(people: People, room: str) -> None:
    ann = people.online()
    ben, id = managed(people)
    party(room, {"Ann": ann, "Ben": ben})
    lose(ben)
    for number in range(3):
        ann.send(f"<message type='groupchat' to='{room}'><body>{number}</body></message>")
        ann.expect("message", "body")
    ann.nothing_before(f"{room}/Ann")
    again = resumed(people, name(ben), id, ben.handled)
    assert bodies(again.sync(f"{room}/Ben")) == ["0", "1", "2"]
    again.send(f"<message type='groupchat' to='{room}'><body>back</body></message>")
    assert text(ann.expect("message", from_=f"{room}/Ben"), "body") == "back"


def test_closing_the_stream_is_leaving(people: People, room: str) -> None:
    ann = people.online()
    ben, _ = managed(people)
    party(room, {"Ann": ann, "Ben": ben})
    ben.close()
    ann.expect("presence", type="unavailable", from_=f"{room}/Ben")


def test_a_person_in_a_room_may_be_kicked_while_his_connection_is_lost(people: People, room: str) -> None:
    ann = people.online()
    ben, id = managed(people)
    party(room, {"Ann": ann, "Ben": ben})
    lose(ben)
    ann.set(f"<query xmlns='{ns.MUC_ADMIN}'><item nick='Ben' role='none'/></query>", room)
    ann.expect("presence", type="unavailable", from_=f"{room}/Ben")
    again = resumed(people, name(ben), id, ben.handled)
    assert {"307", "110"} <= codes(again.expect("presence", type="unavailable", from_=f"{room}/Ben"))


def test_a_join_that_was_under_way_is_complete_after_resuming(people: People, room: str) -> None:
    ann = people.online()
    create(ann, room, "Ann")
    ben, id = managed(people)
    h = ben.handled
    enter(ben, room, "Ben")
    lose(ben)
    again = resumed(people, name(ben), id, h)
    came = again.sync(f"{room}/Ben")
    assert [stanza.get("from") for stanza in came if stanza.tag == "presence"] == [f"{room}/Ann", f"{room}/Ben"]
    assert [text(stanza, "subject") is not None for stanza in came if stanza.tag == "message"] == [True]


def test_resuming_over_another_kind_of_connection(people: People) -> None:
    ben, id = managed(people)
    lose(ben)
    client = people.opened(tls=True)
    client.authenticate(name(ben), PASSWORD)
    assert client.resume(id, ben.handled).tag == f"{{{ns.SM}}}resumed"
    client.sync()
