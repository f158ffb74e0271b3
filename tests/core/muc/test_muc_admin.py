"""Kicks, bans, voice, and the lists of roles and affiliations (XEP-0045 §8, §9, §10.3 to §10.8)."""

import pytest

from fermata.core.records import AffiliationSaved, Journalled, OccupancyEnded, OccupancySaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from kit.rooms import ANN, ANN2, BOB, BOB2, CAT, DAN, Stage, codes, item, nick, refusal, said_in_item

QUERY = f"<query xmlns='{ns.MUC_ADMIN}'>%s</query>"


def cast(**config: object) -> Stage:
    """Ann owns, Bob is an admin, Cat a member, Dan nobody; all are in."""
    stage = Stage(**config)
    stage.admin(ANN, f"<item affiliation='admin' jid='{BOB.bare}'/>", f"<item affiliation='member' jid='{CAT.bare}'/>")
    for person in (BOB, CAT, DAN):
        stage.enter(person)
    return stage


def to_make(affiliation: str, jid: str) -> str:
    return f"<item affiliation='{affiliation}' jid='{jid}'/>"


# -- removing


def test_a_kick_is_told_to_its_victim_then_to_the_moderator_then_to_the_others():
    stage = cast()
    stage.enter(BOB2, "Bob")
    got = stage.admin(BOB, "<item nick='Dan' role='none'><reason>noise</reason></item>")
    assert [to for to, _ in got.order[:2]] == [DAN, BOB]
    assert got[BOB][0].tag == "iq"
    assert {to for to, _ in got.order[2:]} == {ANN, BOB, BOB2, CAT}
    for reader, expected in ((DAN, [110, 307]), (ANN, [307]), (CAT, [307])):
        told = got[reader][-1]
        assert (told.get("type"), nick(told), item(told)["role"], codes(told)) == (
            "unavailable",
            "Dan",
            "none",
            expected,
        )
        assert said_in_item(told) == {"actor": "Bob", "reason": "noise"}
    assert "jid" not in item(got[CAT][-1])
    assert got.kept(OccupancyEnded) == [OccupancyEnded(7, DAN)]
    assert got.kept(Journalled)[0][3:] == ("Dan", "exit", "kicked")
    stage.enter(DAN)


def test_all_sessions_of_an_occupant_are_kicked():
    stage = cast()
    stage.enter(BOB2, "Bob")
    got = stage.admin(ANN, "<item nick='Bob' role='none'/>")
    assert codes(got.only(BOB)) == codes(got.only(BOB2)) == [110, 307]
    assert {record.jid for record in got.kept(OccupancyEnded)} == {BOB, BOB2}


def test_a_ban_removes_and_is_kept():
    stage = cast()
    got = stage.admin(BOB, f"<item affiliation='outcast' jid='{DAN}'><reason>noise</reason></item>")
    assert codes(got.only(DAN)) == [110, 301]
    assert item(got.only(DAN)) == {"affiliation": "outcast", "role": "none", "jid": DAN}
    assert codes(got[CAT][-1]) == [301]
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, str(DAN.bare), "outcast", "", "noise")]
    assert got.kept(Journalled)[0].cause == "banned"


def test_a_ban_of_a_domain_removes_everybody_from_there_without_an_affiliation():
    stage = cast()
    got = stage.admin(ANN, to_make("outcast", "d.example"), to_make("outcast", "c.example"))
    assert codes(got.only(DAN)) == [110, 301]
    assert stage.room.occupants.at(CAT) is not None


def test_lost_membership_of_a_members_only_room_is_told_once():
    stage = cast(membersonly=False)
    stage.configure(ANN, membersonly="1")
    got = stage.admin(ANN, to_make("none", CAT.bare))
    assert [(each.get("type"), codes(each)) for each in got[CAT]] == [("unavailable", [110, 321])]
    assert [codes(each) for each in got[BOB]] == [[321]]
    assert got.kept(Journalled)[0].cause == "membership revoked"


def test_the_last_occupant_takes_a_temporary_room_with_him():
    stage = Stage(persistentroom=False)
    stage.admin(ANN, to_make("admin", BOB.bare))
    stage.enter(DAN)
    stage.leave(ANN)
    assert stage.admin(BOB, to_make("outcast", DAN.bare)).effects.destroyed


# -- changing


def test_a_change_of_role_is_told_after_the_moderator_has_his_answer():
    got = cast(moderatedroom=True).admin(BOB, "<item nick='Dan' role='participant'><reason>ask</reason></item>")
    assert got.order[0][1].tag == "iq"
    for reader, own in ((ANN, []), (CAT, []), (DAN, [110])):
        told = got.only(reader)
        assert (told.get("type"), item(told)["role"], codes(told)) == (None, "participant", own)
        assert said_in_item(told) == {"actor": "Bob", "reason": "ask"}
    assert got.kept(OccupancySaved)[0].role == "participant"
    assert got.kept(Journalled)[0][3:] == ("Dan", "role", "visitor to participant")


def test_later_presences_do_not_repeat_the_reason():
    stage = cast(moderatedroom=True)
    stage.admin(BOB, "<item nick='Dan' role='participant'><reason>ask</reason></item>")
    told = stage.presence(DAN, "Dan", "<show>away</show>").only(CAT)
    assert said_in_item(told) == {}
    assert item(told)["role"] == "participant"


def test_a_new_moderator_learns_who_the_others_are():
    got = cast().admin(ANN, "<item nick='Cat' role='moderator'/>")
    assert [(nick(each), item(each).get("jid")) for each in got[CAT]] == [
        ("Cat", CAT),
        ("Ann", ANN),
        ("Bob", BOB),
        ("Dan", DAN),
    ]


@pytest.mark.parametrize(
    ("affiliation", "role"), [("owner", "moderator"), ("admin", "moderator"), ("member", "participant")]
)
def test_an_affiliation_is_told_with_the_role_that_goes_with_it(affiliation, role):
    got = cast(moderatedroom=True).admin(ANN, to_make(affiliation, DAN.bare))
    assert item(got.only(BOB)) == {"affiliation": affiliation, "role": role, "jid": DAN}
    assert item(got[DAN][0])["affiliation"] == affiliation
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, str(DAN.bare), affiliation, "", "")]


def test_a_lost_affiliation_is_told_with_the_role_that_is_left():
    got = cast().admin(ANN, to_make("none", BOB.bare))
    assert item(got[CAT][0]) == {"affiliation": "none", "role": "participant"}


def test_an_affiliation_of_somebody_absent_is_told_to_nobody():
    got = cast().admin(ANN, to_make("member", "eve@e.example/x"))
    assert set(got) == {ANN}
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, "eve@e.example", "member", "", "")]


def test_a_new_member_of_a_members_only_room_is_invited():
    stage = Stage(membersonly=True)
    got = stage.admin(ANN, to_make("member", BOB.bare))
    invite = next(iter(got.only(BOB.bare).iter("{%s}invite" % ns.MUC_USER)))
    assert invite.get("from") == ANN.bare
    assert BOB.bare not in stage.admin(ANN, to_make("admin", BOB.bare))


def test_no_more_than_a_few_new_members_are_invited_at_once():
    got = Stage(membersonly=True).admin(ANN, *[to_make("member", f"m{n}@d.example") for n in range(100)])
    assert len(got) == 1 + 20


def test_several_things_can_be_changed_at_once():
    stage = cast()
    got = stage.admin(
        ANN, to_make("outcast", DAN.bare), "<item nick='Cat' role='moderator'/>", to_make("none", BOB.bare)
    )
    assert codes(got.only(DAN)) == [110, 301]
    assert {occupant.nick: occupant.role for occupant in stage.room.occupants} == {
        "Ann": "moderator",
        "Bob": "participant",
        "Cat": "moderator",
    }


def test_a_banned_occupant_is_not_given_a_role_besides():
    stage = cast()
    got = stage.admin(ANN, to_make("outcast", DAN.bare), "<item nick='Dan' role='moderator'/>")
    assert len(got[DAN]) == 1
    assert stage.occupancies()
    assert all(record.jid != DAN for record in stage.occupancies())


def test_a_reserved_nickname_is_kept_changed_and_given_up():
    stage = cast()
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}' nick='Puss'/>")
    assert stage.admin(ANN, to_make("admin", CAT.bare)).kept(AffiliationSaved)[0].nick == "Puss"
    stage.admin(ANN, f"<item affiliation='admin' jid='{CAT.bare}' nick='Kit'/>")
    assert refusal(stage.presence, DAN, "kit") == ("conflict", "cancel")
    stage.presence(DAN, "Puss")
    stage.admin(ANN, f"<item affiliation='admin' jid='{CAT.bare}' nick=''/>")
    stage.presence(DAN, "Kit")


def test_a_ban_takes_the_reserved_nickname_away():
    stage = cast()
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}' nick='Puss'/>")
    stage.admin(ANN, f"<item affiliation='outcast' jid='{CAT.bare}' nick='Puss'/>")
    stage.presence(DAN, "Puss")


def test_an_admin_need_not_be_in_the_room():
    stage = cast()
    stage.leave(BOB)
    got = stage.admin(BOB, to_make("outcast", DAN.bare))
    assert said_in_item(got.only(CAT)) == {}
    assert got.only(BOB).tag == "iq"


# -- what is refused


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "<item/>",
        "<item role='none'/>",
        "<item nick='Dan'/>",
        "<item nick='Dan' role='none' affiliation='outcast'/>",
        f"<item nick='Dan' jid='{DAN}' role='none'/>",
        "<item nick='Dan' affiliation='outcast'/>",
        "<item nick='Dan' role='king'/>",
        f"<item jid='{DAN}' affiliation='king'/>",
        f"<item jid='{DAN}' role='none'/>",
    ],
)
def test_an_item_is_about_a_nicknames_role_or_a_jids_affiliation(wrong):
    assert refusal(cast().admin, ANN, wrong) == ("bad-request", "modify")


def test_an_address_that_is_none_is_refused():
    assert refusal(cast().admin, ANN, to_make("member", "@")) == ("jid-malformed", "modify")
    assert refusal(cast().admin, ANN, to_make("member", "d.example")) == ("not-acceptable", "modify")


def test_a_nickname_that_nobody_has_is_not_found():
    assert refusal(cast().admin, ANN, "<item nick='Nobody' role='none'/>") == ("item-not-found", "cancel")


@pytest.mark.parametrize("sender", [CAT, DAN, BOB2])
def test_roles_are_for_moderators_who_are_in(sender):
    assert refusal(cast().admin, sender, "<item nick='Dan' role='visitor'/>") == ("forbidden", "auth")


@pytest.mark.parametrize("sender", [CAT, DAN])
def test_affiliations_are_for_admins(sender):
    assert refusal(cast().admin, sender, to_make("member", "eve@e.example")) == ("forbidden", "auth")


@pytest.mark.parametrize(
    "change",
    [
        "<item nick='Ann' role='none'/>",
        "<item nick='Ann' role='visitor'/>",
        "<item nick='Bob' role='participant'/>",
        to_make("outcast", ANN.bare),
        to_make("member", ANN.bare),
        to_make("none", "eve@e.example"),
    ],
)
def test_an_admin_has_no_power_over_admins_and_owners(change):
    stage = cast()
    stage.admin(ANN, to_make("admin", "eve@e.example"))
    assert refusal(stage.admin, BOB, change) == ("not-allowed", "cancel")


@pytest.mark.parametrize("affiliation", ["admin", "owner"])
def test_only_owners_make_admins_and_owners(affiliation):
    assert refusal(cast().admin, BOB, to_make(affiliation, DAN.bare)) == ("forbidden", "auth")


def test_a_mere_moderator_may_kick_his_equals_only():
    stage = cast()
    stage.admin(ANN, "<item nick='Dan' role='moderator'/>")
    for name in ("Ann", "Bob", "Cat"):
        assert refusal(stage.admin, DAN, f"<item nick='{name}' role='none'/>") == ("not-allowed", "cancel")
    assert refusal(stage.admin, DAN, to_make("outcast", CAT.bare)) == ("forbidden", "auth")


def test_nobody_kicks_or_bans_himself():
    assert refusal(cast().admin, BOB, "<item nick='Bob' role='none'/>") == ("conflict", "cancel")
    for jid in (BOB, BOB.bare, BOB.domain):
        assert refusal(cast().admin, BOB, to_make("outcast", jid)) == ("conflict", "cancel")


def test_the_last_owner_stays():
    stage = cast()
    assert refusal(stage.admin, ANN, to_make("admin", ANN.bare)) == ("conflict", "cancel")
    stage.admin(ANN, to_make("owner", BOB.bare), to_make("member", ANN.bare))
    assert item(stage.presence(ANN, "Ann", "<show>away</show>").only(BOB))["affiliation"] == "member"
    assert refusal(stage.admin, BOB, to_make("none", BOB.bare)) == ("conflict", "cancel")


def test_an_admin_may_step_down():
    assert item(cast().admin(BOB, to_make("member", BOB.bare))[ANN][0])["role"] == "participant"


def test_one_bad_item_spoils_all():
    stage = cast()
    for bad in ("<item nick='Ann' role='none'/>", to_make("outcast", ANN.bare), "<item nick='Nobody' role='none'/>"):
        refusal(stage.admin, BOB, "<item nick='Dan' role='none'/>", to_make("outcast", CAT.bare), bad)


# -- lists


def listed(stage: Stage, sender, attribute: str) -> list[dict[str, str]]:
    answer = stage.iq(sender, QUERY % f"<item {attribute}/>").only(sender)
    return [dict(each.attrib) for each in child(answer, "{%s}query" % ns.MUC_ADMIN)]


def test_lists_of_roles_are_for_moderators():
    stage = cast()
    assert listed(stage, BOB, "role='moderator'") == [
        {"nick": "Ann", "role": "moderator", "affiliation": "owner", "jid": ANN},
        {"nick": "Bob", "role": "moderator", "affiliation": "admin", "jid": BOB},
    ]
    assert [each["nick"] for each in listed(stage, ANN, "role='participant'")] == ["Cat", "Dan"]
    for sender in (CAT, DAN, BOB2):
        assert refusal(listed, stage, sender, "role='participant'") == ("forbidden", "auth")


def test_lists_of_affiliations_show_address_nickname_and_reason():
    stage = cast()
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}' nick='Puss'/>")
    stage.admin(ANN, "<item affiliation='outcast' jid='eve@e.example'><reason>noise</reason></item>")
    assert listed(stage, ANN, "affiliation='owner'") == [{"affiliation": "owner", "jid": ANN.bare, "nick": "Ann"}]
    assert listed(stage, ANN, "affiliation='admin'") == [{"affiliation": "admin", "jid": BOB.bare, "nick": "Bob"}]
    assert listed(stage, BOB, "affiliation='member'") == [{"affiliation": "member", "jid": CAT.bare, "nick": "Puss"}]
    answer = stage.iq(BOB, QUERY % "<item affiliation='outcast'/>").only(BOB)
    (outcast,) = child(answer, "{%s}query" % ns.MUC_ADMIN)
    assert outcast.attrib == {"affiliation": "outcast", "jid": "eve@e.example"}
    assert outcast[0].text == "noise"


MAY_LIST = [
    ({}, "member", {ANN, BOB}),
    ({}, "admin", {ANN}),
    ({}, "owner", {ANN}),
    ({}, "outcast", {ANN, BOB}),
    ({"whois": "anyone"}, "member", {ANN, BOB, CAT}),
    ({"whois": "anyone"}, "admin", {ANN, BOB, CAT}),
    ({"whois": "anyone"}, "owner", {ANN, BOB, CAT}),
    ({"whois": "anyone"}, "outcast", {ANN, BOB}),
    ({"getmemberlist": ("participant",)}, "member", {ANN, BOB, CAT, DAN}),
    ({"getmemberlist": ("participant",)}, "outcast", {ANN, BOB}),
]


@pytest.mark.parametrize(("config", "affiliation", "allowed"), MAY_LIST)
def test_who_may_get_which_list(config, affiliation, allowed):
    stage = cast(**config)
    for sender in (ANN, BOB, CAT, DAN, ANN2):
        if sender in allowed or (sender == ANN2 and ANN in allowed):
            listed(stage, sender, f"affiliation='{affiliation}'")
        else:
            assert refusal(listed, stage, sender, f"affiliation='{affiliation}'") == ("forbidden", "auth")


@pytest.mark.parametrize("wrong", ["", "role='none'", "role='king'", "affiliation='none'", "affiliation='x' role='y'"])
def test_a_list_of_nothing_is_refused(wrong):
    assert refusal(listed, cast(), ANN, wrong) == ("bad-request", "modify")
    assert refusal(cast().iq, ANN, QUERY % "") == ("bad-request", "modify")


def test_a_list_is_given_once_however_often_it_is_asked_for():
    stage = cast()
    answer = stage.iq(ANN, QUERY % ("<item role='moderator'/><item affiliation='owner'/>" * 100)).only(ANN)
    assert [each.get("nick") for each in child(answer, "{%s}query" % ns.MUC_ADMIN)] == ["Ann", "Bob", "Ann"]
