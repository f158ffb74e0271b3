"""Presences with versions, those of absent members too (XEP-0436)."""

from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, child
from fermata.xmpp.jid import JID
from kit.rooms import ANN, BOB, CAT, DAN, MUC, ROOM, Said, Stage, codes, item, nick, x

VERSION = "{%s}version" % ns.PRESENCE_VERSIONING
RESET = "{%s}reset" % ns.PRESENCE_VERSIONING


def asking(ver: str, muc: str = MUC) -> str:
    return f"{muc}<x xmlns='{ns.MUC_USER}'><version xmlns='{ns.PRESENCE_VERSIONING}' ver='{ver}'/></x>"


def version(presence: Element) -> str:
    found = child(x(presence), VERSION)
    assert found is not None
    return found.get("ver", "")


def shown(said: Said, to: JID = BOB) -> list[tuple[str, str]]:
    return [(nick(each), each.get("type", "")) for each in said[to] if each.tag == "presence"]


def members(*absent: tuple[JID, str]) -> Stage:
    """A room of members: Bob, Cat and Dan, of whom Cat is in; and these, with the nicknames reserved for them."""
    stage = Stage(membersonly=True)
    for person in (BOB, CAT, DAN):
        stage.admin(ANN, f"<item jid='{person.bare}' affiliation='member'/>")
    for person, name in absent:
        stage.admin(ANN, f"<item jid='{person.bare}' affiliation='member' nick='{name}'/>")
    stage.enter(CAT)
    return stage


def known(stage: Stage) -> str:
    """Bob enters and goes: the version that he has."""
    ver = version(next(each for each in stage.enter(BOB, inside=asking(""))[BOB] if 110 in codes(each)))
    stage.leave(BOB)
    return ver


def test_an_empty_version_asks_for_all_with_versions():
    stage = members()
    said = stage.enter(BOB, inside=asking(""))
    assert shown(said) == [("Ann", ""), ("Cat", ""), ("Bob", "")]
    assert len({version(each) for each in said[BOB][:3]}) == 3


def test_from_then_on_each_presence_has_a_new_one_and_messages_have_none():
    stage = members()
    stage.enter(BOB, inside=asking(""))
    versions = [version(said.only(BOB)) for said in (stage.enter(DAN), stage.presence(DAN, "Dan", "<show>xa</show>"))]
    assert len(set(versions)) == 2
    message = stage.say(CAT, "hello").only(BOB)
    assert not [each for each in message.iter() if each.tag == VERSION]


def test_what_has_changed_since_a_version_is_told():
    stage = members()
    ver = known(stage)
    stage.leave(CAT)
    stage.enter(DAN)
    said = stage.enter(BOB, inside=asking(ver))
    assert shown(said) == [("Cat", "unavailable"), ("Dan", ""), ("Bob", "")]
    assert all(version(each) for each in said[BOB][:3])


def test_it_outlives_the_process():
    stage = members()
    ver = known(stage)
    stage.leave(CAT)
    stage.restart()
    assert shown(stage.enter(BOB, inside=asking(ver))) == [("Cat", "unavailable"), ("Bob", "")]


def test_an_unknown_version_is_reset_by_the_first_presence():
    stage = members()
    said = stage.enter(BOB, inside=asking("anything"))
    first = said[BOB][0]
    assert first.get("from") == ROOM
    reset = child(x(first), RESET)
    assert reset is not None
    assert reset.get("ver")
    assert shown(said)[1:] == [("Ann", ""), ("Cat", ""), ("Bob", "")]


def test_the_version_in_a_reset_stands_for_nothing_seen():
    stage = members()
    first = stage.enter(BOB, inside=asking("anything"))[BOB][0]
    ver = child(x(first), RESET).get("ver")
    stage.leave(BOB)
    assert [each for each in shown(stage.enter(BOB, inside=asking(ver))) if each[0]] == [
        ("Ann", ""),
        ("Cat", ""),
        ("Bob", ""),
    ]


def test_absent_members_are_shown_as_such_with_all_of_a_list():
    stage = members((DAN, "Danny"))
    said = stage.enter(BOB, inside=asking(""))
    assert shown(said) == [("Danny", "unavailable"), ("Ann", ""), ("Cat", ""), ("Bob", "")]
    assert item(said[BOB][0]) == {"affiliation": "member", "role": "none"}


def test_absent_members_are_told_again_only_when_they_have_changed():
    stage = members((DAN, "Danny"))
    ver = known(stage)
    assert shown(stage.enter(BOB, inside=asking(ver))) == [("Bob", "")]
    stage.leave(BOB)
    stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='admin'/>")
    said = stage.enter(BOB, inside=asking(ver))
    assert shown(said) == [("Danny", "unavailable"), ("Bob", "")]
    assert item(said[BOB][0])["affiliation"] == "admin"


def test_a_change_of_an_absent_member_is_told_at_once_to_those_who_keep_versions():
    stage = members((DAN, "Danny"))
    stage.enter(BOB, inside=asking(""))
    for affiliation in ("admin", "none"):
        said = stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='{affiliation}'/>")
        presence = said.only(BOB)
        assert (nick(presence), presence.get("type")) == ("Danny", "unavailable")
        assert item(presence) == {"affiliation": affiliation, "role": "none"}
        assert version(presence)
        assert not said[CAT]


def test_a_member_who_is_here_is_told_of_as_ever():
    stage = members((DAN, "Danny"))
    stage.enter(DAN, "Danny")
    stage.enter(BOB, inside=asking(""))
    said = stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='admin'/>")
    assert shown(said) == [("Danny", "")]


def test_where_anybody_may_come_absent_members_are_nobodys_business():
    stage = Stage()
    stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='member' nick='Danny'/>")
    assert shown(stage.enter(BOB, inside=asking(""))) == [("Ann", ""), ("Bob", "")]
    assert not stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='none'/>")[BOB]


def test_a_version_alone_enters_as_well():
    stage = members()
    assert shown(stage.enter(BOB, inside=asking("", muc=""))) == [("Ann", ""), ("Cat", ""), ("Bob", "")]


def test_nobody_else_sees_the_version_that_somebody_had():
    stage = members()
    ver = known(stage)
    assert not [each for each in stage.enter(BOB, inside=asking(ver)).only(CAT).iter() if each.tag == VERSION]


def test_it_goes_together_with_fast_reconnect():
    stage = members()
    both = f"{asking('')}<presence-session xmlns='{ns.PRESENCE_SESSION}'/>"
    for each in stage.enter(BOB, inside=both)[BOB][:3]:
        assert version(each)
        assert child(each, "{%s}presence-session" % ns.PRESENCE_SESSION) is not None


def test_a_room_says_so_where_it_is_about_members():
    for is_closed in (True, False):
        stage = Stage(membersonly=is_closed)
        answer = stage.iq(ANN, f"<query xmlns='{ns.DISCO_INFO}'/>").only(ANN)
        assert (ns.PRESENCE_VERSIONING in {each.get("var") for each in answer.iter()}) is is_closed
