"""Asking the archive of a room: who may, what is to be read for it, and what is shown of that (XEP-0313)."""

from collections.abc import Sequence

import pytest

from fermata.core.archive_answer import Ends
from fermata.core.archive_query import Found, Match, Selection
from fermata.core.muc.effects import Reading
from fermata.core.records import MessageArchived
from fermata.xmpp.element import Element, child
from fermata.xmpp.jid import JID
from kit import ns
from kit.archives import query
from kit.rooms import ANN, BOB, CAT, DAN, ROOM, Said, Stage, refusal
from kit.stanzas import find, find_all, form_fields
from kit.xml import read

METADATA = f"<metadata xmlns='{ns.MAM}'/>"
MEMBER = f"<item jid='{DAN.bare}' affiliation='member'/>"
OUTCAST = f"<item jid='{DAN.bare}' affiliation='outcast'/>"


def asked(stage: Stage, sender: JID, xml: str, type: str = "set") -> Reading:
    """What the room wants to be read for a request."""
    effects = stage.iq(sender, xml, type).effects
    assert not effects.sends
    assert effects.reading is not None
    return effects.reading


def told(stage: Stage, sender: JID, xml: str, rows: Sequence[MessageArchived]) -> Said:
    """What the room shows of what was read."""
    iq = read(f"<iq type='set' id='q' to='{ROOM}' from='{sender}'>{xml}</iq>")
    return Said(stage.room.told(sender, iq, stage.now, Found(rows, True)))


def shown(stage: Stage, sender: JID, xml: str = query()) -> list[Element]:
    """The messages of the whole archive, as they are shown to somebody."""
    asked(stage, sender, xml)
    said = told(stage, sender, xml, stage.archived())
    assert set(said) == {sender}
    *messages, result = said[sender]
    assert (result.tag, result.get("type"), result.get("id")) == ("iq", "result", "q")
    found = [each for message in messages for each in find_all(message, "mam:result/forward:forwarded/*")]
    # In the room's kit, what is in `jabber:client` has not been made bare.
    found = [each for each in found if each.tag == f"{{{ns.CLIENT}}}message"]
    assert len(found) == len(messages)
    return found


def real_jid(message: Element) -> str | None:
    item = find(message, "user:x/user:item")
    return None if item is None else item.get("jid")


def test_a_page_is_to_be_read_and_is_shown_as_it_was_live() -> None:
    stage = Stage()
    stage.enter(BOB)
    live = stage.say(BOB, "hello", id="m1")[BOB]
    assert asked(stage, BOB, query("<max>7</max>")) == Reading(BOB, Selection(7))
    said = told(stage, BOB, query(queryid="f"), stage.archived())
    message, result = said[BOB]
    outer = find(message, "mam:result")
    assert outer is not None
    assert message.get("from") == ROOM
    assert (outer.get("queryid"), outer.get("id")) == ("f", "sid-000001")
    (forwarded,) = find_all(message, f"mam:result/forward:forwarded/{{{ns.CLIENT}}}message")
    for each in forwarded.iter():
        each.tag = each.tag.removeprefix(f"{{{ns.CLIENT}}}")
    assert dict(forwarded.attrib) == {"from": f"{ROOM}/Bob", "type": "groupchat", "id": "m1"}
    (seen,) = live
    assert [(each.tag, each.attrib, each.text) for each in forwarded] == [
        (each.tag, each.attrib, each.text) for each in seen
    ]
    fin = child(result, f"{{{ns.MAM}}}fin")
    assert fin is not None
    assert fin.get("complete") == "true"


def test_what_a_question_names_is_found_in_the_archive_of_the_room_alone() -> None:
    stage = Stage()
    assert asked(stage, ANN, query(after_id="sid-000003")) == Reading(ANN, Selection(50, after=3, named=frozenset({3})))
    assert refusal(stage.iq, ANN, query(after_id="another"), "set") == ("item-not-found", "cancel")
    assert refusal(stage.iq, ANN, query(fields={"include-groupchat": "true"}), "set") == (
        "feature-not-implemented",
        "cancel",
    )


@pytest.mark.parametrize("xml", [query(), METADATA])
def test_whoever_may_enter_may_read(xml: str) -> None:
    type = "get" if xml == METADATA else "set"
    asked(Stage(), CAT, xml, type)
    stage = Stage(membersonly=True)
    assert refusal(stage.iq, DAN, xml, type) == ("forbidden", "auth")
    stage.admin(ANN, MEMBER)
    asked(stage, DAN, xml, type)
    stage = Stage()
    stage.admin(ANN, OUTCAST)
    assert refusal(stage.iq, DAN, xml, type) == ("forbidden", "auth")
    stage = Stage(locked=True)
    assert refusal(stage.iq, DAN, xml, type) == ("item-not-found", "cancel")
    asked(stage, ANN, xml, type)


def test_a_room_with_a_password_is_read_by_those_who_are_in_it_or_belong_to_it() -> None:
    stage = Stage()
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="cauldron")
    assert refusal(stage.iq, BOB, query(), "set") == ("forbidden", "auth")
    stage.enter(BOB, inside=f"<x xmlns='{ns.MUC}'><password>cauldron</password></x>")
    asked(stage, BOB, query())
    stage.admin(ANN, MEMBER)
    asked(stage, DAN, query())


def test_who_is_banned_while_the_archive_is_read_is_shown_nothing() -> None:
    stage = Stage()
    stage.enter(DAN)
    stage.say(DAN, "hello")
    asked(stage, DAN, query())
    stage.admin(ANN, OUTCAST)
    assert refusal(told, stage, DAN, query(), stage.archived()) == ("forbidden", "auth")


def test_real_addresses_are_for_those_who_may_see_them_now() -> None:
    stage = Stage()
    stage.enter(BOB)
    stage.say(BOB, "hello")
    assert [real_jid(each) for each in shown(stage, ANN)] == [BOB]
    assert [real_jid(each) for each in shown(stage, BOB)] == [None]
    assert [real_jid(each) for each in shown(stage, CAT)] == [None]
    stage.configure(ANN, whois="anyone")
    assert real_jid(shown(stage, BOB)[0]) == BOB
    assert real_jid(shown(stage, CAT)[0]) == BOB
    stage.configure(ANN, whois="moderators")
    assert real_jid(shown(stage, BOB)[0]) is None


def test_an_owner_who_is_not_in_the_room_sees_them_too() -> None:
    stage = Stage()
    stage.enter(BOB)
    stage.say(BOB, "hello")
    stage.leave(ANN)
    assert [real_jid(each) for each in shown(stage, ANN)] == [BOB]


def test_what_the_room_itself_says_has_no_author() -> None:
    stage = Stage()
    stage.enter(BOB)
    stage.say(BOB, "hello", id="bad")
    retract = f"<retract xmlns='{ns.RETRACT}'/>"
    stage.iq(ANN, f"<moderate xmlns='{ns.MODERATE}' id='sid-000001'>{retract}</moderate>", "set")
    tombstone, notice = shown(stage, ANN)
    assert (notice.get("from"), real_jid(notice)) == (ROOM, None)
    assert find(tombstone, "retract:retracted/moderate:moderated") is not None
    assert find(tombstone, f"{{{ns.CLIENT}}}body") is None
    assert find(tombstone, f"sid:stanza-id[@id='sid-000001'][@by='{ROOM}']") is not None
    assert real_jid(tombstone) == BOB
    assert [real_jid(each) for each in shown(stage, BOB)] == [None, None]


def test_with_is_for_an_occupant_jid_or_for_those_who_may_see_real_ones() -> None:
    stage = Stage()
    stage.enter(BOB)

    def match(sender: JID, jid: str) -> Match | None:
        selection = asked(stage, sender, query(with_=jid)).selection
        assert selection is not None
        assert selection.jid == jid
        return selection.match

    assert match(BOB, f"{ROOM}/Ann") is Match.OCCUPANT
    assert match(BOB, ROOM) is None
    assert match(ANN, BOB.bare) is Match.SENDER
    for jid in (ANN.bare, BOB.bare, ROOM.domain):
        assert refusal(stage.iq, BOB, query(with_=jid), "set") == ("forbidden", "auth")
    assert refusal(told, stage, BOB, query(with_=ANN.bare), []) == ("forbidden", "auth")


def test_the_ends_of_the_archive_are_read_like_everything_else() -> None:
    stage = Stage()
    assert asked(stage, BOB, METADATA, "get") == Reading(BOB, None)
    iq = read(f"<iq type='get' id='q' to='{ROOM}' from='{BOB}'>{METADATA}</iq>")
    for ends, expected in ((None, []), (Ends((1, 1e6), (2, 2e6)), ["sid-000001", "sid-000002"])):
        result = Said(stage.room.told(BOB, iq, stage.now, ends)).only(BOB)
        assert [each.get("id") for each in find_all(result, "mam:metadata/*")] == expected


def test_the_form_has_the_fields_of_rooms() -> None:
    stage = Stage()
    form = stage.iq(CAT, f"<query xmlns='{ns.MAM}'/>").only(CAT)
    fields = {"FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids"}
    assert set(form_fields(form)) == fields


def test_a_room_without_an_archive_says_so() -> None:
    stage = Stage()
    stage.archive.is_kept = False
    for type, xml in (("set", query()), ("get", f"<query xmlns='{ns.MAM}'/>"), ("get", METADATA)):
        assert refusal(stage.iq, ANN, xml, type) == ("service-unavailable", "cancel")
    info = stage.iq(BOB, f"<query xmlns='{ns.DISCO_INFO}'/>").only(BOB)
    features = {each.get("var", "") for each in find_all(info, "info:query/info:feature")}
    assert not [each for each in features if each.startswith((ns.MAM, ns.SID)) or each.endswith("#tombstone")]
