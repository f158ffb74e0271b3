"""Entering again and being told only what has changed (XEP-0311, and as it was first proposed)."""

import pytest

from fermata.core.muc.changelog import MOST_GONE, WEEK_SECONDS
from fermata.core.records import ValueSaved
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from fermata.xmpp.jid import JID
from kit.rooms import ANN, BOB, BOB2, CAT, DAN, MUC, ROOM, Said, Stage, codes, has, item, nick, refusal

FIRST = f"{MUC}<presence-session xmlns='{ns.PRESENCE_SESSION}'/>"


def mark(stanza: Element) -> tuple[str, str]:
    """The session and id of a stanza's mark."""
    found = [each for each in stanza if each.tag == "{%s}presence-session" % ns.PRESENCE_SESSION]
    assert len(found) == 1, found
    return found[0].get("session", ""), found[0].get("id", "")


def marks(said: Said, to: JID) -> list[tuple[str, str]]:
    return [mark(stanza) for stanza in said[to]]


def resume(known: tuple[str, str], inside: str = MUC) -> str:
    session, id = known
    return f"{inside}<presence-session xmlns='{ns.PRESENCE_SESSION}' session='{session}' id='{id}' type='resume'/>"


def shown(said: Said, to: JID) -> list[tuple[str, str]]:
    """Nickname and type of each presence, in order."""
    return [(nick(each), each.get("type", "")) for each in said[to] if each.tag == "presence"]


RESET = ("", "unavailable")


def party(*people: JID, **config) -> Stage:
    """Bob is in, and is told the numbers; so are these others, who are not."""
    stage = Stage(**config)
    for person in people:
        stage.enter(person)
    return stage


def gone_after(stage: Stage) -> tuple[str, str]:
    """Bob enters and is cut off: what he knows."""
    known = mark(stage.enter(BOB, inside=FIRST)[BOB][-1])
    stage.leave(BOB)
    return known


def test_whoever_asks_finds_a_number_in_all_that_he_is_sent():
    stage = party(CAT)
    said = stage.enter(BOB, inside=FIRST)
    assert len(marks(said, BOB)) == 4  # Ann, Cat, himself, the subject
    for said in (stage.say(CAT, "hello"), stage.presence(CAT, "Cat", "<show>away</show>"), stage.leave(CAT)):
        mark(said.only(BOB))


def test_whoever_does_not_ask_is_sent_what_he_always_was():
    stage = party(CAT)
    stage.enter(BOB, inside=FIRST)
    for said in (stage.enter(DAN), stage.say(DAN, "hello"), stage.leave(DAN)):
        assert said[CAT]
        assert all(has(each, ns.PRESENCE_SESSION, "presence-session") is None for each in said[CAT])


def test_whoever_enters_again_decides_anew_whether_he_is_told_numbers():
    stage = party(BOB)
    stage.enter(CAT, inside=FIRST)
    for inside, is_told in ((FIRST, True), (MUC, False), (FIRST, True)):
        stage.say(CAT, "hello")
        stage.enter(BOB, inside=inside)
        found = has(stage.say(CAT, "hello").only(BOB), ns.PRESENCE_SESSION, "presence-session")
        assert (found is not None) is is_told


def test_a_room_where_nobody_asks_keeps_no_numbers():
    stage = party(BOB, CAT)
    stage.leave(CAT)
    assert stage.changelog() == {space: {} for space in stage.changelog()}
    assert stage.room.state.changelog is None


def test_each_number_is_given_once():
    stage = party(CAT)
    given = [mark(each) for each in stage.enter(BOB, inside=FIRST)[BOB][:3]]
    given += marks(stage.enter(DAN), BOB) + marks(stage.presence(CAT, "Cat", "<show>dnd</show>"), BOB)
    assert len(set(given[:2] + given[3:])) == len(given) - 1


def test_only_what_has_changed_is_told_again():
    stage = party(CAT, DAN)
    known = gone_after(stage)
    stage.presence(CAT, "Cat", "<show>away</show>")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Cat", ""), ("Bob", "")]
    assert codes(said[BOB][1]) == [110]


def test_whoever_has_left_is_told_to_have_left():
    stage = party(CAT, DAN)
    known = gone_after(stage)
    stage.leave(CAT)
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Cat", "unavailable"), ("Bob", "")]
    assert item(said[BOB][0]) == {"affiliation": "none", "role": "none"}
    assert has(said[BOB][0], ns.OCCUPANT_ID, "occupant-id") is not None


def test_whoever_has_come_and_gone_meanwhile_is_only_said_to_be_gone():
    stage = party(CAT)
    known = gone_after(stage)
    stage.enter(DAN)
    stage.leave(DAN)
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Dan", "unavailable"), ("Bob", "")]


def test_a_new_nickname_is_the_end_of_the_old_one():
    stage = party(CAT)
    known = gone_after(stage)
    stage.presence(CAT, "Kitty")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Cat", "unavailable"), ("Kitty", ""), ("Bob", "")]


def test_a_nickname_that_somebody_else_has_taken_is_his_now():
    stage = party(CAT, DAN)
    known = gone_after(stage)
    stage.leave(CAT)
    stage.presence(DAN, "Cat")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Dan", "unavailable"), ("Cat", ""), ("Bob", "")]


def test_a_change_of_role_is_a_change():
    stage = party(CAT, DAN)
    known = gone_after(stage)
    stage.admin(ANN, "<item nick='Cat' role='visitor'/>")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Cat", ""), ("Bob", "")]
    assert item(said[BOB][0])["role"] == "visitor"


def test_a_kick_is_told_as_the_absence_that_it_is():
    stage = party(CAT)
    known = gone_after(stage)
    stage.admin(ANN, "<item nick='Cat' role='none'/>")
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Cat", "unavailable"), ("Bob", "")]


def test_his_own_absence_is_no_news_to_anybody():
    stage = party(CAT)
    known = gone_after(stage)
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Bob", "")]
    known = gone_after(stage)
    assert shown(stage.enter(BOB, "Robert", inside=resume(known)), BOB) == [("Bob", "unavailable"), ("Robert", "")]


def test_whoever_is_still_in_may_resume_as_well():
    stage = party(CAT, DAN)
    known = mark(stage.enter(BOB, inside=FIRST)[BOB][-1])
    stage.leave(CAT)
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Cat", "unavailable"), ("Bob", "")]
    assert not said[ANN], "nobody else is told"


def test_the_element_that_was_first_proposed_resumes_too():
    stage = party(CAT, DAN)
    session, id = gone_after(stage)
    proposed = f"<presence-session-resume xmlns='{ns.PRESENCE_SESSION}' session='{session}' id='{id}'/>"
    said = stage.enter(BOB, inside=MUC + proposed)
    assert shown(said, BOB) == [("Bob", "")]
    assert marks(said, BOB)


def test_any_stanza_in_between_can_be_resumed_from():
    stage = party()
    known = mark(stage.enter(BOB, inside=FIRST)[BOB][-1])
    for step in (lambda: stage.enter(CAT), lambda: stage.enter(DAN), lambda: stage.leave(CAT)):
        known = mark(step().only(BOB))
        stage.leave(BOB)
        assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Bob", "")]
        known = mark(stage.say(ANN, "x").only(BOB))


def test_whoever_is_cut_off_in_the_middle_of_the_list_gets_the_rest_of_it():
    stage = party(CAT, DAN)
    stage.presence(ANN, "Ann", "<show>xa</show>")
    entering = stage.enter(BOB, inside=FIRST)[BOB]
    for seen in range(1, 4):
        stage.leave(BOB)
        said = stage.enter(BOB, inside=resume(mark(entering[seen - 1])))
        before = [nick(each) for each in entering[:seen]]
        missing = [name for name, _ in shown(said, BOB)[:-1]]
        assert sorted(before[:3] + missing) == ["Ann", "Cat", "Dan"]


# -- what is void


@pytest.mark.parametrize(
    ("session", "id"),
    [
        ("forged", None),
        (None, "1pAAAAAAAA"),
        (None, "999999999999999pAAAAAAAA"),
        (None, "99999999999999999999999999pAAAAAAAA"),
        (None, "-1pAAAAAAAA"),
        (None, "٣pAAAAAAAA"),
        (None, ""),
        ("", ""),
    ],
)
def test_a_number_that_was_never_given_is_void(session, id):
    stage = party(CAT)
    known = gone_after(stage)
    given = tuple(known[place] if forged is None else forged for place, forged in enumerate((session, id)))
    said = stage.enter(BOB, inside=resume(given))
    assert shown(said, BOB) == [RESET, ("Ann", ""), ("Cat", ""), ("Bob", "")]
    assert said[BOB][0].get("from") == ROOM
    assert all(mark(each) for each in said[BOB])


def test_whoever_has_seen_only_the_reset_has_seen_nothing():
    stage = party(CAT)
    for _ in range(2):
        known = mark(stage.enter(BOB, inside=resume(("forged", "1")))[BOB][0])
        said = stage.enter(BOB, inside=resume(known))
        assert [each for each in shown(said, BOB) if each != RESET] == [("Ann", ""), ("Cat", ""), ("Bob", "")]
        stage.leave(CAT)
        stage.enter(CAT)


def test_nobody_makes_up_an_older_number_to_learn_who_was_there_before_him():
    stage = party(CAT)
    session, id = gone_after(stage)
    seq, signed = id.partition("p")[0], id[id.index("p") :]
    said = stage.enter(BOB, inside=resume((session, str(int(seq) - 1) + signed)))
    assert shown(said, BOB)[0] == RESET


def test_the_number_of_another_room_is_void():
    known = gone_after(party(CAT))
    other = party(CAT)
    other.new_id()
    other.enter(BOB, inside=FIRST)
    other.leave(BOB)
    assert shown(other.enter(BOB, inside=resume((known[0] + "x", known[1]))), BOB)[0] == RESET


def test_whoever_has_become_a_moderator_is_told_everything_with_the_real_jids():
    stage = party(CAT)
    known = gone_after(stage)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='admin'/>")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [RESET, ("Ann", ""), ("Cat", ""), ("Bob", "")]
    assert all("jid" in item(each) for each in said[BOB][1:4])


def test_whoever_was_a_moderator_is_told_everything_without_them():
    stage = party(CAT)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='admin'/>")
    known = gone_after(stage)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='none'/>")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB)[0] == RESET
    assert all("jid" not in item(each) for each in said[BOB][1:3])


def test_so_is_everybody_once_the_room_is_not_anonymous_any_more():
    stage = party(CAT)
    known = gone_after(stage)
    stage.configure(ANN, whois="anyone")
    assert shown(stage.enter(BOB, inside=resume(known)), BOB)[0] == RESET


def test_whoever_becomes_a_moderator_while_in_keeps_the_numbers_of_before_until_he_enters_again():
    stage = party(CAT)
    stage.enter(BOB, inside=FIRST)
    said = stage.admin(ANN, "<item nick='Bob' role='moderator'/>")
    assert len(marks(said, BOB)) == 3  # himself, and the others with their real JIDs
    known = mark(next(each for each in said[BOB] if 110 in codes(each)))
    stage.leave(BOB)
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='admin'/>")
    assert shown(stage.enter(BOB, inside=resume(known)), BOB)[0] == RESET


def test_whoever_had_other_rights_for_a_while_is_told_everything():
    stage = party(CAT)
    stage.configure(ANN, whois="anyone")
    stage.enter(BOB, inside=FIRST)
    stage.configure(ANN, whois="moderators")
    known = mark(stage.enter(DAN)[BOB][0])
    stage.configure(ANN, whois="anyone")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB)[0] == RESET
    assert "jid" in item(next(each for each in said[BOB] if nick(each) == "Dan"))


def test_whoever_was_banned_meanwhile_is_told_nothing():
    stage = party(CAT)
    known = gone_after(stage)
    stage.say(CAT, "a secret")
    stage.admin(ANN, f"<item jid='{BOB.bare}' affiliation='outcast'/>")
    assert refusal(stage.enter, BOB, inside=resume(known)) == ("forbidden", "auth")


def test_a_list_of_changes_that_is_longer_than_the_room_is_no_help():
    stage = party(CAT)
    known = gone_after(stage)
    for name in ("A", "B", "C", "D"):
        stage.presence(CAT, name)
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [RESET, ("Ann", ""), ("D", ""), ("Bob", "")]


def crowd(stage: Stage, size: int) -> None:
    """So many people more, so that any list of changes is shorter than that of all."""
    for each in range(size):
        stage.enter(JID.parse(f"person{each}@d.example/den"), f"Person {each}")


@pytest.mark.parametrize(("seconds", "is_known"), [(WEEK_SECONDS - 1, True), (WEEK_SECONDS + 1, False)])
def test_what_was_gone_for_a_week_is_forgotten(seconds, is_known):
    stage = party(CAT, DAN)
    crowd(stage, 10)
    known = gone_after(stage)
    stage.leave(CAT)
    stage.now += seconds
    stage.enter(BOB2, "Bob2", inside=FIRST)
    stage.leave(BOB2)
    for _ in range(2):
        assert (shown(stage.enter(BOB, inside=resume(known)), BOB)[0] == RESET) is not is_known
        stage.restart()


def test_no_more_than_so_many_are_remembered():
    stage = party(CAT)
    known = gone_after(stage)
    log = stage.room.state.changelog
    for each in range(MOST_GONE + 1):
        log.record(stage.made.effects, f"Dan{each}", 0, "none", "")
    assert len(log.gone) == MOST_GONE
    assert log.since(log.floor) is not None
    assert log.since(log.floor - 1) is None
    stage = party(CAT)
    known = gone_after(stage)
    for each in range(MOST_GONE + 1):
        stage.arrive(DAN, f"Dan{each}")
        stage.leave(DAN)
    assert len(stage.changelog()["changelog"]) == MOST_GONE + 3
    stage.restart()
    assert shown(stage.enter(BOB, inside=resume(known)), BOB)[0] == RESET


def test_a_room_that_nobody_has_asked_for_a_week_stops_counting():
    stage = party(CAT)
    gone_after(stage)
    stage.now += WEEK_SECONDS + 1
    stage.leave(CAT)
    assert stage.room.state.changelog is None
    assert stage.changelog() == {space: {} for space in stage.changelog()}


# -- restart and crash


def test_numbers_outlive_the_process():
    stage = party(CAT, DAN)
    known = gone_after(stage)
    stage.leave(CAT)
    stage.restart()
    stage.presence(DAN, "Dan", "<show>away</show>")
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Cat", "unavailable"), ("Dan", ""), ("Bob", "")]


def test_no_number_is_given_again_after_it():
    stage = party(CAT)
    stage.enter(BOB, inside=FIRST)
    last = mark(stage.presence(CAT, "Cat", "<show>away</show>").only(BOB))
    stage.restart()
    first = mark(stage.presence(CAT, "Cat", "<show>xa</show>").only(BOB))
    assert first[0] == last[0]
    assert int(first[1].partition("p")[0]) > int(last[1].partition("p")[0])


def test_each_number_is_recorded_in_the_step_that_gives_it():
    stage = party(CAT)
    stage.enter(BOB, inside=FIRST)
    for said in (stage.leave(CAT), stage.enter(DAN)):
        assert [record.key for record in said.kept(ValueSaved)] == [nick(said.only(BOB))]


def test_whoever_is_told_numbers_is_told_them_after_a_restart():
    stage = party(CAT)
    stage.enter(BOB, inside=FIRST)
    stage.restart()
    mark(stage.say(CAT, "hello").only(BOB))


def test_whoever_was_lost_with_the_process_is_gone_for_whoever_resumes():
    stage = party(CAT, DAN)
    known = gone_after(stage)
    stage.records = [record for record in stage.records if getattr(record, "jid", "") != CAT]
    stage.restart()
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Cat", "unavailable"), ("Bob", "")]


def test_whoever_was_lost_is_told_nothing_any_more():
    stage = party(CAT)
    stage.enter(BOB, inside=FIRST)
    stage.records = [record for record in stage.records if getattr(record, "jid", "") != BOB]
    stage.restart()
    assert not stage.room.state.changelog.watches


def test_what_somebody_looks_like_who_has_lost_a_session_is_a_change():
    cat2 = JID.parse("cat@c.example/cellar")
    stage = party(CAT)
    crowd(stage, 3)
    stage.enter(cat2, "Cat", inside=f"{MUC}<show>xa</show>")
    known = gone_after(stage)
    stage.records = [record for record in stage.records if getattr(record, "jid", "") != cat2]
    stage.restart()
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Cat", ""), ("Bob", "")]


def test_changes_are_told_in_their_order_after_a_restart():
    stage = party(CAT, DAN)
    crowd(stage, 5)
    known = gone_after(stage)
    stage.presence(DAN, "Dan", "<show>away</show>")
    stage.presence(CAT, "Cat", "<show>away</show>")
    stage.presence(ANN, "Ann", "<show>away</show>")
    stage.restart()
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Dan", ""), ("Cat", ""), ("Ann", ""), ("Bob", "")]


# -- whose presence is not told


def test_who_is_not_shown_is_not_shown_by_a_change_either():
    stage = Stage(presencebroadcast=("moderator",))
    stage.enter(CAT)
    known = gone_after(stage)
    stage.presence(CAT, "Cat", "<show>away</show>")
    stage.leave(CAT)
    stage.enter(DAN)
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Bob", "")]


def test_who_is_hidden_meanwhile_is_gone():
    stage = party(CAT)
    known = gone_after(stage)
    stage.configure(ANN, presencebroadcast=["moderator"])
    assert shown(stage.enter(BOB, inside=resume(known)), BOB) == [("Cat", "unavailable"), ("Bob", "")]


# -- messages


def bodies(said: Said, to: JID) -> list[str]:
    return [each.findtext("body", "") for each in said[to] if each.find("body") is not None]


def truncations(said: Said, to: JID) -> int:
    found = [has(each, ns.PRESENCE_SESSION, "presence-session") for each in said[to] if each.tag == "message"]
    return sum(each is not None and each.get("type") == "truncated" for each in found)


def after(stage: Stage, *said: str) -> tuple[str, str]:
    """Bob sees Cat say something and goes; then Cat says this."""
    stage.enter(BOB, inside=FIRST)
    known = mark(stage.say(CAT, "seen").only(BOB))
    stage.leave(BOB)
    for each in said:
        stage.say(CAT, each)
    return known


def test_only_messages_after_the_last_one_are_told():
    stage = party(CAT)
    known = after(stage, "one", "two")
    said = stage.enter(BOB, inside=resume(known))
    assert bodies(said, BOB) == ["one", "two"]
    assert truncations(said, BOB) == 0


def test_a_presence_says_as_well_which_message_was_the_last():
    stage = party(CAT)
    after(stage)
    stage.enter(BOB, inside=FIRST)
    stage.say(CAT, "seen")
    known = mark(stage.enter(DAN).only(BOB))
    stage.leave(BOB)
    stage.say(CAT, "unseen")
    assert bodies(stage.enter(BOB, inside=resume(known)), BOB) == ["unseen"]


def test_the_usual_limits_hold_and_what_they_hide_is_announced():
    stage = party(CAT)
    known = after(stage, *"123456789")
    for most, told in ((20, 9), (5, 5), (0, 0)):
        limited = f"<x xmlns='{ns.MUC}'><history maxstanzas='{most}'/></x>"
        said = stage.enter(BOB, inside=resume(known, limited))
        assert len(bodies(said, BOB)) == told
        assert truncations(said, BOB) == (told < 9)
        kinds = [each.tag for each in said[BOB]]
        assert kinds.index("message") == 1, "after the presences, before the history"
        stage.leave(BOB)


def test_what_the_room_has_forgotten_is_announced():
    stage = Stage(maxhistoryfetch=3)
    stage.enter(CAT)
    known = after(stage, *"1234")
    for _ in range(2):
        said = stage.enter(BOB, inside=resume(known))
        assert bodies(said, BOB) == ["2", "3", "4"]
        assert truncations(said, BOB) == 1
        stage.leave(BOB)
        stage.restart()


def test_what_the_room_was_told_to_forget_is_announced():
    stage = party(CAT)
    known = after(stage, *"1234")
    stage.configure(ANN, maxhistoryfetch="2")
    said = stage.enter(BOB, inside=resume(known))
    assert (bodies(said, BOB), truncations(said, BOB)) == (["3", "4"], 1)


def test_history_that_is_told_can_be_resumed_from():
    stage = party(CAT)
    known = after(stage, "one", "two")
    said = stage.enter(BOB, inside=resume(known))
    middle = next(mark(each) for each in said[BOB] if each.findtext("body") == "one")
    stage.leave(BOB)
    assert bodies(stage.enter(BOB, inside=resume(middle)), BOB) == ["two"]


def test_messages_are_found_after_a_restart_and_after_a_reset():
    stage = party(CAT)
    session, id = after(stage, "one")
    stage.restart()
    said = stage.enter(BOB, inside=resume((session + "?", id)))
    assert shown(said, BOB)[0] == RESET
    assert bodies(said, BOB) == ["one"]


# -- the number that was to be reached


def test_five_changes_among_five_hundred_cost_no_more_than_three_percent_of_everything():
    stage = Stage()
    for each in range(500):
        stage.arrive(JID.parse(f"person{each}@b.example/phone"), f"Person {each}")
    known = mark(stage.enter(BOB, inside=FIRST)[BOB][-1])
    stage.leave(BOB)
    full = stage.enter(BOB)  # as ever, without any numbers, which make it longer
    stage.leave(BOB)
    for each in range(5):
        stage.presence(JID.parse(f"person{each}@b.example/phone"), f"Person {each}", "<show>away</show>")
    delta = stage.enter(BOB, inside=resume(known))
    sizes = [
        sum(len(payload.addressed(BOB)) for send in said.effects.sends if send.to == BOB for payload in send.payloads)
        for said in (full, delta)
    ]
    assert len(shown(delta, BOB)) == 6
    assert sizes[1] <= 0.03 * sizes[0], sizes


def test_switched_off_nothing_of_it_is_there():
    stage = party(CAT)
    known = gone_after(stage)
    stage.room.state.cheap_rejoin = False
    said = stage.enter(BOB, inside=resume(known))
    assert shown(said, BOB) == [("Ann", ""), ("Cat", ""), ("Bob", "")]
    assert all(has(each, ns.PRESENCE_SESSION, "presence-session") is None for each in said[BOB])
