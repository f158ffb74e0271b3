"""Configuring and destroying a room (XEP-0045 §10)."""

import pytest

from fermata.core.muc.config import Config
from fermata.core.records import AffiliationSaved, EntityGone, OccupancyEnded, RoomSaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.dataforms import Form
from fermata.xmpp.element import child
from kit.rooms import ANN, BOB, CAT, DAN, MUC, Stage, codes, has, item, nick, refusal, x

QUERY = f"<query xmlns='{ns.MUC_OWNER}'>%s</query>"
CANCEL = QUERY % "<x xmlns='jabber:x:data' type='cancel'/>"
INSTANT = QUERY % "<x xmlns='jabber:x:data' type='submit'/>"


def form_of(stage: Stage) -> Form:
    answer = stage.iq(ANN, QUERY % "").only(ANN)
    return Form.parse(child(child(answer, "{%s}query" % ns.MUC_OWNER), "{jabber:x:data}x"), ns.MUC_ROOM_CONFIG)


def occupied(**config: object) -> Stage:
    stage = Stage(**config)
    for person in (BOB, CAT):
        stage.enter(person)
    return stage


def test_the_form_shows_the_room_as_it_is():
    form = form_of(Stage(roomname="Tea", whois="anyone", maxusers=30))
    assert form.type == "form"
    assert {field.var: (field.type, *field.values) for field in form.fields} == {
        "muc#roomconfig_roomname": ("text-single", "Tea"),
        "muc#roomconfig_roomdesc": ("text-single", ""),
        "muc#roomconfig_lang": ("text-single", ""),
        "muc#roomconfig_persistentroom": ("boolean", "true"),
        "muc#roomconfig_publicroom": ("boolean", "false"),
        "muc#roomconfig_membersonly": ("boolean", "false"),
        "muc#roomconfig_moderatedroom": ("boolean", "false"),
        "muc#roomconfig_passwordprotectedroom": ("boolean", "false"),
        "muc#roomconfig_roomsecret": ("text-private", ""),
        "muc#roomconfig_whois": ("list-single", "anyone"),
        "muc#roomconfig_changesubject": ("boolean", "false"),
        "muc#roomconfig_allowinvites": ("boolean", "true"),
        "muc#roomconfig_allowpm": ("list-single", "anyone"),
        "muc#roomconfig_presencebroadcast": ("list-multi", "moderator", "participant", "visitor"),
        "muc#roomconfig_getmemberlist": ("list-multi",),
        "muc#roomconfig_maxusers": ("list-single", "30"),
        "muc#roomconfig_enablelogging": ("boolean", "false"),
        "x-muc#roomconfig_registration": ("boolean", "true"),
        "x-muc#roomconfig_reservednick": ("boolean", "false"),
        "muc#maxhistoryfetch": ("text-single", "50"),
        "muc#roomconfig_roomadmins": ("jid-multi",),
        "muc#roomconfig_roomowners": ("jid-multi", str(ANN.bare)),
    }


CHANGES = [
    ("roomname", "Tea", "Tea", [104]),
    ("roomdesc", "for two", "for two", [104]),
    ("lang", "de", "de", [104]),
    ("persistentroom", "0", False, [104]),
    ("publicroom", "true", True, [104]),
    ("membersonly", "1", True, [104]),
    ("moderatedroom", "1", True, [104]),
    ("whois", "anyone", "anyone", [172]),
    ("changesubject", "1", True, [104]),
    ("allowinvites", "0", False, [104]),
    ("allowpm", "none", "none", [104]),
    ("presencebroadcast", ["moderator"], ("moderator",), [104]),
    ("getmemberlist", ["moderator", "participant"], ("moderator", "participant"), [104]),
    ("maxusers", "20", 20, [104]),
    ("maxusers", "none", 0, []),
    ("enablelogging", "1", True, [170]),
    ("registration", "0", False, [104]),
    ("reservednick", "1", True, [104]),
    ("maxhistoryfetch", "7", 7, [104]),
    ("roomname", "", "", []),
]


@pytest.mark.parametrize(("name", "value", "expected", "told"), CHANGES)
def test_each_field_can_be_changed_alone(name, value, expected, told):
    stage = Stage()
    before = stage.room.state.config
    got = stage.configure(ANN, **{name: value})
    after = stage.room.state.config
    assert getattr(after, name) == expected
    assert [field for field in before.__slots__ if getattr(before, field) != getattr(after, field)] in ([name], [])
    assert [codes(each) for each in got[ANN] if each.tag == "message"] == ([told] if told else [])
    (saved,) = got.kept(RoomSaved)
    assert Config.from_json(saved.config) == after


def test_what_changes_privacy_has_its_own_codes():
    stage = occupied()
    for fields, expected in (
        ({"whois": "anyone", "enablelogging": "1", "roomname": "Tea"}, [170, 172, 104]),
        ({"whois": "moderators"}, [173]),
        ({"enablelogging": "0"}, [171]),
    ):
        message = stage.configure(ANN, **fields).only(BOB)
        assert (message.get("type"), nick(message), codes(message)) == ("groupchat", "", expected)
        assert len(message) == 1


def test_what_is_cleared_is_empty_and_what_is_left_out_stays():
    stage = Stage(roomname="Tea", roomdesc="for two")
    stage.configure(ANN, roomname="")
    assert stage.room.state.config == Config(roomdesc="for two")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whois", "nobody"),
        ("allowpm", "friends"),
        ("maxusers", "0"),
        ("maxusers", "many"),
        ("maxhistoryfetch", "201"),
        ("maxhistoryfetch", "-1"),
        ("membersonly", "perhaps"),
        ("presencebroadcast", ["king"]),
        ("roomname", ["one", "two"]),
        ("roomadmins", ["@"]),
        ("roomadmins", ["d.example"]),
        ("passwordprotectedroom", "1"),
    ],
)
def test_a_value_that_a_field_may_not_have_is_refused(name, value):
    assert refusal(Stage().configure, ANN, **{name: value}) == ("not-acceptable", "modify")


def test_a_field_that_nobody_knows_is_passed_over():
    assert not Stage().configure(ANN, tea="1").only(ANN).findall("error")


def test_only_owners_configure():
    stage = occupied()
    stage.admin(ANN, f"<item affiliation='admin' jid='{BOB.bare}'/>")
    for sender in (BOB, CAT, DAN):
        assert refusal(stage.iq, sender, QUERY % "") == ("forbidden", "auth")
        assert refusal(stage.iq, sender, INSTANT, "set") == ("forbidden", "auth")
        assert refusal(stage.iq, sender, QUERY % "<destroy/>", "set") == ("forbidden", "auth")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "<x xmlns='jabber:x:data'/>",
        "<x xmlns='jabber:x:data' type='form'/>",
        "<x xmlns='jabber:x:data' type='y'/>",
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>other</value></field></x>",
    ],
)
def test_a_form_that_is_none_is_refused(wrong):
    assert refusal(Stage().iq, ANN, QUERY % wrong, "set") == ("bad-request", "modify")


def test_an_empty_form_opens_a_new_room_with_its_defaults():
    stage = Stage(locked=True)
    got = stage.iq(ANN, INSTANT, "set")
    assert got.only(ANN).get("type") == "result"
    assert not got.kept(RoomSaved)[0].locked
    stage.enter(BOB)


def test_a_filled_form_opens_a_new_room_and_is_no_news():
    stage = Stage(locked=True)
    assert set(stage.configure(ANN, roomname="Tea")) == {ANN}
    stage.enter(BOB)


def test_cancelling_the_first_form_undoes_the_room():
    stage = Stage(locked=True)
    got = stage.iq(ANN, CANCEL, "set")
    assert got.effects.destroyed
    assert has(got[ANN][0], ns.MUC_USER, "destroy") is not None


def test_cancelling_a_later_form_changes_nothing():
    stage = Stage()
    before = stage.fingerprint()
    got = stage.iq(ANN, CANCEL, "set")
    assert got.only(ANN).get("type") == "result"
    assert not got.effects.records
    assert stage.fingerprint() == before


def test_a_room_that_becomes_members_only_removes_the_others():
    stage = occupied()
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}'/>")
    got = stage.configure(ANN, membersonly="1")
    assert codes(got.only(BOB)) == [110, 322]
    assert [codes(each) for each in got[CAT]] == [[322], [104]]
    assert got.order[0][0] == BOB
    assert got.kept(OccupancyEnded) == [OccupancyEnded(7, str(BOB))]


def test_the_lists_in_the_form_are_complete_ones():
    stage = occupied()
    got = stage.configure(ANN, roomadmins=[BOB.bare, "eve@e.example"], roomowners=[ANN, DAN.bare])
    assert {(record.jid, record.affiliation) for record in got.kept(AffiliationSaved)} == {
        (BOB.bare, "admin"),
        ("eve@e.example", "admin"),
        (DAN.bare, "owner"),
    }
    assert item(got[CAT][0]) == {"affiliation": "admin", "role": "moderator"}
    got = stage.configure(ANN, roomadmins=[], roomowners=[BOB.bare, ANN.bare])
    assert {(record.jid, record.affiliation) for record in got.kept(AffiliationSaved)} == {
        (BOB.bare, "owner"),
        ("eve@e.example", "none"),
        (DAN.bare, "none"),
    }


def test_the_form_may_turn_an_owner_into_an_admin_and_back():
    stage = occupied()
    stage.configure(ANN, roomowners=[ANN.bare, BOB.bare])
    stage.configure(ANN, roomowners=[ANN.bare], roomadmins=[BOB.bare])
    assert stage.room.state.affiliations[BOB.bare].affiliation == "admin"
    stage.configure(ANN, roomowners=[ANN.bare, BOB.bare], roomadmins=[BOB.bare])
    assert stage.room.state.affiliations[BOB.bare].affiliation == "owner"


def test_a_form_may_not_leave_the_room_without_an_owner():
    assert refusal(Stage().configure, ANN, roomowners=[]) == ("conflict", "cancel")


def test_less_history_is_less_history():
    stage = Stage()
    for number in range(5):
        stage.say(ANN, str(number))
    stage.configure(ANN, maxhistoryfetch="2")
    assert [child(each, "body").text for each in stage.enter(BOB)[BOB][2:-1]] == ["3", "4"]
    stage.configure(ANN, maxhistoryfetch="3")
    stage.say(ANN, "5")
    stage.say(ANN, "6")
    assert [child(each, "body").text for each in stage.enter(CAT)[CAT][3:-1]] == ["4", "5", "6"]


# -- destroying


def test_a_destroyed_room_tells_everybody_of_himself_alone():
    stage = occupied()
    order = "<destroy jid='new@muc.a.example'><reason>moved</reason><password>cauldron</password></destroy>"
    got = stage.iq(ANN, QUERY % order, "set")
    for reader, name in ((ANN, "Ann"), (BOB, "Bob"), (CAT, "Cat")):
        told = got[reader][0]
        assert (told.get("type"), nick(told), item(told)["role"]) == ("unavailable", name, "none")
        assert item(told)["affiliation"] == "none"
        destroy = has(x(told), ns.MUC_USER, "destroy")
        assert destroy.get("jid") == "new@muc.a.example"
        assert [each.text for each in destroy] == ["moved", "cauldron"]
    assert got.order[-1][1].tag == "iq"
    assert len(got.order) == 4
    assert got.effects.destroyed
    assert got.effects.venue == "new@muc.a.example"
    assert got.effects.records[-1] == EntityGone(7)
    assert len(got.kept(OccupancyEnded)) == 3


def test_a_room_may_be_destroyed_without_a_word():
    got = Stage().iq(ANN, QUERY % "<destroy/>", "set")
    assert has(got[ANN][0], ns.MUC_USER, "destroy").attrib == {}
    assert got.effects.venue == ""


def test_a_venue_must_be_an_address():
    assert refusal(Stage().iq, ANN, QUERY % "<destroy jid='@'/>", "set") == ("jid-malformed", "modify")


def test_an_absent_owner_may_destroy():
    stage = occupied()
    stage.leave(ANN)
    got = stage.iq(ANN, QUERY % "<destroy/>", "set")
    assert got.effects.destroyed
    assert got.only(ANN).tag == "iq"


def test_a_new_password_is_needed_from_then_on():
    stage = Stage()
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="x")
    assert refusal(stage.enter, BOB, inside=MUC) == ("not-authorized", "auth")
