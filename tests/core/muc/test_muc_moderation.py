"""Moderation of messages (XEP-0425), in both its forms."""

import pytest

from fermata.core.records import MessageArchived, MessageReplaced
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from kit.rooms import ANN, BOB, CAT, DAN, ROOM, Said, Stage, has, refusal
from kit.xml import read


def request(id: str, reason: str = "") -> str:
    why = f"<reason>{reason}</reason>" if reason else ""
    return f"<moderate xmlns='{ns.MODERATE}' id='{id}'><retract xmlns='{ns.RETRACT}'/>{why}</moderate>"


def old_request(id: str, reason: str = "") -> str:
    why = f"<reason>{reason}</reason>" if reason else ""
    moderate = f"<moderate xmlns='{ns.MODERATE_0}'><retract xmlns='{ns.RETRACT_0}'/>{why}</moderate>"
    return f"<apply-to xmlns='{ns.FASTEN}' id='{id}'>{moderate}</apply-to>"


def sid(said: Said, to=ANN) -> str:
    return has(said[to][-1], ns.SID, "stanza-id").get("id")


def occupied(**config: object) -> Stage:
    stage = Stage(**config)
    for person in (BOB, CAT):
        stage.enter(person)
    return stage


def moderate(stage: Stage, sender, id: str, reason: str = "spam", form=request) -> Said:
    return stage.iq(sender, form(id, reason), "set")


def message(said: Said, to) -> Element:
    (found,) = [each for each in said[to] if each.tag == "message"]
    return found


def occupant_id(element: Element) -> str:
    return has(element, ns.OCCUPANT_ID, "occupant-id").get("id")


FORMS = pytest.mark.parametrize("form", [request, old_request])
# In memory, and too old to be there: then the archive is asked.
EVERYWHERE = pytest.mark.parametrize("config", [{}, {"maxhistoryfetch": 0}])


@FORMS
@EVERYWHERE
def test_everybody_is_told_by_the_room_itself(form, config):
    stage = occupied(**config)
    id = sid(stage.say(BOB, "buy my tea"))
    got = moderate(stage, ANN, id, form=form)
    for reader in (ANN, BOB, CAT):
        told = message(got, reader)
        assert (told.get("from"), told.get("type"), told.get("id")) == (ROOM, "groupchat", "made-1")
        assert has(told, ns.SID, "stanza-id").attrib == {"id": "sid-000002", "by": ROOM}
        retract = has(told, ns.RETRACT, "retract")
        assert retract.get("id") == id
        assert has(retract, ns.MODERATE, "moderated").get("by") == f"{ROOM}/Ann"
        assert has(retract, ns.RETRACT, "reason").text == "spam"
        old = has(told, ns.FASTEN, "apply-to")
        assert old.get("id") == id
        assert has(old, ns.MODERATE_0, "moderated").get("by") == f"{ROOM}/Ann"
        assert [each.tag for each in old[0]] == ["{%s}retract" % ns.RETRACT_0, "{%s}reason" % ns.MODERATE_0]
    assert [each.tag for each in got[ANN]] == ["message", "iq"]
    assert (got[ANN][1].get("type"), len(got[ANN][1])) == ("result", 0)


@EVERYWHERE
def test_the_moderator_is_known_by_his_occupant_id(config):
    stage = occupied(**config)
    own = occupant_id(stage.say(ANN, "hello")[BOB][0])
    got = moderate(stage, ANN, sid(stage.say(BOB, "buy my tea")))
    assert occupant_id(has(message(got, CAT), ns.MODERATE, "moderated")) == own


@FORMS
@EVERYWHERE
def test_a_tombstone_is_left_of_the_message(form, config):
    stage = occupied(**config)
    said = stage.say(BOB, "buy my tea", f"<origin-id xmlns='{ns.SID}' id='o'/>")
    got = moderate(stage, ANN, sid(said), "it's &lt;spam&gt;", form)
    (replaced,) = got.kept(MessageReplaced)
    assert (replaced.seq, replaced.owner) == (1, 7)
    left = read(replaced.xml)
    assert left.attrib == {"from": f"{ROOM}/Bob", "id": "m", "type": "groupchat"}
    assert [each.tag for each in left] == ["{%s}occupant-id" % ns.OCCUPANT_ID, "{%s}retracted" % ns.RETRACT]
    assert occupant_id(left) == occupant_id(said[ANN][0])
    assert left[1].attrib == {"id": message(got, ANN).get("id"), "stamp": "1970-01-12T13:46:40.000Z"}
    assert has(left[1], ns.MODERATE, "moderated").get("by") == f"{ROOM}/Ann"
    assert has(left[1], ns.RETRACT, "reason").text == "it's <spam>"


def test_a_reason_need_not_be_given():
    stage = occupied()
    got = moderate(stage, ANN, sid(stage.say(BOB, "buy my tea")), "")
    assert has(message(got, BOB), ns.RETRACT, "reason") is None
    assert has(message(got, BOB), ns.MODERATE_0, "reason") is None


def test_it_is_archived_where_it_was_said():
    stage = occupied()
    got = moderate(stage, ANN, sid(stage.say(BOB, "buy my tea")))
    (row,) = got.kept(MessageArchived)
    assert (row.seq, row.owner, row.sender, row.recipient) == (2, 7, ANN, ROOM)
    assert read(row.xml).get("from") == ROOM
    assert "stanza-id" not in row.xml


def test_nobody_who_comes_later_is_told_what_was_said():
    stage = occupied()
    said = stage.say(BOB, "buy my tea")
    stage.say(BOB, "sorry")
    moderate(stage, ANN, sid(said))
    for room in (stage.room, stage.reloaded()):
        stage.room = room
        told = [each for each in stage.enter(DAN)[DAN] if each.tag == "message"]
        assert [each.findtext("body") for each in told] == ["sorry", None]


# -- who may


@FORMS
@EVERYWHERE
def test_moderation_is_for_moderators(form, config):
    stage = occupied(**config)
    id = sid(stage.say(BOB, "buy my tea"))
    assert refusal(moderate, stage, CAT, id, form=form) == ("forbidden", "auth")
    assert refusal(moderate, stage, DAN, id, form=form) == ("forbidden", "auth")
    stage.admin(ANN, "<item nick='Cat' role='moderator'/>")
    assert moderate(stage, CAT, id, form=form).kept(MessageReplaced)


def test_who_only_was_a_moderator_is_none():
    stage = occupied()
    stage.admin(ANN, "<item nick='Cat' role='moderator'/>")
    id = sid(stage.say(BOB, "buy my tea"))
    stage.leave(CAT)
    assert refusal(moderate, stage, CAT, id) == ("forbidden", "auth")


@pytest.mark.parametrize(("reserved", "by"), [("", ROOM), (" nick='Danny'", f"{ROOM}/Danny")])
def test_an_absent_admin_moderates_too(reserved, by):
    stage = occupied()
    stage.admin(ANN, f"<item affiliation='admin' jid='{DAN.bare}'{reserved}/>")
    got = moderate(stage, DAN, sid(stage.say(BOB, "buy my tea")))
    assert has(message(got, BOB), ns.MODERATE, "moderated").get("by") == by
    assert got.only(DAN).tag == "iq"


def test_no_member_moderates_from_outside():
    stage = occupied()
    stage.admin(ANN, f"<item affiliation='member' jid='{DAN.bare}'/>")
    assert refusal(moderate, stage, DAN, sid(stage.say(BOB, "buy my tea"))) == ("forbidden", "auth")


# -- what


@FORMS
@pytest.mark.parametrize("id", ["", "silly", "m", "sid-000999"])
def test_an_unknown_message_is_not_found(form, id):
    stage = occupied()
    stage.say(BOB, "buy my tea")
    assert refusal(moderate, stage, ANN, id, form=form) == ("item-not-found", "cancel")


@EVERYWHERE
def test_a_message_is_moderated_once(config):
    stage = occupied(**config)
    id = sid(stage.say(BOB, "buy my tea"))
    retraction = sid(moderate_and_message(stage, id))
    assert refusal(moderate, stage, ANN, id) == ("not-acceptable", "modify")
    assert refusal(moderate, stage, ANN, retraction) == ("not-acceptable", "modify")


def moderate_and_message(stage: Stage, id: str) -> Said:
    got = moderate(stage, ANN, id)
    got[ANN].pop()
    return got


@pytest.mark.parametrize(
    ("inside", "is_said"),
    [
        ("<subject>tea</subject>", False),
        (f"<displayed xmlns='{ns.CHAT_MARKERS}' id='x'/>", False),
        (f"<reactions xmlns='{ns.REACTIONS}' id='x'><reaction>x</reaction></reactions>", True),
        (f"<encrypted xmlns='{ns.OMEMO[0]}'><header/><payload/></encrypted>", True),
        ("<body>tea</body><thread>t</thread>", True),
        (f"<body>tea</body><retract xmlns='{ns.RETRACT}' id='x'/>", True),
    ],
)
def test_only_what_says_something_is_moderated(inside, is_said):
    stage = occupied(changesubject=True)
    id = sid(stage.send(BOB, f"<message type='groupchat'>{inside}</message>"))
    if is_said:
        assert moderate(stage, ANN, id).kept(MessageReplaced)
    else:
        assert refusal(moderate, stage, ANN, id) == ("not-acceptable", "modify")


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (f"<moderate xmlns='{ns.MODERATE}' id='%s'/>", "bad-request"),
        (f"<moderate xmlns='{ns.MODERATE}' id='%s'><retract xmlns='{ns.RETRACT_0}'/></moderate>", "bad-request"),
        (f"<apply-to xmlns='{ns.FASTEN}' id='%s'/>", "feature-not-implemented"),
        (f"<apply-to xmlns='{ns.FASTEN}' id='%s'><moderate xmlns='{ns.MODERATE_0}'/></apply-to>", "bad-request"),
    ],
)
def test_to_moderate_is_to_retract(payload, condition):
    stage = occupied()
    id = sid(stage.say(BOB, "buy my tea"))
    assert refusal(stage.iq, ANN, payload % id, "set")[0] == condition


def test_nobody_else_says_that_a_message_was_moderated():
    stage = occupied()
    for namespace in (ns.MODERATE, ns.MODERATE_0):
        got = stage.say(BOB, "x", f"<moderated xmlns='{namespace}' by='{ROOM}/Ann'/>")
        assert has(got[CAT][0], namespace, "moderated") is None
