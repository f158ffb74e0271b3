"""Push from a room (XEP-0357): who may register, when who is told, and what becomes of the answers."""

import pytest

from fermata.core.muc import administration
from fermata.core.records import PushRemoved, PushSaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, child
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID
from kit.rooms import ANN, ANN2, BOB, BOB2, CAT, ROOM, Said, Stage, refusal

PUSH_SERVICE = JID.parse("push.example")
DISCO = f"<query xmlns='{ns.DISCO_INFO}'>%s</query>"
IS_PUSH = DISCO % "<identity category='pubsub' type='push'/>"
OPTIONS = (
    "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub"
    "#publish-options</value></field><field var='secret'><value>a&amp;b</value></field></x>"
)


def with_bob(**config: object) -> Stage:
    stage = Stage(**config)
    stage.enter(BOB)
    return stage


def registered(**config: object) -> Stage:
    """Bob has registered and is out."""
    stage = with_bob(**config)
    enable(stage, BOB)
    stage.leave(BOB)
    return stage


def order(name: str, jid: str, node: str = "N1", inside: str = "") -> str:
    named = f" node='{node}'" if node else ""
    return f"<{name} xmlns='{ns.PUSH}' jid='{jid}'{named}>{inside}</{name}>"


def enable(stage: Stage, sender: JID, jid: str = "", node: str = "N1", inside: str = "") -> Said:
    return stage.iq(sender, order("enable", jid or sender, node, inside), "set")


def disable(stage: Stage, sender: JID, jid: str = "", node: str = "") -> Said:
    return stage.iq(sender, order("disable", jid or sender, node), "set")


def pushes(said: Said, to: JID = BOB) -> list[Element]:
    return [stanza for stanza in said[to] if stanza.tag == "iq" and stanza.get("type") == "set"]


def answer(stage: Stage, push: Element, type: str = "result", inside: str = "", sender: JID = BOB) -> Said:
    return stage.send(sender, f"<iq type='{type}' id='{push.get('id')}'>{inside}</iq>")


def error(condition: str, type: str = "cancel") -> str:
    return f"<error type='{type}'><{condition} xmlns='{ns.STANZA_ERRORS}'/></error>"


def how_many(stage: Stage) -> int:
    return len(stage.room.state.pushes.all)


# Registering


def test_an_occupant_registers_his_own_full_jid():
    stage = with_bob()
    said = enable(stage, BOB)
    assert said.only(BOB).get("type") == "result"
    assert said.kept(PushSaved) == [PushSaved(7, BOB.bare, BOB, "N1", "", 0, 0.0)]


def test_the_same_again_takes_its_place():
    stage = with_bob()
    enable(stage, BOB)
    assert enable(stage, BOB, inside=OPTIONS).kept(PushSaved)[0].options
    assert how_many(stage) == 1


def test_a_member_need_not_be_in():
    stage = Stage()
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='member'/>")
    assert enable(stage, BOB).kept(PushSaved)


def test_who_is_neither_in_nor_a_member_may_not():
    stage = Stage()
    assert refusal(enable, stage, BOB) == ("forbidden", "auth")
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='outcast'/>")
    assert refusal(enable, stage, BOB) == ("forbidden", "auth")


def test_another_session_of_an_occupant_is_not_in():
    assert refusal(enable, with_bob(), BOB2) == ("forbidden", "auth")


def test_another_resource_and_the_account_itself_are_ones_own():
    stage = with_bob()
    for jid in (BOB2, BOB.bare):
        assert enable(stage, BOB, jid).kept(PushSaved)[0].jid == jid


@pytest.mark.parametrize("jid", [CAT, CAT.bare, PUSH_SERVICE, ROOM, "bob@b.example.org/tram"])
def test_nobody_elses_address_is_for_a_stranger_to_register(jid: str):
    stage = with_bob()
    with pytest.raises(StanzaError) as caught:
        enable(stage, BOB, jid)
    assert caught.value.condition == "forbidden"
    assert how_many(stage) == 0


@pytest.mark.parametrize(
    "request_",
    [
        f"<enable xmlns='{ns.PUSH}'/>",
        f"<enable xmlns='{ns.PUSH}' node='N1'/>",
        f"<enable xmlns='{ns.PUSH}' jid='' node='N1'/>",
        f"<enable xmlns='{ns.PUSH}' jid='@b.example' node='N1'/>",
        f"<enable xmlns='{ns.PUSH}' jid='{BOB}'/>",
        f"<enable xmlns='{ns.PUSH}' jid='{BOB}' node=''/>",
        f"<enable xmlns='{ns.PUSH}' jid='{BOB}' node='{'N' * 1024}'/>",
        order("enable", BOB, inside="<x xmlns='jabber:x:data' type='submit'/>"),
        order("enable", BOB, inside="<x xmlns='jabber:x:data' type='silly'/>"),
        f"<disable xmlns='{ns.PUSH}'/>",
        f"<disable xmlns='{ns.PUSH}' jid='a@b@c'/>",
    ],
)
def test_what_is_malformed_is_refused(request_: str):
    assert refusal(with_bob().iq, BOB, request_, "set") == ("bad-request", "modify")


def test_options_have_a_bound():
    long = OPTIONS.replace("a&amp;b", "x" * 4_000)
    assert refusal(enable, with_bob(), BOB, inside=long) == ("policy-violation", "modify")


def test_nobody_has_more_than_five():
    stage = with_bob()
    for number in range(5):
        enable(stage, BOB, node=f"N{number}")
    assert refusal(enable, stage, BOB, node="N5") == ("resource-constraint", "wait")
    enable(stage, BOB, node="N4")
    disable(stage, BOB, node="N0")
    enable(stage, BOB, node="N5")


def test_strangers_have_two_hundred_together_and_members_as_many_as_they_need():
    stage = Stage()
    people = [JID.parse(f"p{number}@p.example/x") for number in range(41)]
    for number, person in enumerate(people):
        stage.enter(person, f"P{number}")
        for node in range(5 if number < 40 else 0):
            enable(stage, person, node=f"N{node}")
    assert refusal(enable, stage, people[40]) == ("resource-constraint", "wait")
    stage.admin(ANN, f"<item jid='{people[40].bare}' affiliation='member'/>")
    enable(stage, people[40])


def test_before_the_room_is_open_only_its_owner_registers():
    stage = Stage(locked=True)
    enable(stage, ANN)
    assert refusal(enable, stage, BOB) == ("item-not-found", "cancel")


# Ending it


def test_disabling_without_a_node_ends_all_of_that_address():
    stage = with_bob()
    for node in ("N1", "N2"):
        enable(stage, BOB, node=node)
    enable(stage, BOB, BOB2)
    said = disable(stage, BOB)
    assert said.only(BOB).get("type") == "result"
    assert said.kept(PushRemoved) == [PushRemoved(7, BOB.bare, BOB, node) for node in ("N1", "N2")]
    assert disable(stage, BOB, BOB2, "N9").kept(PushRemoved) == []
    assert disable(stage, BOB, BOB2, "N1").kept(PushRemoved)


def test_nobody_ends_what_is_somebody_elses():
    stage = with_bob()
    enable(stage, BOB)
    assert disable(stage, ANN, BOB).kept(PushRemoved) == []
    assert how_many(stage) == 1


def test_who_is_out_may_still_end_it():
    stage = registered()
    assert disable(stage, BOB).kept(PushRemoved)


@pytest.mark.parametrize("banned", [BOB.bare, BOB.domain])
def test_a_ban_ends_it(banned: str):
    stage = registered()
    said = stage.admin(ANN, f"<item jid='{banned}' affiliation='outcast'/>")
    assert said.kept(PushRemoved) == [PushRemoved(7, BOB.bare, BOB, "N1")]


def test_so_does_the_loss_of_a_membership_that_is_needed_and_no_other():
    stage = Stage()
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='member'/>")
    enable(stage, BOB)
    assert stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='none'/>").kept(PushRemoved) == []
    said = stage.configure(ANN, membersonly="1")
    assert said.kept(PushRemoved) == [PushRemoved(7, BOB.bare, BOB, "N1")]


def test_so_does_the_removal_of_the_account():
    stage = registered()
    effects = administration.forget(stage.room.state, BOB.bare, stage.now)
    assert effects.records == [PushRemoved(7, BOB.bare, BOB, "N1")]


# Being told


def test_who_is_not_in_is_told_of_the_first_message():
    stage = registered()
    push = pushes(stage.say(ANN, "hello"))[0]
    assert dict(push.attrib) == {"from": ROOM, "to": BOB, "type": "set", "id": push.get("id")}
    publish = push[0][0]
    assert (push[0].tag, publish.tag) == ("{%s}pubsub" % ns.PUBSUB, "{%s}publish" % ns.PUBSUB)
    assert publish.get("node") == "N1"
    form = publish[0][0][0]
    assert publish[0][0].tag == "{%s}notification" % ns.PUSH
    assert {field.get("var"): field[0].text for field in form} == {
        "FORM_TYPE": "urn:xmpp:push:summary",
        "message-count": "1",
    }
    assert "hello" not in "".join(push.itertext())


def test_a_hostile_node_and_options_come_through_as_they_were():
    stage = with_bob()
    enable(stage, BOB, node="&lt;&apos;&quot;&gt;&amp;", inside=OPTIONS)
    stage.leave(BOB)
    (push,) = pushes(stage.say(ANN, "hello"))
    assert push[0][0].get("node") == "<'\">&"
    options = child(push[0], "{%s}publish-options" % ns.PUBSUB)
    assert options is not None
    assert "".join(options[0][1].itertext()) == "a&b"


def test_what_nobody_keeps_is_no_news():
    stage = registered()
    typing = f"<message type='groupchat'><composing xmlns='{ns.CHAT_STATES}'/></message>"
    assert pushes(stage.send(ANN, typing)) == []


def test_who_is_in_is_not_told():
    stage = with_bob()
    enable(stage, BOB)
    assert pushes(stage.say(ANN, "hello")) == []


def test_a_session_that_is_out_is_told_whatever_others_of_the_account_are_in():
    stage = registered()
    stage.enter(BOB2, "Bob")
    assert pushes(stage.say(ANN, "hello"))


def test_an_account_is_told_only_while_no_session_of_it_is_in():
    stage = with_bob()
    enable(stage, BOB, BOB.bare)
    assert pushes(stage.say(ANN, "hello"), BOB.bare) == []
    stage.leave(BOB)
    assert pushes(stage.say(ANN, "hello"), BOB.bare)


def test_nobody_is_told_of_what_he_has_said_himself():
    stage = registered()
    stage.enter(BOB2, "Bob")
    assert pushes(stage.say(BOB2, "hello")) == []


def test_there_is_one_push_at_a_time_until_an_answer_can_no_longer_come():
    stage = registered()
    assert pushes(stage.say(ANN, "one"))
    stage.now += 899.0
    assert pushes(stage.say(ANN, "two")) == []
    stage.now += 1.0
    (second,) = pushes(stage.say(ANN, "three"))
    assert "".join(second.itertext()).endswith("3"), "it counts what was missed"
    assert how_many(stage) == 1, "no answer is no error"
    assert len(stage.room.state.pushes.pushed) == 1


def test_a_push_that_was_answered_is_not_repeated_for_ten_minutes():
    stage = registered()
    (first,) = pushes(stage.say(ANN, "one"))
    assert answer(stage, first).effects.records == []
    stage.now += 599.0
    assert pushes(stage.say(ANN, "two")) == []
    stage.now += 1.0
    (second,) = pushes(stage.say(ANN, "three"))
    assert "".join(second.itertext()).endswith("2")


def test_who_was_back_in_between_is_told_at_once():
    stage = registered()
    (first,) = pushes(stage.say(ANN, "one"))
    answer(stage, first)
    stage.enter(BOB)
    stage.leave(BOB)
    assert pushes(stage.say(ANN, "two"))


def test_what_was_said_before_he_was_back_ends_nothing():
    stage = registered()
    (push,) = pushes(stage.say(ANN, "one"))
    stage.enter(BOB)
    assert answer(stage, push, "error", error("item-not-found")).effects.records == []


def test_what_was_said_before_he_registered_anew_ends_nothing():
    stage = registered()
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='member'/>")
    (push,) = pushes(stage.say(ANN, "one"))
    enable(stage, BOB)
    assert answer(stage, push, "error", error("item-not-found")).effects.records == []
    assert pushes(stage.say(ANN, "two"))


def test_a_late_answer_counts_as_one():
    stage = registered()
    (first,) = pushes(stage.say(ANN, "one"))
    stage.now += 890.0
    assert answer(stage, first, "error", error("item-not-found")).kept(PushRemoved)


@pytest.mark.parametrize(
    "condition",
    [
        "item-not-found",
        "service-unavailable",
        "not-acceptable",
        "forbidden",
        "bad-request",
        "feature-not-implemented",
    ],
)
def test_a_final_error_ends_a_registration(condition: str):
    stage = registered()
    (push,) = pushes(stage.say(ANN, "one"))
    said = answer(stage, push, "error", error(condition))
    assert said.kept(PushRemoved) == [PushRemoved(7, BOB.bare, BOB, "N1")]
    assert not said
    stage.now += 1_000.0
    assert pushes(stage.say(ANN, "two")) == []


@pytest.mark.parametrize(
    ("condition", "type"),
    [
        ("remote-server-timeout", "wait"),
        ("remote-server-not-found", "cancel"),
        ("service-unavailable", "wait"),
        ("resource-constraint", "wait"),
        ("internal-server-error", "cancel"),
        ("silly", "cancel"),
    ],
)
def test_any_other_error_is_counted_and_ends_nothing(condition: str, type: str):
    stage = registered()
    (push,) = pushes(stage.say(ANN, "one"))
    said = answer(stage, push, "error", error(condition, type))
    assert said.kept(PushSaved) == [PushSaved(7, BOB.bare, BOB, "N1", "", 1, stage.now)]
    stage.now += 599.0
    assert pushes(stage.say(ANN, "two")) == []
    stage.now += 1.0
    assert pushes(stage.say(ANN, "three"))


def fail(stage: Stage, times: int) -> list[Said]:
    found = []
    for _ in range(times):
        stage.now += 1_000.0
        (push,) = pushes(stage.say(ANN, "hello"))
        found.append(answer(stage, push, "error", error("remote-server-timeout", "wait")))
    return found


def test_sixteen_errors_in_a_row_end_it():
    stage = registered()
    assert not any(said.kept(PushRemoved) for said in fail(stage, 15))
    stage.now += 1_000.0
    answer(stage, pushes(stage.say(ANN, "hello"))[0])
    fail(stage, 15)
    assert fail(stage, 1)[0].kept(PushRemoved)


def test_a_week_of_errors_ends_it():
    stage = registered()
    fail(stage, 2)
    stage.now += 7 * 86_400.0
    assert fail(stage, 1)[0].kept(PushRemoved)


def test_errors_are_counted_over_a_restart():
    stage = registered()
    row = fail(stage, 15)[-1].kept(PushSaved)[0]
    again = Stage()
    again.room.state.pushes = type(again.room.state.pushes)([row])
    assert fail(again, 1)[0].kept(PushRemoved)


@pytest.mark.parametrize("sender", [BOB2, CAT, ANN, BOB.bare])
def test_an_answer_of_somebody_else_is_none(sender: JID):
    stage = registered()
    (push,) = pushes(stage.say(ANN, "one"))
    assert answer(stage, push, "error", error("item-not-found"), sender).effects.records == []
    assert how_many(stage) == 1


def test_an_answer_to_nothing_does_nothing():
    stage = registered()
    said = stage.send(BOB, f"<iq type='error' id='other'>{error('item-not-found')}</iq>")
    assert said.effects.records == []


# The start


def test_who_was_not_kept_is_told_that_the_room_is_there_again():
    stage = registered()
    (row,) = (one.saved(7) for one in stage.room.state.pushes.all.values())
    said = stage._done(stage.room.wake(row, stage.now))
    (push,) = pushes(said)
    assert "".join(push.itertext()).endswith("0")
    assert pushes(stage._done(stage.room.wake(row, stage.now))) == []


def test_at_the_start_nobody_is_told_who_is_in_or_has_registered_no_more():
    stage = registered()
    (row,) = (one.saved(7) for one in stage.room.state.pushes.all.values())
    stage.enter(BOB)
    assert not stage._done(stage.room.wake(row, stage.now))
    disable(stage, BOB)
    stage.leave(BOB)
    assert not stage._done(stage.room.wake(row, stage.now))


# Push services


def asked(stage: Stage, sender: JID = ANN) -> Element:
    """Ann, a member, registers a push service, which is asked what it is."""
    return enable(stage, sender, PUSH_SERVICE).only(PUSH_SERVICE)


def test_a_push_service_is_registered_once_it_has_said_that_it_is_one():
    stage = Stage()
    question = asked(stage)
    assert (question.get("type"), question[0].tag) == ("get", "{%s}query" % ns.DISCO_INFO)
    assert how_many(stage) == 0
    said = answer(stage, question, inside=IS_PUSH, sender=PUSH_SERVICE)
    assert said.kept(PushSaved) == [PushSaved(7, ANN.bare, PUSH_SERVICE, "N1", "", 0, 0.0)]
    assert (said.only(ANN).get("type"), said.only(ANN).get("id")) == ("result", "q")
    stage.enter(CAT)
    assert pushes(stage.say(CAT, "hello"), PUSH_SERVICE) == []
    stage.enter(ANN2, "Ann")
    stage.leave(ANN)
    assert pushes(stage.say(CAT, "hello"), PUSH_SERVICE) == [], "another session of hers is in"
    stage.leave(ANN2)
    assert pushes(stage.say(CAT, "hello"), PUSH_SERVICE)
    row = next(iter(stage.room.state.pushes.all.values())).saved(7)
    stage.now += 1_000.0
    assert not stage._done(stage.room.wake(row, stage.now)), "at a start there is no message yet"


@pytest.mark.parametrize(
    ("type", "inside", "condition"),
    [
        ("result", DISCO % "<identity category='client' type='phone'/>", "forbidden"),
        ("result", DISCO % "", "forbidden"),
        ("result", "", "forbidden"),
        ("result", DISCO % ("<identity category='pubsub' type='push'/>" * 2), "bad-request"),
        ("error", error("service-unavailable"), "forbidden"),
        ("error", error("remote-server-not-found"), "remote-server-timeout"),
        ("error", error("resource-constraint", "wait"), "remote-server-timeout"),
    ],
)
def test_what_is_no_push_service_is_not_registered(type: str, inside: str, condition: str):
    stage = Stage()
    said = answer(stage, asked(stage), type, inside, PUSH_SERVICE)
    refused = said.only(ANN)
    assert (refused.get("type"), refused.get("id")) == ("error", "q")
    found = child(refused, "error")
    assert found is not None
    assert child(found, "{%s}%s" % (ns.STANZA_ERRORS, condition)) is not None
    assert said.effects.records == []


def test_nobody_else_answers_for_a_push_service():
    stage = Stage()
    question = asked(stage)
    assert not answer(stage, question, inside=IS_PUSH, sender=BOB)
    assert answer(stage, question, inside=IS_PUSH, sender=PUSH_SERVICE).kept(PushSaved)


def test_who_is_no_member_any_more_when_the_answer_comes_is_refused():
    stage = Stage()
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='member'/>")
    question = asked(stage, BOB)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='none'/>")
    said = answer(stage, question, inside=IS_PUSH, sender=PUSH_SERVICE)
    assert said.only(BOB).get("type") == "error"
    assert how_many(stage) == 0


def test_push_services_that_are_asked_at_a_time_are_no_way_around_the_limit():
    stage = Stage()
    for node in range(4):
        enable(stage, ANN, node=f"N{node}")
    services = [JID.parse(f"push{number}.example") for number in range(2)]
    questions = [enable(stage, ANN, each).only(each) for each in services]
    first, second = (
        answer(stage, question, inside=IS_PUSH, sender=service)
        for question, service in zip(questions, services, strict=True)
    )
    assert (first.only(ANN).get("type"), second.only(ANN).get("type")) == ("result", "error")
    assert how_many(stage) == 5


def test_a_member_who_is_one_no_more_keeps_his_own_address_and_loses_the_push_service():
    stage = Stage()
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='member'/>")
    enable(stage, BOB)
    answer(stage, asked(stage, BOB), inside=IS_PUSH, sender=PUSH_SERVICE)
    said = stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='none'/>")
    assert [record.jid for record in said.kept(PushRemoved)] == [PUSH_SERVICE]


def test_only_so_many_push_services_are_asked_at_a_time_and_the_silent_ones_are_given_up():
    stage = Stage()
    for number in range(20):
        assert enable(stage, ANN, f"push{number}.example")[JID.parse(f"push{number}.example")]
    assert refusal(enable, stage, ANN, PUSH_SERVICE) == ("resource-constraint", "wait")
    stage.now += 59.0
    assert not stage._done(stage.room.tick(stage.now))
    stage.now += 1.0
    said = stage._done(stage.room.tick(stage.now))
    assert len(said[ANN]) == 20
    assert all(stanza.get("type") == "error" for stanza in said[ANN])
    assert enable(stage, ANN, PUSH_SERVICE)[PUSH_SERVICE]


def test_the_room_wants_to_be_called_when_a_push_service_has_had_its_time():
    stage = Stage()
    assert enable(stage, ANN, PUSH_SERVICE).effects.due == stage.now + 60.0


def test_no_address_at_the_rooms_own_service_is_one_to_be_registered():
    for jid in (ROOM, f"{ROOM}/Bob", ROOM.domain):
        assert refusal(enable, Stage(), ANN, jid) == ("forbidden", "auth")


def test_without_registrations_a_message_costs_nothing_more():
    stage = with_bob()
    ids = next(stage.ids)
    stage.say(ANN, "hello")
    assert next(stage.ids) == ids + 1
