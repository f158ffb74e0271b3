"""Lists of affiliations with versions (XEP-0463)."""

import pytest

from fermata.core.muc.changelog import MOST_GONE
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element, child
from fermata.xmpp.jid import JID
from kit.rooms import ANN, ANN2, BOB, CAT, DAN, ROOM, Said, Stage, codes, has, x

MAV = "{%s}mav" % ns.MUC_AFFILIATION_VERSIONS
ITEM = "{%s}item" % ns.MUC_USER


def asking(since: str | None = None) -> str:
    attribute = "" if since is None else f" since='{since}'"
    return f"<x xmlns='{ns.MUC}'><mav xmlns='{ns.MUC_AFFILIATION_VERSIONS}'{attribute}/></x>"


def mav(stanza: Element) -> dict[str, str]:
    found = child(x(stanza), MAV)
    assert found is not None
    return dict(found.attrib)


def items(message: Element) -> dict[str, str]:
    assert message.tag == "message"
    assert message.get("from") == ROOM
    return {each.get("jid", ""): each.get("affiliation", "") for each in x(message) if each.tag == ITEM}


def lists(said: Said, to: JID) -> list[Element]:
    """The messages about affiliations, which stand before any presence."""
    found = [each for each in said[to] if has(each, ns.MUC_AFFILIATION_VERSIONS, "mav") is not None]
    messages = [each for each in found if each.tag == "message"]
    assert messages == said[to][: len(messages)]
    return messages


def own(said: Said, to: JID) -> Element:
    return next(each for each in said[to] if each.tag == "presence" and 110 in codes(each))


def club(**config) -> Stage:
    """A room where Ann is the owner, Bob a member who is in, Cat a member who is not."""
    stage = Stage(**({"whois": "anyone", "membersonly": True} | config))
    for person in (BOB, CAT):
        stage.admin(ANN, f"<item jid='{person.bare}' affiliation='member'/>")
    return stage


def known(stage: Stage, person: JID = BOB) -> str:
    """Somebody enters and goes: the version that he has."""
    until = mav(own(stage.enter(person, inside=asking()), person))["until"]
    stage.leave(person)
    return until


def test_who_has_no_version_is_told_all_before_any_presence():
    stage = club()
    said = stage.enter(BOB, inside=asking())
    (message,) = lists(said, BOB)
    assert items(message) == {ANN.bare: "owner", BOB.bare: "member", CAT.bare: "member"}
    assert set(mav(message)) == {"until"}
    assert mav(own(said, BOB)) == mav(message)


def test_who_has_the_last_version_is_told_nothing():
    stage = club()
    until = known(stage)
    said = stage.enter(BOB, inside=asking(until))
    assert lists(said, BOB) == []
    assert mav(own(said, BOB)) == {"until": until}


def test_who_has_an_older_one_is_told_what_has_changed():
    stage = club()
    since = known(stage)
    stage.admin(ANN, f"<item jid='{CAT.bare}' affiliation='none'/>")
    stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='admin'/>")
    said = stage.enter(BOB, inside=asking(since))
    (message,) = lists(said, BOB)
    assert items(message) == {CAT.bare: "none", DAN.bare: "admin"}
    assert mav(message) == {"since": since, "until": mav(own(said, BOB))["until"]}


def test_it_outlives_the_process():
    stage = club()
    since = known(stage)
    stage.admin(ANN, f"<item jid='{CAT.bare}' affiliation='none'/>")
    stage.restart()
    said = stage.enter(BOB, inside=asking(since))
    assert items(lists(said, BOB)[0]) == {CAT.bare: "none"}
    stage.leave(BOB)
    stage.restart()
    assert lists(stage.enter(BOB, inside=asking(mav(own(said, BOB))["until"])), BOB) == []


@pytest.mark.parametrize("since", ["", "forged", "{epoch}.1PAAAAAAAA", "{epoch}.part1", "{epoch}."])
def test_what_is_no_version_of_the_room_brings_all(since):
    stage = club()
    epoch = known(stage).partition(".")[0]
    (message,) = lists(stage.enter(BOB, inside=asking(since.format(epoch=epoch))), BOB)
    assert set(mav(message)) == {"until"}
    assert len(items(message)) == 3


def test_a_change_of_presence_makes_no_new_version():
    stage = club()
    since = known(stage)
    stage.enter(CAT)
    assert lists(stage.enter(BOB, inside=asking(since)), BOB) == []


def test_each_change_is_told_at_once_with_the_versions_before_and_after():
    stage = club()
    until = mav(own(stage.enter(BOB, inside=asking()), BOB))["until"]
    for affiliation in ("admin", "none"):
        said = stage.admin(ANN, f"<item jid='{CAT.bare}' affiliation='{affiliation}'/>")
        message = next(each for each in said[BOB] if each.tag == "message")
        assert items(message) == {CAT.bare: affiliation}
        assert mav(message)["since"] == until
        until = mav(message)["until"]
    stage.leave(BOB)
    assert lists(stage.enter(BOB, inside=asking(until)), BOB) == []


def test_two_changes_at_once_are_a_chain():
    stage = club()
    until = mav(own(stage.enter(BOB, inside=asking()), BOB))["until"]
    people = (CAT, DAN)
    said = stage.admin(ANN, *(f"<item jid='{each.bare}' affiliation='admin'/>" for each in people))
    spans = [mav(each) for each in said[BOB] if each.tag == "message"]
    assert [span["since"] for span in spans] == [until, spans[0]["until"]]


def test_whoever_did_not_ask_is_told_as_before():
    stage = club()
    stage.enter(CAT)
    stage.enter(BOB, inside=asking())
    for person in (CAT, ANN):
        assert not [
            each
            for each in stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='member'/>")[person]
            if has(each, ns.MUC_AFFILIATION_VERSIONS, "mav") is not None
        ]


def test_nobody_else_sees_what_somebody_asked_for():
    stage = club()
    stage.enter(CAT)
    assert has(stage.enter(BOB, inside=asking("x")).only(CAT), ns.MUC_AFFILIATION_VERSIONS, "mav") is None


# -- who may see what


def test_the_lists_of_an_anonymous_room_are_refused_by_a_message():
    stage = Stage()
    said = stage.enter(BOB, inside=asking())
    error, *rest = said[BOB]
    assert (error.tag, error.get("type"), error.get("from")) == ("message", "error", ROOM)
    found = child(error, "error")
    assert (found.get("type"), found.get("by"), found[0].tag) == ("auth", ROOM, "{%s}forbidden" % ns.STANZA_ERRORS)
    assert not [each for each in rest if has(each, ns.MUC_AFFILIATION_VERSIONS, "mav") is not None]
    assert 110 in codes(own(said, BOB))
    assert not stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='member'/>")[BOB]


def test_bans_are_for_admins_to_know():
    stage = club()
    stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='outcast'/>")
    assert DAN.bare in items(lists(stage.enter(ANN2, "Ann", inside=asking()), ANN2)[0])
    said = stage.enter(BOB, inside=asking())
    assert DAN.bare not in items(lists(said, BOB)[0])
    for affiliation in ("none", "outcast"):
        said = stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='{affiliation}'/>")
        assert not said[BOB]
        assert items(next(each for each in said[ANN2] if each.tag == "message")) == {DAN.bare: affiliation}


def test_a_member_who_is_banned_is_none_any_more_to_the_others():
    stage = club()
    since = known(stage)
    stage.enter(BOB, inside=asking(since))
    said = stage.admin(ANN, f"<item jid='{CAT.bare}' affiliation='outcast'/>")
    assert items(next(each for each in said[BOB] if each.tag == "message")) == {CAT.bare: "none"}
    stage.leave(BOB)
    assert items(lists(stage.enter(BOB, inside=asking(since)), BOB)[0]) == {CAT.bare: "none"}


def test_whoever_may_see_more_lists_than_before_is_told_all():
    stage = club()
    stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='outcast'/>")
    since = known(stage)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='admin'/>")
    (message,) = lists(stage.enter(BOB, inside=asking(since)), BOB)
    assert set(mav(message)) == {"until"}
    assert items(message)[DAN.bare] == "outcast"


def test_whoever_may_see_none_any_more_is_told_of_no_more_changes():
    stage = club()
    stage.enter(BOB, inside=asking())
    stage.configure(ANN, whois="moderators")
    assert not stage.admin(ANN, f"<item jid='{CAT.bare}' affiliation='admin'/>")[BOB]


def test_whoever_could_not_see_a_change_is_told_of_it_when_he_can():
    stage = club()
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='admin'/>")
    until = mav(own(stage.enter(BOB, inside=asking()), BOB))["until"]
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='member'/>")
    stage.admin(ANN, f"<item jid='{DAN.bare}' affiliation='outcast'/>")
    for each in stage.admin(ANN, f"<item jid='{CAT.bare}' affiliation='none'/>")[BOB]:
        until = mav(each)["until"] if each.tag == "message" else until
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='admin'/>")
    assert items(lists(stage.enter(BOB, inside=asking(until)), BOB)[0])[DAN.bare] == "outcast"


def test_a_version_of_the_past_is_not_to_be_made_up():
    stage = club()
    until = known(stage)
    stage.admin(ANN, f"<item jid='{CAT.bare}' affiliation='none'/>")
    later = known(stage)
    epoch, _, text = later.partition(".")
    number = text[: len(text) - 9]
    forged = f"{epoch}.{int(number) - 1}{text[len(number) :]}"
    (message,) = lists(stage.enter(BOB, inside=asking(forged)), BOB)
    assert set(mav(message)) == {"until"}
    assert CAT.bare not in items(message)
    assert until != later


# -- much of it


def test_a_long_list_comes_in_parts_that_fit_together():
    stage = Stage(whois="anyone")
    for start in range(0, 1200, 100):
        stage.admin(ANN, *(f"<item jid='m{start + each}@b.example' affiliation='member'/>" for each in range(100)))
    said = stage.enter(ANN2, "Ann", inside=asking())
    parts = lists(said, ANN2)
    spans = [mav(each) for each in parts]
    assert [len(items(each)) for each in parts] == [500, 500, 201]
    assert [span.get("since") for span in spans] == [None, spans[0]["until"], spans[1]["until"]]
    assert spans[2]["until"] == mav(own(said, ANN2))["until"]


def test_after_a_restart_the_oldest_changes_are_still_the_first_to_be_forgotten():
    stage = club()
    known(stage)
    for name in ("zoe", "abe"):
        stage.admin(ANN, f"<item jid='{name}@b.example' affiliation='member'/>")
    stage.restart()
    assert list(stage.room.state.changelog.affiliations) == ["zoe@b.example", "abe@b.example"]


def test_only_so_many_changes_are_remembered():
    stage = club()
    since = known(stage)
    log = stage.room.state.changelog
    for each in range(MOST_GONE + 1):
        bare = JID.parse(f"m{each}@b.example")
        said = stage.admin(ANN, f"<item jid='{bare}' affiliation='member'/>") if each in (0, MOST_GONE) else None
        if said is None:
            log.record_affiliation(bare, "none", "member", "")
            log.save_affiliation(stage.made.effects, bare)
            log.unannounced.clear()
    assert len(log.affiliations) == MOST_GONE
    assert set(mav(lists(stage.enter(BOB, inside=asking(since)), BOB)[0])) == {"until"}


def test_an_invitation_that_makes_a_member_is_a_change():
    stage = club()
    stage.enter(BOB, inside=asking())
    invite = f"<x xmlns='{ns.MUC_USER}'><invite to='{DAN.bare}'/></x>"
    said = stage.send(ANN, f"<message>{invite}</message>")
    assert items(next(each for each in said[BOB] if each.tag == "message")) == {DAN.bare: "member"}


def test_switched_off_it_is_not_there():
    stage = club()
    stage.room.state.cheap_rejoin = False
    said = stage.enter(BOB, inside=asking())
    assert not [each for each in said[BOB] if has(each, ns.MUC_AFFILIATION_VERSIONS, "mav") is not None]
