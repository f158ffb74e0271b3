"""Mediated invitations (XEP-0045 §7.8.2)."""

import pytest

from fermata.core.muc import state
from fermata.core.records import AffiliationSaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from fermata.xmpp.jid import JID
from kit.rooms import ANN, BOB, BOB2, CAT, DAN, ROOM, Said, Stage, has, refusal, x

INVITE = "{%s}invite" % ns.MUC_USER


def invite(stage: Stage, sender, *invitees: str, inside: str = "<reason>tea</reason>", type: str = "") -> Said:
    invites = "".join(f"<invite to='{invitee}'>{inside}</invite>" for invitee in invitees)
    return stage.send(sender, f"<message id='i'{type}><x xmlns='{ns.MUC_USER}'>{invites}</x></message>")


def decline(stage: Stage, sender, inviter: str) -> Said:
    inside = f"<decline to='{inviter}'><reason>busy</reason></decline>"
    return stage.send(sender, f"<message id='d'><x xmlns='{ns.MUC_USER}'>{inside}</x></message>")


@pytest.mark.parametrize("type", ["", " type='normal'", " type='chat'"])
def test_the_room_invites_for_an_occupant(type):
    got = invite(Stage(), ANN, DAN, type=type)
    message = got.only(DAN)
    assert (message.get("from"), message.get("type"), message.get("id")) == (ROOM, None, "i")
    (invitation,) = x(message)
    assert (invitation.tag, invitation.get("from"), invitation.get("to")) == (INVITE, ANN.bare, None)
    assert child(invitation, "{%s}reason" % ns.MUC_USER).text == "tea"
    assert set(got) == {DAN}
    assert not got.effects.records


def test_the_password_goes_with_it():
    stage = Stage()
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="cauldron")
    assert has(invite(stage, ANN, DAN).only(DAN), ns.MUC_USER, "password").text == "cauldron"


def test_what_else_an_invitation_says_is_not_passed_on():
    inside = "<continue thread='t'/><password>forged</password><item xmlns='x'/>"
    message = invite(Stage(), ANN, DAN.bare, inside=inside).only(DAN.bare)
    (invitation,) = x(message)
    assert [(each.tag, each.get("thread")) for each in invitation] == [("{%s}continue" % ns.MUC_USER, "t")]


def test_several_may_be_invited_at_once_but_not_the_world():
    assert set(invite(Stage(), ANN, CAT, DAN)) == {CAT, DAN}
    many = [f"u{number}@d.example" for number in range(21)]
    assert refusal(invite, Stage(), ANN, *many) == ("policy-violation", "modify")


def test_who_is_invited_to_a_members_only_room_becomes_a_member():
    stage = Stage(membersonly=True)
    got = invite(stage, ANN, DAN)
    assert got.kept(AffiliationSaved) == [AffiliationSaved(7, str(DAN.bare), "member", "", "")]
    stage.enter(DAN)
    assert not invite(stage, DAN, ANN).kept(AffiliationSaved)


def test_a_member_may_invite_only_where_members_may():
    stage = Stage(membersonly=True, allowinvites=False)
    stage.admin(ANN, f"<item affiliation='member' jid='{BOB.bare}'/>")
    stage.enter(BOB)
    assert refusal(invite, stage, BOB, DAN) == ("forbidden", "auth")
    stage.admin(ANN, f"<item affiliation='admin' jid='{BOB.bare}'/>")
    invite(stage, BOB, DAN)


def test_an_invitation_to_an_open_room_changes_no_affiliation():
    stage = Stage()
    stage.enter(BOB)
    assert not invite(stage, BOB, DAN).kept(AffiliationSaved)


def test_a_stranger_may_not_invite():
    assert refusal(invite, Stage(), BOB, DAN) == ("not-acceptable", "cancel")


@pytest.mark.parametrize("address", ["", "@", "a b@c.example"])
def test_an_address_that_is_none_cannot_be_invited(address):
    assert refusal(invite, Stage(), ANN, address) == ("jid-malformed", "modify")


@pytest.mark.parametrize("address", [ROOM, f"{ROOM}/Ann", "other@muc.a.example", "muc.a.example"])
def test_a_room_cannot_be_invited(address):
    assert refusal(invite, Stage(), ANN, address) == ("not-acceptable", "modify")


def test_who_is_banned_cannot_be_invited():
    stage = Stage(membersonly=True)
    stage.admin(ANN, f"<item affiliation='outcast' jid='{DAN.bare}'/>")
    assert refusal(invite, stage, ANN, DAN) == ("not-acceptable", "modify")


def test_one_bad_address_spoils_all():
    stage = Stage(membersonly=True)
    refusal(invite, stage, ANN, DAN, "@")


@pytest.mark.parametrize("inviter", [BOB, BOB.bare])
def test_a_refusal_reaches_who_invited(inviter):
    stage = Stage()
    stage.enter(BOB)
    stage.enter(BOB2, "Bob")
    got = decline(stage, DAN, inviter)
    assert set(got) == {BOB, BOB2}
    message = got.only(BOB)
    (told,) = x(message)
    assert (message.get("from"), told.get("from"), told.get("to")) == (ROOM, DAN.bare, None)
    assert told[0].text == "busy"


def test_a_refusal_to_somebody_who_is_not_in_goes_nowhere():
    assert not decline(Stage(), DAN, BOB)
    assert refusal(decline, Stage(), DAN, "@") == ("jid-malformed", "modify")


def test_an_error_to_an_invitation_is_consumed():
    error = f"<error type='cancel'><item-not-found xmlns='{ns.STANZA_ERRORS}'/></error>"
    assert not Stage().send(DAN, f"<message type='error'>{error}</message>")


def test_members_do_not_fill_the_room_by_inviting_nor_take_the_place_of_bans(monkeypatch):
    monkeypatch.setattr(state, "_MOST_AFFILIATIONS", 2)
    stage = Stage(membersonly=True)
    invite(stage, ANN, BOB.bare)
    assert refusal(invite, stage, ANN, CAT.bare) == ("resource-constraint", "wait")
    for jid in (CAT.bare, DAN.bare):
        stage.admin(ANN, f"<item affiliation='outcast' jid='{jid}'/>")
    assert refusal(stage.admin, ANN, "<item affiliation='outcast' jid='e.example'/>") == ("resource-constraint", "wait")
    invite(stage, ANN, BOB.bare)
    stage.admin(ANN, f"<item affiliation='admin' jid='{BOB.bare}'/>")


def test_a_whole_domain_that_is_invited_becomes_no_member():
    stage = Stage(membersonly=True)
    assert invite(stage, ANN, "b.example")[JID.parse("b.example")]
    assert set(stage.room.state.affiliations) == {ANN.bare}
