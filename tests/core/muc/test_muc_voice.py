"""Asking for voice, and granting it (XEP-0045 §7.13, §8.6)."""

import pytest

from fermata.xmpp import namespaces as ns
from fermata.xmpp.dataforms import Form
from fermata.xmpp.element import child
from kit.rooms import ANN, ANN2, BOB, CAT, DAN, ROOM, Said, Stage, item, refusal


def form(*fields: tuple[str, str], type: str = "submit", form_type: str = ns.MUC_REQUEST) -> str:
    xml = "".join(f"<field var='{var}'><value>{value}</value></field>" for var, value in fields)
    head = f"<field var='FORM_TYPE' type='hidden'><value>{form_type}</value></field>"
    return f"<message><x xmlns='jabber:x:data' type='{type}'>{head}{xml}</x></message>"


REQUEST = form(("muc#role", "participant"))


def moderated() -> Stage:
    stage = Stage(moderatedroom=True)
    stage.enter(ANN2, "Ann")
    for person in (BOB, CAT):
        stage.enter(person)
    return stage


def approve(stage: Stage, sender, nick: str = "Bob", jid: str = BOB, allow: str = "true") -> Said:
    fields = (("muc#role", "participant"), ("muc#jid", jid), ("muc#roomnick", nick), ("muc#request_allow", allow))
    return stage.send(sender, form(*fields))


def test_a_request_for_voice_reaches_the_moderators():
    got = moderated().send(BOB, REQUEST)
    assert set(got) == {ANN, ANN2}
    message = got.only(ANN)
    assert (message.get("from"), message.get("type")) == (ROOM, None)
    asked = Form.parse(child(message, "{jabber:x:data}x"), ns.MUC_REQUEST)
    assert asked.type == "form"
    assert {field.var: field.values for field in asked.fields} == {
        "muc#role": ("participant",),
        "muc#jid": (BOB,),
        "muc#roomnick": ("Bob",),
        "muc#request_allow": ("false",),
    }


def test_a_moderator_grants_voice():
    stage = moderated()
    got = approve(stage, ANN)
    assert item(got.only(CAT)) == {"affiliation": "none", "role": "participant"}
    stage.say(BOB, "thanks")


def test_a_moderator_may_say_no():
    assert not approve(moderated(), ANN, allow="false")


def test_a_form_is_for_who_was_asked_about():
    stage = moderated()
    stage.leave(BOB)
    assert refusal(approve, stage, ANN) == ("item-not-found", "cancel")
    stage.enter(DAN, "Bob")
    assert refusal(approve, stage, ANN) == ("item-not-found", "cancel")


def test_voice_is_granted_once():
    stage = moderated()
    approve(stage, ANN)
    assert not approve(stage, ANN)


def test_only_moderators_grant_voice():
    assert refusal(approve, moderated(), CAT) == ("forbidden", "auth")


def test_who_has_voice_need_not_ask():
    stage = Stage()
    stage.enter(BOB)
    assert not stage.send(BOB, REQUEST)


def test_a_stranger_may_not_ask():
    assert refusal(moderated().send, DAN, REQUEST) == ("not-acceptable", "cancel")


@pytest.mark.parametrize("role", ["moderator", "none"])
def test_voice_is_all_that_can_be_asked_for(role):
    assert refusal(moderated().send, BOB, form(("muc#role", role))) == ("not-acceptable", "modify")


def test_a_form_that_is_none_is_refused():
    assert refusal(moderated().send, BOB, form(form_type="other")) == ("bad-request", "modify")
    assert refusal(moderated().send, BOB, form(type="silly")) == ("bad-request", "modify")
    assert refusal(approve, moderated(), ANN, allow="perhaps") == ("not-acceptable", "modify")


def test_a_cancelled_form_does_nothing():
    assert not moderated().send(BOB, form(type="cancel"))
