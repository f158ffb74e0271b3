"""What a room says of itself (XEP-0045 §6.4, §6.5, §7.12)."""

import pytest

from fermata.xmpp import disco
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import child
from kit.rooms import ANN, BOB, CAT, Stage, refusal


def info(stage: Stage, sender=CAT, node: str = "") -> disco.Info:
    answer = stage.iq(sender, f"<query xmlns='{ns.DISCO_INFO}'{node and f' node={node!r}'}/>").only(sender)
    query = child(answer, "{%s}query" % ns.DISCO_INFO)
    assert query.get("node", "") == node
    return disco.parse_info(query)


ALWAYS = {
    ns.DISCO_INFO,
    ns.DISCO_ITEMS,
    "http://jabber.org/protocol/muc",
    "http://jabber.org/protocol/muc#stable_id",
    "http://jabber.org/protocol/muc#self-ping-optimization",
    "urn:xmpp:ping",
    "urn:xmpp:mam:2",
    "urn:xmpp:mam:2#extended",
    "urn:xmpp:sid:0",
    "urn:xmpp:occupant-id:0",
    "jabber:iq:register",
    "vcard-temp",
    "urn:xmpp:message-moderate:1",
    "urn:xmpp:message-moderate:0",
    "urn:xmpp:message-retract:1",
    "urn:xmpp:message-retract:1#tombstone",
    "urn:xmpp:push:0",
    "urn:x-fermata:restart:0",
    "urn:xmpp:mfr",
    "urn:xmpp:presence-session:0",
    "urn:xmpp:muc:affiliations:1",
    "urn:x-fermata:history:0",
    "urn:x-fermata:rejoin:0",
}
PLAIN = {"muc_open", "muc_hidden", "muc_unmoderated", "muc_semianonymous", "muc_unsecured", "muc_persistent"}


def test_a_room_advertises_what_it_does():
    found = info(Stage())
    assert set(found.features) == ALWAYS | PLAIN
    assert found.identities == (disco.Identity("conference", "text", "tea"),)


@pytest.mark.parametrize(
    ("field", "value", "instead_of", "feature"),
    [
        ("membersonly", "1", "muc_open", "muc_membersonly"),
        ("publicroom", "1", "muc_hidden", "muc_public"),
        ("moderatedroom", "1", "muc_unmoderated", "muc_moderated"),
        ("whois", "anyone", "muc_semianonymous", "muc_nonanonymous"),
        ("persistentroom", "0", "muc_persistent", "muc_temporary"),
    ],
)
def test_each_mode_is_one_of_a_pair(field, value, instead_of, feature):
    stage = Stage()
    stage.configure(ANN, **{field: value})
    more = {"urn:xmpp:muc-presence-versioning:0"} if field == "membersonly" else set()
    assert set(info(stage).features) == (ALWAYS | PLAIN | {feature} | more) - {instead_of}


def test_that_there_is_a_password_is_shown_and_the_password_is_not():
    stage = Stage()
    stage.configure(ANN, passwordprotectedroom="1", roomsecret="cauldron")
    found = info(stage)
    assert "muc_passwordprotected" in found.features
    assert "cauldron" not in repr(found)


def test_the_form_tells_about_the_room():
    stage = Stage()
    stage.configure(ANN, roomname="Tea", roomdesc="for two", lang="de", changesubject="1", maxhistoryfetch="20")
    stage.enter(BOB)
    stage.send(ANN, "<message type='groupchat'><subject>cake</subject></message>")
    found = info(stage)
    assert found.identities == (disco.Identity("conference", "text", "Tea"),)
    (form,) = found.forms
    assert form.form_type == ns.MUC_ROOM_INFO
    assert {field.var: field.values for field in form.fields} == {
        "muc#roominfo_description": ("for two",),
        "muc#roominfo_subject": ("cake",),
        "muc#roominfo_occupants": ("2",),
        "muc#roominfo_lang": ("de",),
        "muc#maxhistoryfetch": ("20",),
        "muc#roomconfig_changesubject": ("true",),
    }


def test_who_is_in_is_not_listed():
    answer = Stage().iq(CAT, f"<query xmlns='{ns.DISCO_ITEMS}'/>").only(CAT)
    assert len(child(answer, "{%s}query" % ns.DISCO_ITEMS)) == 0


def test_ones_reserved_nickname_can_be_asked_for():
    stage = Stage()
    stage.admin(ANN, f"<item affiliation='member' jid='{CAT.bare}' nick='Puss'/>")
    assert info(stage, CAT, "x-roomuser-item").identities == (disco.Identity("conference", "text", "Puss"),)
    assert info(stage, BOB, "x-roomuser-item") == disco.Info((), ())


def test_nodes_that_no_room_has_are_refused():
    stage = Stage()
    assert refusal(info, stage, CAT, "http://jabber.org/protocol/muc#traffic") == ("service-unavailable", "cancel")
    assert refusal(info, stage, CAT, "silly") == ("item-not-found", "cancel")


def test_a_locked_room_is_not_there_for_others():
    stage = Stage(locked=True)
    assert info(stage, ANN)
    assert refusal(info, stage, CAT) == ("item-not-found", "cancel")
    assert refusal(stage.iq, CAT, f"<query xmlns='{ns.DISCO_ITEMS}'/>") == ("item-not-found", "cancel")
