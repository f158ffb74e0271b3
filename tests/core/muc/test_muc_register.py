"""Registering with a room, and nicknames of one's own (XEP-0045 §7.10, §7.12, §9.9)."""

import pytest

from fermata.core.muc import register, state
from fermata.core.records import AffiliationSaved
from fermata.xmpp import disco
from fermata.xmpp import namespaces as ns
from fermata.xmpp.dataforms import Form
from fermata.xmpp.element import Element, child
from kit.rooms import ANN, ANN2, BOB, BOB2, CAT, DAN, ROOM, Said, Stage, codes, has, item, nick, refusal

QUERY = f"<query xmlns='{ns.REGISTER}'>%s</query>"
ASK = QUERY % ""
REMOVE = QUERY % "<remove/>"


def form(*fields: tuple[str, str], type: str = "submit", form_type: str = ns.MUC_REGISTER) -> str:
    xml = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields)
    return f"<x xmlns='jabber:x:data' type='{type}'><field var='FORM_TYPE'><value>{form_type}</value></field>{xml}</x>"


def wish(nick: str) -> str:
    return QUERY % form(("muc#register_roomnick", nick))


def register_as(stage: Stage, sender, nick: str) -> Said:
    return stage.iq(sender, wish(nick), "set")


def answer(got: Said, to) -> Element:
    (found,) = [each for each in got[to] if each.tag == "iq"]
    assert found.get("type") == "result"
    return found


def members(stage: Stage) -> dict[str, str]:
    affiliations = stage.room.state.affiliations
    return {bare: found.nick for bare, found in affiliations.items() if found.affiliation == "member"}


def roomy(**config: object) -> Stage:
    stage = Stage(**config)
    for person in (BOB, CAT):
        stage.enter(person)
    return stage


# -- what has to be filled in


def test_what_has_to_be_filled_in_is_a_nickname():
    query = child(answer(Stage().iq(DAN, ASK), DAN), "{%s}query" % ns.REGISTER)
    assert child(query, "{%s}instructions" % ns.REGISTER).text
    asked = Form.parse(child(query, "{jabber:x:data}x"), ns.MUC_REGISTER)
    assert asked.type == "form"
    assert [(field.var, field.type, field.required) for field in asked.fields] == [
        ("muc#register_roomnick", "text-single", True)
    ]


def test_who_is_registered_is_told_as_what():
    stage = Stage()
    register_as(stage, DAN, "Danny")
    query = child(answer(stage.iq(DAN, ASK), DAN), "{%s}query" % ns.REGISTER)
    assert [each.tag.partition("}")[2] for each in query] == ["registered", "username"]
    assert query[1].text == "Danny"


def test_a_member_without_a_nickname_gets_the_form():
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='member' jid='{DAN.bare}'/>")
    assert has(answer(stage.iq(DAN, ASK), DAN), "jabber:x:data", "x") is not None


# -- registering


def test_registering_makes_a_member_with_a_nickname():
    stage = Stage()
    got = register_as(stage, DAN, "Danny")
    assert len(answer(got, DAN)) == 0
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, DAN.bare, "member", "Danny", "")]
    assert members(stage) == {DAN.bare: "Danny"}


def test_everybody_sees_that_an_occupant_has_become_a_member():
    stage = roomy()
    got = register_as(stage, BOB, "Bob")
    for reader in (ANN, BOB, CAT):
        (told,) = [each for each in got[reader] if each.tag == "presence"]
        assert (nick(told), item(told)["affiliation"], item(told)["role"]) == ("Bob", "member", "participant")
    assert codes(got[BOB][1]) == [110]
    assert "jid" not in item(got[CAT][0])


def test_the_nickname_is_kept_with_the_room():
    stage = Stage()
    register_as(stage, DAN, "Danny")
    assert stage.reloaded().state.affiliations == stage.room.state.affiliations
    assert stage.reloaded().state.reserved == {"danny": DAN.bare}


def test_nobody_else_enters_under_it_nor_takes_it():
    stage = roomy()
    register_as(stage, DAN, "Danny")
    stage.leave(BOB)
    for taken in ("Danny", "danny", "Danny\u200b"):
        assert refusal(stage.enter, BOB, taken) == ("conflict", "cancel")
        assert refusal(stage.presence, CAT, taken) == ("conflict", "cancel")
        assert refusal(register_as, stage, CAT, taken) == ("conflict", "cancel")
    assert codes(stage.enter(DAN, "Danny")[DAN][-2]) == [110]


def test_it_is_found_by_who_asks_for_his_own():
    stage = Stage()
    register_as(stage, DAN, "Danny")
    query = f"<query xmlns='{ns.DISCO_INFO}' node='x-roomuser-item'/>"
    found = disco.parse_info(answer(stage.iq(DAN, query), DAN)[0])
    assert found.identities == (disco.Identity("conference", "text", "Danny"),)


def test_a_nickname_that_somebody_else_goes_by_is_taken():
    assert refusal(register_as, roomy(), BOB, "Cat") == ("conflict", "cancel")
    assert refusal(register_as, roomy(), DAN, "cat") == ("conflict", "cancel")


@pytest.mark.parametrize("invisible", ["", " ", "\u200b"])
def test_a_nickname_has_to_be_seen(invisible):
    assert refusal(register_as, Stage(), DAN, invisible) == ("jid-malformed", "modify")


def test_who_has_registered_may_choose_another_nickname():
    stage = Stage()
    register_as(stage, DAN, "Danny")
    register_as(stage, DAN, "Dan")
    assert members(stage) == {DAN.bare: "Dan"}
    register_as(stage, BOB, "Danny")


def test_owners_reserve_a_nickname_and_stay_owners():
    stage = Stage()
    got = register_as(stage, ANN, "Queen")
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, ANN.bare, "owner", "Queen", "")]
    assert [each.tag for each in got[ANN]] == ["iq"]


@pytest.mark.parametrize(
    "payload",
    [
        ASK,
        QUERY % "<username>Danny</username>",
        QUERY % form(("muc#register_roomnick", "Danny"), form_type="other"),
        QUERY % form(("muc#register_roomnick", "Danny"), type="form"),
        QUERY % form(("muc#register_roomnick", "Danny"), type="silly"),
    ],
)
def test_without_a_valid_form_nobody_is_registered(payload):
    assert refusal(Stage().iq, DAN, payload, "set") == ("bad-request", "modify")


def test_the_form_must_name_a_nickname():
    assert refusal(Stage().iq, DAN, QUERY % form(), "set") == ("not-acceptable", "modify")


def test_a_cancelled_form_does_nothing():
    stage = Stage()
    got = stage.iq(DAN, QUERY % form(type="cancel"), "set")
    assert len(answer(got, DAN)) == 0
    assert not got.effects.records


# -- who may not


@pytest.mark.parametrize("payload", [(ASK, "get"), (wish("Danny"), "set"), (REMOVE, "set")])
def test_who_is_banned_can_not_register(payload):
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='outcast' jid='{DAN.bare}'/>")
    assert refusal(stage.iq, DAN, *payload) == ("forbidden", "auth")


@pytest.mark.parametrize("payload", [(ASK, "get"), (wish("Danny"), "set")])
def test_where_owners_do_not_allow_it_only_members_can_reserve_a_nickname(payload):
    stage = Stage()
    stage.configure(ANN, registration="0")
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}'/>")
    assert refusal(stage.iq, DAN, *payload) == ("not-allowed", "cancel")
    answer(stage.iq(CAT, *payload), CAT)


def test_the_feature_is_shown_to_whom_it_answers():
    stage = Stage()
    query = f"<query xmlns='{ns.DISCO_INFO}'/>"

    def shown(to) -> bool:
        return ns.REGISTER in disco.parse_info(answer(stage.iq(to, query), to)[0]).features

    assert shown(DAN)
    stage.configure(ANN, registration="0")
    assert not shown(DAN)
    assert shown(ANN)
    stage.configure(ANN, registration="1")
    stage.admin(ANN, f"<item affiliation='outcast' jid='{DAN.bare}'/>")
    assert not shown(DAN)


@pytest.mark.parametrize("payload", [(ASK, "get"), (wish("Danny"), "set"), (REMOVE, "set")])
def test_a_locked_room_is_not_there(payload):
    assert refusal(Stage(locked=True).iq, DAN, *payload) == ("item-not-found", "cancel")


def test_a_room_has_so_many_members_at_most(monkeypatch):
    monkeypatch.setattr(state, "_MOST_AFFILIATIONS", 2)
    stage = Stage()
    register_as(stage, DAN, "Danny")
    assert refusal(register_as, stage, BOB, "Bob") == ("resource-constraint", "wait")
    register_as(stage, DAN, "Dan")


# -- ending it


def test_a_registration_can_be_ended():
    stage = Stage()
    register_as(stage, DAN, "Danny")
    got = stage.iq(DAN, REMOVE, "set")
    assert len(answer(got, DAN)) == 0
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, DAN.bare, "none", "", "")]
    register_as(stage, BOB, "Danny")


def test_an_occupant_who_ends_it_stays():
    stage = roomy()
    register_as(stage, BOB, "Bob")
    got = stage.iq(BOB, REMOVE, "set")
    assert (item(got.only(CAT))["affiliation"], item(got.only(CAT))["role"]) == ("none", "participant")


def test_in_a_members_only_room_he_has_to_go():
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='member' jid='{BOB.bare}'/>")
    stage.configure(ANN, membersonly="1")
    stage.enter(BOB)
    got = stage.iq(BOB, REMOVE, "set")
    assert [each.tag for each in got[BOB]] == ["presence", "iq"]
    assert codes(got[BOB][0]) == [110, 321]
    assert codes(got.only(ANN)) == [321]


def test_an_owner_who_ends_it_keeps_all_but_the_nickname():
    stage = Stage()
    register_as(stage, ANN, "Queen")
    got = stage.iq(ANN, REMOVE, "set")
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, ANN.bare, "owner", "", "")]


def test_who_is_not_registered_can_not_end_it():
    assert refusal(Stage().iq, DAN, REMOVE, "set") == ("registration-required", "auth")


def test_who_ends_it_asks_for_nothing_else():
    stage = Stage()
    register_as(stage, DAN, "Danny")
    both = QUERY % ("<remove/>" + form(("muc#register_roomnick", "Dan")))
    assert refusal(stage.iq, DAN, both, "set") == ("bad-request", "modify")


# -- where membership is a privilege, admins decide


def decision(
    sender, stage: Stage, allow: str = "1", nick: str = "Danny", jid: str = DAN.bare, type: str = "submit"
) -> Said:
    fields = (("muc#jid", jid), ("muc#register_roomnick", nick), ("muc#register_allow", allow))
    return stage.send(sender, f"<message>{form(*fields, type=type)}</message>")


def closed() -> Stage:
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='admin' jid='{CAT.bare}'/>")
    stage.configure(ANN, membersonly="1")
    return stage


def test_a_request_to_a_members_only_room_goes_to_the_admins():
    stage = closed()
    got = register_as(stage, DAN, "Danny")
    assert len(answer(got, DAN)) == 0
    assert members(stage) == {}
    assert set(got) == {DAN, ANN.bare, CAT.bare}
    message = got.only(CAT.bare)
    assert (message.get("from"), message.get("type")) == (ROOM, None)
    asked = Form.parse(child(message, "{jabber:x:data}x"), ns.MUC_REGISTER)
    assert {field.var: field.values for field in asked.fields} == {
        "muc#jid": (DAN.bare,),
        "muc#register_roomnick": ("Danny",),
        "muc#register_allow": ("false",),
    }


def test_an_admin_approves_and_the_applicant_is_invited():
    stage = closed()
    register_as(stage, DAN, "Danny")
    got = decision(CAT, stage)
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, DAN.bare, "member", "Danny", "")]
    assert has(got.only(DAN.bare), ns.MUC_USER, "invite").get("from") == CAT.bare
    stage.enter(DAN, "Danny")


@pytest.mark.parametrize("no", [{"allow": "0"}, {"type": "cancel"}])
def test_an_admin_may_say_no(no):
    stage = closed()
    register_as(stage, DAN, "Danny")
    assert not decision(ANN, stage, **no).effects.records
    assert refusal(stage.enter, DAN, "Danny") == ("registration-required", "auth")


def test_who_was_refused_may_ask_again_and_who_waits_is_not_heard_twice():
    stage = closed()
    register_as(stage, DAN, "Danny")
    assert set(register_as(stage, DAN, "Danny")) == {DAN}
    decision(ANN, stage, "0")
    assert ANN.bare in register_as(stage, DAN, "Danny")


def test_nobody_but_admins_decides():
    stage = closed()
    assert refusal(decision, BOB, stage) == ("forbidden", "auth")
    stage.admin(ANN, f"<item affiliation='member' jid='{BOB.bare}'/>")
    assert refusal(decision, BOB, stage) == ("forbidden", "auth")


def test_a_late_decision_changes_nothing():
    stage = closed()
    stage.admin(ANN, f"<item affiliation='outcast' jid='{DAN.bare}'/>")
    assert refusal(decision, ANN, stage) == ("not-acceptable", "modify")
    assert refusal(decision, ANN, stage, jid=CAT.bare) == ("not-acceptable", "modify")
    assert refusal(decision, ANN, stage, jid="d.example") == ("not-acceptable", "modify")
    assert not decision(ANN, stage, jid="")


def test_the_nickname_may_be_taken_by_then():
    stage = closed()
    register_as(stage, DAN, "Danny")
    register_as(stage, CAT, "Danny")
    assert refusal(decision, ANN, stage) == ("conflict", "cancel")
    decision(ANN, stage, nick="Dan")
    assert members(stage) == {DAN.bare: "Dan"}


def test_so_many_requests_wait_at_most(monkeypatch):
    monkeypatch.setattr(register, "_MOST_APPLICANTS", 1)
    stage = closed()
    register_as(stage, DAN, "Danny")
    assert refusal(register_as, stage, BOB, "Bob") == ("resource-constraint", "wait")


def test_members_reserve_their_nickname_at_once():
    stage = closed()
    stage.admin(ANN, f"<item affiliation='member' jid='{DAN.bare}'/>")
    register_as(stage, DAN, "Danny")
    assert members(stage) == {DAN.bare: "Danny"}


@pytest.mark.parametrize("field", ["moderatedroom", "passwordprotectedroom"])
def test_membership_is_no_way_round_the_moderators_or_the_password(field):
    stage = Stage()
    stage.configure(ANN, roomsecret="x", **{field: "1"})
    register_as(stage, DAN, "Danny")
    assert members(stage) == {}


def test_a_visitor_is_not_heard_just_because_he_registers():
    stage = Stage()
    stage.configure(ANN, moderatedroom="1")
    stage.enter(BOB)
    register_as(stage, BOB, "Bob")
    assert members(stage) == {}
    stage.admin(ANN, "<item nick='Bob' role='participant'/>")
    register_as(stage, BOB, "Bob")
    assert members(stage) == {BOB.bare: "Bob"}


# -- nicknames that are locked


def locked() -> Stage:
    stage = Stage()
    stage.configure(ANN, reservednick="1")
    register_as(stage, BOB, "Robert")
    return stage


def test_who_has_a_reserved_nickname_goes_by_it_whatever_he_asks_for():
    stage = locked()
    got = stage.enter(BOB, "Bob")
    assert nick(got.only(ANN)) == "Robert"
    own = next(each for each in got[BOB] if each.tag == "presence" and 110 in codes(each))
    assert (nick(own), codes(own)) == ("Robert", [110, 210])


def test_who_asks_for_it_gets_it_without_a_word():
    got = locked().enter(BOB, "Robert")
    assert [codes(each) for each in got[BOB] if each.tag == "presence"][-1] == [110]


def test_others_go_by_any_nickname_that_is_free():
    assert nick(locked().enter(CAT, "Puss").only(ANN)) == "Puss"


def test_he_can_not_change_it():
    stage = locked()
    stage.enter(BOB, "Robert")
    assert refusal(stage.presence, BOB, "Bob") == ("not-acceptable", "cancel")
    assert stage.room.occupants.named("Robert").bare == BOB.bare


def test_a_further_session_goes_by_it_too():
    stage = locked()
    stage.enter(BOB, "Robert")
    stage.enter(BOB2, "Bob")
    assert set(stage.room.occupants.named("Robert").sessions) == {BOB, BOB2}
    assert len(stage.room.occupants) == 2


def test_entering_again_under_another_nickname_brings_everything_and_changes_nothing():
    stage = locked()
    stage.enter(BOB, "Bob")
    got = stage.enter(BOB, "Bob")
    assert set(got) == {BOB}
    assert codes([each for each in got[BOB] if each.tag == "presence"][-1]) == [110, 210]


def test_without_the_lock_he_may_go_by_another():
    stage = Stage()
    register_as(stage, BOB, "Robert")
    assert nick(stage.enter(BOB, "Bob").only(ANN)) == "Bob"
    assert nick(stage.presence(BOB, "Robert")[ANN][-1]) == "Robert"


def test_who_entered_before_the_lock_may_take_his_own_name():
    stage = Stage()
    register_as(stage, BOB, "Robert")
    stage.enter(BOB, "Bob")
    stage.configure(ANN, reservednick="1")
    assert refusal(stage.presence, BOB, "Rob") == ("not-acceptable", "cancel")
    assert nick(stage.presence(BOB, "Robert")[ANN][-1]) == "Robert"


def test_each_of_two_sessions_of_an_owner_follows_the_lock():
    stage = Stage()
    stage.enter(ANN2, "Ann")
    register_as(stage, ANN, "Ann")
    stage.configure(ANN, reservednick="1")
    assert refusal(stage.presence, ANN2, "Queen") == ("not-acceptable", "cancel")
