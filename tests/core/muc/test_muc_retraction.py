"""Retraction by the author, and tombstones (XEP-0424)."""

import pytest

from fermata.core.records import MessageArchived, MessageReplaced
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, child
from kit.rooms import ANN, BOB, BOB2, CAT, Said, Stage, has, refusal
from kit.xml import read

FALLBACK = f"<fallback xmlns='{ns.FALLBACK}' for='{ns.RETRACT}'/><body>/me retracted a message</body>"


def sid(said: Said, to=ANN) -> str:
    """The stanza-id of the message that was said."""
    found = has(said[to][-1], ns.SID, "stanza-id")
    assert found is not None
    return found.get("id", "")


def retract(stage: Stage, sender, id: str, inside: str = FALLBACK) -> Said:
    retraction = f"<retract xmlns='{ns.RETRACT}' id='{id}'/>"
    return stage.send(sender, f"<message type='groupchat' id='r'>{retraction}{inside}</message>")


def bodies(stage: Stage, newcomer=CAT) -> list[str]:
    """What somebody who enters is told of what was said, but for retractions."""
    told = stage.enter(newcomer)[newcomer]
    found = [each for each in told if each.tag == "message" and has(each, ns.RETRACT, "retract") is None]
    return [body.text or "" for body in (child(each, "body") for each in found) if body is not None]


def occupied(**config: object) -> Stage:
    stage = Stage(**config)
    stage.enter(BOB)
    return stage


def tombstone(stage: Stage, said: Said) -> Element:
    (replaced,) = said.kept(MessageReplaced)
    assert replaced.owner == 7
    (row,) = [row for row in stage.archived() if row.seq == replaced.seq]
    assert row.xml == replaced.xml
    return read(replaced.xml)


# In memory, and too old to be there: then the archive is asked.
EVERYWHERE = pytest.mark.parametrize("config", [{}, {"maxhistoryfetch": 0}])


@EVERYWHERE
def test_who_retracts_his_own_message_leaves_a_tombstone(config):
    stage = occupied(**config)
    said = stage.send(BOB, "<message type='groupchat' id='m' xml:lang='de'><body>oops</body></message>")
    got = retract(stage, BOB, sid(said))
    left = tombstone(stage, got)
    assert left.attrib == {
        "from": "tea@muc.a.example/Bob",
        "id": "m",
        "type": "groupchat",
        "{%s}lang" % ns.XML: "de",
    }
    assert [each.tag for each in left] == ["{%s}occupant-id" % ns.OCCUPANT_ID, "{%s}retracted" % ns.RETRACT]
    assert left[0].get("id") == has(said[ANN][0], ns.OCCUPANT_ID, "occupant-id").get("id")
    assert left[1].attrib == {"id": "r", "stamp": "1970-01-12T13:46:40.000Z"}


@EVERYWHERE
def test_everybody_gets_the_retraction_and_it_is_archived(config):
    stage = occupied(**config)
    got = retract(stage, BOB, sid(stage.say(BOB, "oops")))
    for reader in (ANN, BOB):
        assert has(got.only(reader), ns.RETRACT, "retract").get("id") == "sid-000001"
        assert has(got.only(reader), ns.SID, "stanza-id").get("id") == "sid-000002"
    (row,) = got.kept(MessageArchived)
    assert got.effects.records.index(row) < got.effects.records.index(got.kept(MessageReplaced)[0])


def test_it_is_told_to_nobody_who_comes_later():
    stage = occupied()
    stage.say(ANN, "one")
    said = stage.say(BOB, "oops")
    stage.say(ANN, "three")
    retract(stage, BOB, sid(said))
    assert bodies(stage) == ["one", "three"]
    stage.leave(CAT)
    assert bodies(stage) == ["one", "three"]


def test_nor_is_one_that_was_told_to_somebody_before():
    stage = occupied()
    said = stage.say(BOB, "oops")
    assert bodies(stage) == ["oops"]
    retract(stage, BOB, sid(said))
    stage.leave(CAT)
    assert bodies(stage) == []


def test_nor_is_it_when_the_room_has_come_back():
    stage = occupied()
    retract(stage, BOB, sid(stage.say(BOB, "oops")))
    stage.say(BOB, "two")
    stage.room = stage.reloaded()
    assert bodies(stage) == ["two"]


def test_another_session_of_the_author_may_retract():
    stage = occupied()
    stage.enter(BOB2, "Bobby")
    assert tombstone(stage, retract(stage, BOB2, sid(stage.say(BOB, "oops")))) is not None


@EVERYWHERE
def test_what_somebody_else_wrote_stays(config):
    stage = occupied(**config)
    said = stage.say(ANN, "I am here")
    got = retract(stage, BOB, sid(said))
    assert not got.kept(MessageReplaced)
    assert len(got.kept(MessageArchived)) == 1
    if not config:
        assert bodies(stage) == ["I am here"]


def test_a_quoted_occupant_id_does_not_make_an_author():
    stage = occupied()
    quoted = has(stage.say(BOB, "one")[BOB][0], ns.OCCUPANT_ID, "occupant-id").get("id")
    quote = f"<forwarded xmlns='{ns.FORWARD}'><occupant-id xmlns='{ns.OCCUPANT_ID}' id='{quoted}'/></forwarded>"
    said = stage.say(ANN, "he said", quote)
    assert not retract(stage, BOB, sid(said)).kept(MessageReplaced)


@pytest.mark.parametrize("id", ["", "silly", "m", "sid-000999"])
def test_what_is_in_no_archive_can_not_be_replaced(id):
    stage = occupied()
    stage.say(BOB, "one")
    got = retract(stage, BOB, id)
    assert got[ANN]
    assert not got.kept(MessageReplaced)


@pytest.mark.parametrize(
    "other",
    [
        "<subject>tea</subject>",
        f"<displayed xmlns='{ns.CHAT_MARKERS}' id='x'/>",
        f"<retract xmlns='{ns.RETRACT}' id='x'/>",
    ],
)
def test_only_what_says_something_is_replaced(other):
    stage = occupied(changesubject=True)
    said = stage.send(BOB, f"<message type='groupchat'>{other}</message>")
    assert not retract(stage, BOB, sid(said)).kept(MessageReplaced)


def test_a_message_is_replaced_once():
    stage = occupied()
    said = stage.say(BOB, "oops")
    retract(stage, BOB, sid(said))
    assert not retract(stage, BOB, sid(said)).kept(MessageReplaced)


@pytest.mark.parametrize("hint", ["no-store", "no-permanent-store"])
def test_a_retraction_is_kept_whatever_it_says(hint):
    stage = occupied()
    said = stage.say(BOB, "oops")
    got = retract(stage, BOB, sid(said), f"<{hint} xmlns='{ns.HINTS}'/>")
    assert got.kept(MessageArchived)
    assert got.kept(MessageReplaced)


def test_who_has_no_voice_retracts_nothing():
    stage = Stage(moderatedroom=True)
    stage.enter(BOB)
    stage.admin(ANN, "<item nick='Bob' role='participant'/>")
    said = stage.say(BOB, "oops")
    stage.admin(ANN, "<item nick='Bob' role='visitor'/>")
    assert refusal(retract, stage, BOB, sid(said)) == ("forbidden", "auth")


def test_a_retraction_without_an_id_of_its_own():
    stage = occupied()
    said = stage.say(BOB, "oops")
    retraction = f"<retract xmlns='{ns.RETRACT}' id='{sid(said)}'/>"
    got = stage.send(BOB, f"<message type='groupchat'>{retraction}</message>")
    assert "id" not in has(tombstone(stage, got), ns.RETRACT, "retracted").attrib
