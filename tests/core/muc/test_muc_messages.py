"""Messages to all, the subject, and what the archive gets (XEP-0045 §7.4, §8.1)."""

import pytest

from fermata.core.muc.occupants import occupant_id
from fermata.core.records import MessageArchived, RoomSaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from kit.rooms import ANN, ANN2, BOB, CAT, ROOM, START, Stage, has, id_of, refusal
from kit.xml import read


def test_a_message_goes_to_every_session_its_authors_too():
    stage = Stage()
    stage.enter(ANN2, "Ann")
    stage.enter(BOB)
    got = stage.say(BOB, "hi", id="m1")
    assert set(got) == {ANN, ANN2, BOB}
    for reader in got:
        message = got.only(reader)
        assert (message.get("from"), message.get("id"), message.get("type")) == (f"{ROOM}/Bob", "m1", "groupchat")
        assert child(message, "body").text == "hi"
        assert has(message, ns.OCCUPANT_ID, "occupant-id").get("id") == occupant_id(b"secret", BOB.bare)


def test_a_message_has_its_place_in_the_archive_as_its_stanza_id():
    stage = Stage()
    message = stage.say(ANN, "hi &lt;&amp;'\"", id="m1").only(ANN)
    (record,) = stage.archived()
    assert record._replace(xml="") == MessageArchived(record.seq, START, 7, None, str(ANN), str(ROOM), record.keep, "")
    stanza_id = has(message, ns.SID, "stanza-id")
    assert (stanza_id.get("id"), stanza_id.get("by")) == (id_of(record.seq), ROOM)
    kept = read(record.xml)
    assert kept.get("to") is None
    assert has(kept, ns.SID, "stanza-id") is None
    assert has(kept, ns.OCCUPANT_ID, "occupant-id") is not None
    assert (kept.get("from"), kept.get("id"), child(kept, "body").text) == (f"{ROOM}/Ann", "m1", "hi <&'\"")


def test_what_is_not_kept_is_passed_on_without_a_stanza_id():
    stage = Stage()
    got = stage.send(ANN, f"<message type='groupchat'><composing xmlns='{ns.CHAT_STATES}'/></message>")
    assert has(got.only(ANN), ns.SID, "stanza-id") is None
    assert not got.effects.records


def test_a_message_without_anything_is_passed_on():
    got = Stage().send(ANN, "<message type='groupchat'/>")
    assert got.only(ANN).get("from") == f"{ROOM}/Ann"


def test_a_stranger_may_not_speak_and_is_told_so_in_a_way_that_makes_clients_look():
    assert refusal(Stage().say, BOB, "hi") == ("not-acceptable", "cancel")


def test_a_visitor_has_no_voice():
    stage = Stage(moderatedroom=True)
    stage.enter(BOB)
    assert refusal(stage.say, BOB, "hi") == ("forbidden", "auth")
    stage.admin(ANN, "<item nick='Bob' role='participant'/>")
    stage.say(BOB, "hi")


@pytest.mark.parametrize("type", ["", " type='normal'", " type='chat'", " type='headline'", " type='silly'"])
def test_a_message_to_all_is_of_type_groupchat(type):
    stage = Stage()
    assert refusal(stage.send, ANN, f"<message{type}><body>hi</body></message>") == ("bad-request", "modify")


def test_the_address_of_the_room_may_be_spelled_otherwise():
    stage = Stage()
    said = stage.send(ANN, "<message type='groupchat' to='Tea@MUC.a.example'><body>hi</body></message>")
    assert said.only(ANN) is not None


# -- subject


SUBJECT = "<message type='groupchat' id='s'><subject>tea &amp; cake</subject></message>"


def test_a_subject_is_told_kept_and_archived():
    stage = Stage()
    stage.enter(BOB)
    got = stage.send(ANN, SUBJECT)
    for reader in (ANN, BOB):
        assert child(got.only(reader), "subject").text == "tea & cake"
        assert got.only(reader).get("from") == f"{ROOM}/Ann"
    (saved,) = got.kept(RoomSaved)
    assert (saved.subject, saved.subject_by, saved.subject_stamp) == ("tea & cake", "ann@a.example/Ann", START)
    assert got.kept(MessageArchived)


def test_a_subject_is_no_part_of_history():
    stage = Stage()
    stage.say(ANN, "one")
    stage.send(ANN, SUBJECT)
    bodies = [child(each, "body") for each in stage.enter(BOB)[BOB][2:]]
    assert [body is not None for body in bodies] == [True, False]


def test_a_subject_may_be_cleared():
    stage = Stage()
    stage.send(ANN, SUBJECT)
    stage.send(ANN, "<message type='groupchat'><subject/></message>")
    told = stage.enter(BOB)[BOB][-1]
    assert not child(told, "subject").text
    assert child(told, "{%s}delay" % ns.DELAY) is not None


@pytest.mark.parametrize("besides", ["<body>b</body>", "<thread>t</thread>", "<body/>"])
def test_a_subject_beside_a_body_or_a_thread_is_an_ordinary_message(besides):
    stage = Stage()
    stage.enter(BOB)
    got = stage.send(BOB, f"<message type='groupchat'><subject>tea</subject>{besides}</message>")
    assert child(got.only(ANN), "subject").text == "tea"
    assert stage.room.state.subject.text == ""


@pytest.mark.parametrize(
    ("changesubject", "moderated", "allowed"), [(False, False, False), (True, False, True), (True, True, False)]
)
def test_who_may_change_the_subject(changesubject, moderated, allowed):
    stage = Stage(changesubject=changesubject, moderatedroom=moderated)
    stage.enter(BOB)
    if allowed:
        stage.send(BOB, SUBJECT)
    else:
        assert refusal(stage.send, BOB, SUBJECT) == ("forbidden", "auth")


def test_a_stranger_may_not_change_the_subject():
    assert refusal(Stage().send, CAT, SUBJECT) == ("not-acceptable", "cancel")
