"""Requests in rooms, and whether one is still in (XEP-0410)."""

import pytest

from kit import ns
from kit.muc import create, drain, enter, party
from kit.people import People
from kit.stanzas import error, find, show, text
from kit.wire import Client

PING = f"<ping xmlns='{ns.PING}'/>"
QUERY = "<query xmlns='urn:example:question'/>"


# Between occupants


def test_a_request_reaches_an_occupant_and_its_answer_the_asker(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<iq type='get' id='mine' to='{room}/Ben'>{QUERY}</iq>")
    request = ben.expect("iq", "{urn:example:question}query", type="get", from_=f"{room}/Ann", to=ben.jid)
    assert ann.bare not in show(request)
    ben.send(f"<iq type='result' id='{request.get('id')}' to='{room}/Ann'>{QUERY}</iq>")
    answer = ann.expect("iq", "{urn:example:question}query", type="result", id="mine", from_=f"{room}/Ben", to=ann.jid)
    assert ben.bare not in show(answer)


def test_an_error_reaches_the_asker(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<iq type='set' id='mine' to='{room}/Ben'>{QUERY}</iq>")
    request = ben.expect("iq", type="set", from_=f"{room}/Ann")
    ben.send(
        f"<iq type='error' id='{request.get('id')}' to='{room}/Ann'>"
        f"<error type='auth'><forbidden xmlns='{ns.STANZA_ERRORS}'/></error></iq>"
    )
    refusal = ann.expect_error("iq", "forbidden", "auth", id="mine", from_=f"{room}/Ben")
    assert ben.bare not in show(refusal)
    ann.sync(f"{room}/Ann")


def test_two_askers_with_one_id_each_get_their_answer(guests: People, ann: Client, ben: Client, room: str) -> None:
    cat = guests.online()
    party(room, {"Ann": ann, "Ben": ben, "Cat": cat})
    ann.send(f"<iq type='get' id='same' to='{room}/Cat'>{QUERY}</iq>")
    ben.send(f"<iq type='get' id='same' to='{room}/Cat'>{QUERY}</iq>")
    for _ in range(2):
        request = cat.expect("iq", type="get")
        sender = request.get("from", "")
        cat.send(
            f"<iq type='result' id='{request.get('id')}' to='{sender}'>"
            f"<for xmlns='urn:example:question'>{sender.split('/')[1]}</for></iq>"
        )
    for nick, client in (("Ann", ann), ("Ben", ben)):
        answer = client.expect("iq", type="result", id="same", from_=f"{room}/Cat")
        assert text(answer, "{urn:example:question}for") == nick


def test_an_answer_that_nobody_waits_for_is_not_passed_on(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<iq type='result' id='invented' to='{room}/Ann'>{QUERY}</iq>")
    ben.sync(f"{room}/Ben")
    ann.nothing_before(f"{room}/Ann")


def test_a_request_reaches_one_session_of_a_person(guests: People, ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    desk = guests.another(ben)
    enter(desk, room, "Ben")
    drain(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<iq type='get' id='q' to='{room}/Ben'>{QUERY}</iq>")
    ann.sync()
    came = [stanza for client in (ben, desk) for stanza in client.sync(f"{room}/Ben") if stanza.tag == "iq"]
    assert len(came) == 1


def test_a_vcard_is_asked_of_the_account(people: People, ann: Client, room: str) -> None:
    """`vcard-temp` goes to the bare address: the server answers, even for a client that could not."""
    owner = people.online()
    owner.set(f"<vCard xmlns='{ns.VCARD}'><FN>The Owner</FN></vCard>")
    party(room, {"Own": owner, "Ann": ann})
    reply = ann.get(f"<vCard xmlns='{ns.VCARD}'/>", f"{room}/Own")
    assert reply.get("from") == f"{room}/Own"
    assert text(reply, "vcard:vCard/vcard:FN") == "The Owner"
    assert owner.bare not in show(reply)
    owner.nothing_before(f"{room}/Own")


@pytest.mark.parametrize("payload", [QUERY, f"<vCard xmlns='{ns.VCARD}'/>", PING])
def test_a_request_from_outside_is_refused(ann: Client, ben: Client, room: str, payload: str) -> None:
    create(ann, room, "Ann")
    assert error(ben.iq("get", payload, f"{room}/Ann"))[1] == "not-acceptable"
    ann.nothing_before(f"{room}/Ann")


@pytest.mark.parametrize("payload", [QUERY, f"<vCard xmlns='{ns.VCARD}'/>"])
def test_a_request_to_nobody_is_not_found(ann: Client, room: str, payload: str) -> None:
    create(ann, room, "Ann")
    assert ann.refused("get", payload, f"{room}/Nobody") == ("cancel", "item-not-found")


def test_a_request_to_someone_who_left_is_not_found(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.expect("presence", type="unavailable")
    ann.expect("presence", type="unavailable")
    assert ann.refused("get", QUERY, f"{room}/Ben") == ("cancel", "item-not-found")


def test_forged_elements_do_not_pass_in_requests(ann: Client, ben: Client, room: str) -> None:
    """Whatever is forged inside, the sender of a request is the occupant."""
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<iq type='get' id='q' from='{ann.jid}' to='{room}/Ben'>{QUERY}</iq>")
    ben.expect("iq", from_=f"{room}/Ann", to=ben.jid)


# To the room


def test_the_room_answers_a_ping(ann: Client, ben: Client, room: str) -> None:
    create(ann, room, "Ann")
    for client in (ann, ben):
        client.get(PING, room)


@pytest.mark.parametrize("type", ["get", "set"])
def test_the_room_refuses_what_it_does_not_know(ann: Client, room: str, type: str) -> None:
    create(ann, room, "Ann")
    assert ann.refused(type, QUERY, room) == ("cancel", "service-unavailable")


@pytest.mark.parametrize("type", ["result", "error"])
def test_the_room_ignores_answers(ann: Client, room: str, type: str) -> None:
    create(ann, room, "Ann")
    content = f"<error type='cancel'><gone xmlns='{ns.STANZA_ERRORS}'/></error>" if type == "error" else ""
    ann.send(f"<iq type='{type}' id='x' to='{room}'>{content}</iq>")
    ann.nothing_before(f"{room}/Ann")


@pytest.mark.parametrize("payload", [QUERY, f"<query xmlns='{ns.MUC_OWNER}'/>", f"<query xmlns='{ns.MUC_ADMIN}'/>"])
def test_a_room_that_does_not_exist_has_no_answers(ann: Client, room: str, payload: str) -> None:
    assert ann.refused("get", payload, room)[1] in ("item-not-found", "service-unavailable")


# Is one still in? Every answer that XEP-0410 knows


def self_ping(client: Client, address: str) -> str:
    """ "result", or the condition of the error; an error has to say that the room made it."""
    reply = client.iq("get", PING, address)
    assert reply.get("from") == address
    if reply.get("type") == "result":
        return "result"
    problem = reply.find("error")
    assert problem is not None
    assert problem.get("type") == "cancel", show(reply)
    return error(reply)[1]


def test_an_occupant_pings_himself(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    assert self_ping(ann, f"{room}/Ann") == "result"
    ann.nothing_before()


def test_an_occupant_pings_the_nick_he_just_had(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.send(f"<presence to='{room}/Anna'/>")
    ann.sync(f"{room}/Anna")
    assert self_ping(ann, f"{room}/Ann") == "result"


def test_an_occupant_pings_another(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ann.send(f"<iq type='get' id='p' to='{room}/Ben'>{PING}</iq>")
    request = ben.expect("iq", "ping:ping", type="get", from_=f"{room}/Ann")
    ben.send(f"<iq type='result' id='{request.get('id')}' to='{room}/Ann'/>")
    ann.expect("iq", type="result", id="p", from_=f"{room}/Ben")


def test_an_occupant_pings_nobody(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    assert self_ping(ann, f"{room}/Nobody") == "item-not-found"


@pytest.mark.parametrize("nick", ["Ann", "Nobody"])
def test_who_is_not_in_pings(ann: Client, ben: Client, room: str, nick: str) -> None:
    create(ann, room, "Ann")
    reply = ben.iq("get", PING, f"{room}/{nick}")
    assert error(reply) == ("cancel", "not-acceptable")
    problem = find(reply, "error")
    assert problem is not None
    assert problem.get("by") == room
    ann.nothing_before(f"{room}/Ann")


def test_another_session_of_the_person_is_not_in(guests: People, ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    desk = guests.another(ann)
    assert self_ping(desk, f"{room}/Ann") == "not-acceptable"


def test_each_session_with_a_shared_nick_is_in(guests: People, ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    desk = guests.another(ann)
    enter(desk, room, "Ann")
    ann.sync(f"{room}/Ann")
    assert self_ping(desk, f"{room}/Ann") == self_ping(ann, f"{room}/Ann") == "result"
    desk.send(f"<presence type='unavailable' to='{room}/Ann'/>")
    desk.expect("presence", type="unavailable")
    assert self_ping(desk, f"{room}/Ann") == "not-acceptable"
    ann.sync(f"{room}/Ann")
    assert self_ping(ann, f"{room}/Ann") == "result"


def test_who_left_is_not_in(ann: Client, ben: Client, room: str) -> None:
    party(room, {"Ann": ann, "Ben": ben})
    ben.send(f"<presence type='unavailable' to='{room}/Ben'/>")
    ben.expect("presence", type="unavailable")
    assert self_ping(ben, f"{room}/Ben") == "not-acceptable"


def test_nobody_is_in_a_room_that_does_not_exist(ann: Client, room: str) -> None:
    assert self_ping(ann, f"{room}/Ann") == "not-acceptable"


def test_nobody_else_is_in_a_locked_room(ann: Client, ben: Client, room: str) -> None:
    enter(ann, room, "Ann")
    assert self_ping(ben, f"{room}/Ben") == "not-acceptable"


def test_nobody_is_in_a_destroyed_room(ann: Client, room: str) -> None:
    create(ann, room, "Ann")
    ann.set(f"<query xmlns='{ns.MUC_OWNER}'><destroy/></query>", room)
    ann.wait_for(lambda stanza: stanza.tag == "presence")
    assert self_ping(ann, f"{room}/Ann") == "not-acceptable"


def test_a_ping_to_an_occupant_of_a_temporary_room_that_is_gone(ann: Client, room: str) -> None:
    create(ann, room, "Ann", persistentroom="0")
    ann.send(f"<presence type='unavailable' to='{room}/Ann'/>")
    ann.expect("presence", type="unavailable")
    assert self_ping(ann, f"{room}/Ann") == "not-acceptable"
