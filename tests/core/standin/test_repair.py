"""What was said while nobody could hear it is in the account's archive in the end: once, in order."""

import pytest

from fermata.core.standin import acts as done
from fermata.core.standin import repair
from fermata.core.standin.state import NEWS_SECONDS, Standing
from fermata.xmpp.element import Element
from fermata.xmpp.stamps import text_of
from kit import ns
from kit.standins import ME, PHONE, ROOM, TABLET, Stage
from kit.stanzas import find, find_all

AWAY = 7_200.0


@pytest.fixture
def away() -> Stage:
    """The account was in, with what was said until "1" in its archive; then our server was down for two hours."""
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.lets_in("Ben")
    stage.message("1", id="1")
    return started(stage)


def started(stage: Stage, last: str = "1") -> Stage:
    """The server starts after two hours, and reads its own archive."""
    said_at = stage.now
    again = stage.restarted()
    again.now += AWAY
    again.has_archive = True
    again.stand_in.recall([last], [1], last, said_at)
    return again


def ago(stage: Stage, seconds: float) -> str:
    return text_of(stage.now - seconds)


def kept(stage: Stage) -> list[str | None]:
    return [each.stanza.findtext("body") for each in stage.said]


def asked(query: Element) -> str | None:
    """Behind which message a question asks or, if it names none, from what time on."""
    after = find(query, "{%s}query/{%s}set/{%s}after" % (ns.MAM, ns.RSM, ns.RSM))
    return start(query) if after is None else after.text


def start(query: Element) -> str | None:
    """From what time on a question asks."""
    field = find(query, "{%s}query/{jabber:x:data}x/{jabber:x:data}field[@var='start']/{jabber:x:data}value" % ns.MAM)
    return None if field is None else field.text


# -- since when something was missed


def test_what_the_room_says_first_after_a_start_is_told_behind_what_was_missed(away: Stage) -> None:
    away.message("4", id="4")
    assert kept(away) == []
    (query,) = away.queries
    assert (query.get("from"), query.get("to"), asked(query)) == (ME, ROOM, "1")
    away.message("5", id="5")
    away.answers("2", "3", "4")
    assert kept(away) == ["2", "3", "4", "5"]


@pytest.mark.parametrize("code", [333, 332])
def test_the_rooms_word_that_one_is_out_does_not_hide_what_was_missed(away: Stage, code: int) -> None:
    said_at = away.stand_in.state.since
    away.presence("Ann", 110, code, type="unavailable")
    away.do(away.stand_in.again("Ann"))
    history = find(away.to_room[-1], "muc:x/muc:history")
    assert history is not None
    assert history.get("since") == text_of(said_at - 60)


def test_others_who_come_and_go_do_not_hide_it_either(away: Stage) -> None:
    before = away.stand_in.state.since
    away.presence("Cyd")
    away.presence("Cyd", type="unavailable")
    away.subject()
    assert away.stand_in.state.since == before


def test_a_death_between_entering_and_the_history_loses_nothing(away: Stage) -> None:
    away.presence("Ann", 110, 333, type="unavailable")
    away.do(away.stand_in.again("Ann"))
    away.presence("Ben")
    away.presence("Ann", 110)
    again = away.restarted()
    assert (again.stand_in.state.since, again.stand_in.state.last) == (away.now - AWAY, "1")


def test_a_room_that_speaks_before_one_has_entered_again_is_not_taken_for_whole(away: Stage) -> None:
    away.presence("Ann", 110, 333, type="unavailable")
    away.message("4", id="4")
    away.do(away.stand_in.again("Ann"))
    away.presence("Ann", 110)
    for body in "123456":
        away.message(body, id=body, stamp=ago(away, 60))
    away.subject()
    assert kept(away) == ["2", "3", "4", "5", "6"]


# -- the history is enough


def test_a_history_that_begins_with_what_was_known_is_enough(away: Stage) -> None:
    away.presence("Ann", 110, 333, type="unavailable")
    away.do(away.stand_in.again("Ann"))
    away.presence("Ann", 110)
    for body in "123":
        away.message(body, id=body, stamp=ago(away, 60))
    away.subject()
    away.message("4", id="4")
    assert away.queries == []
    assert kept(away) == ["2", "3", "4"]
    assert away.stand_in.state.last == "4"


def test_a_history_that_begins_later_is_completed_from_the_archive(away: Stage) -> None:
    away.enters(PHONE)
    away.presence("Ann", 110)
    for body in "56":
        away.message(body, id=body, stamp=ago(away, 60))
    away.subject()
    away.message("7", id="7")
    assert kept(away) == []
    away.answers("2", "3", complete=False)
    assert asked(away.queries[1]) == "3"
    away.answers("4", "5", "6", "7")
    away.message("8", id="8")
    assert kept(away) == ["2", "3", "4", "5", "6", "7", "8"]
    assert away.seen() == ["Ann", "2", "3", "4", "5", "6", "7", "subject", "8"]


def test_a_room_without_a_subject_keeps_nobody_waiting(away: Stage) -> None:
    away.enters(PHONE)
    away.presence("Ann", 110)
    away.after(60)
    away.answers("2")
    assert away.seen() == ["Ann", "2", "subject"]


def test_the_history_of_a_first_entrance_is_the_clients_affair() -> None:
    stage = Stage()
    stage.has_archive = True
    stage.enters(inside="<history maxstanzas='3'/>")
    stage.presence("Ann", 110)
    stage.message("old", id="1", stamp="1970-01-02T00:00:00Z")
    stage.subject()
    assert (stage.seen(), stage.queries) == (["Ann", "old", "subject"], [])


def test_who_was_put_out_by_people_has_missed_nothing_when_he_is_back(away: Stage) -> None:
    away.presence("Ann", 110, 307, type="unavailable")
    away.enters(inside="<history maxstanzas='3'/>")
    history = find(away.to_room[-1], "muc:x/muc:history")
    assert history is not None
    assert history.get("maxstanzas") == "3"


# -- still in


def test_who_is_still_in_after_a_start_asks_the_archive_and_enters_nowhere(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.answers("2")
    assert kept(away) == ["2"]
    assert away.to_room == []


def test_clients_get_what_was_missed_with_its_time_and_ids_before_what_is_new(away: Stage) -> None:
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.lets_in("Ben")
    stage.enters(PHONE)
    stage.enters(TABLET)
    stage.stand_in.state.doubted()
    stage.has_archive = True
    stage.clear()
    stage.message("3", id="3")
    stage.answers(stage.result("2", "said", stamp="1970-01-12T14:00:00.000Z"))
    for client in (PHONE, TABLET):
        assert stage.seen(client) == ["said", "3"]
        missed = stage.told[client][0]
        delay, id = find(missed, "{urn:xmpp:delay}delay"), find(missed, "{urn:xmpp:sid:0}stanza-id")
        assert delay is not None
        assert id is not None
        assert (delay.get("from"), delay.get("stamp")) == (ROOM, "1970-01-12T14:00:00.000Z")
        assert (id.get("by"), id.get("id"), missed.get("to")) == (ROOM, "2", client)


def test_a_room_without_an_archive_is_entered_once_more_for_its_history(away: Stage) -> None:
    away.has_archive = False
    away.do(away.stand_in.sure())
    away.presence("Ben")
    away.presence("Ann", 110)
    for body in "12":
        away.message(body, id=body, stamp=ago(away, 60))
    away.subject()
    assert len(away.to_room) == len(away.queries) == 1
    assert kept(away) == ["2"]


def test_a_lost_way_makes_one_ask_and_a_pause_does_not(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.answers()
    away.do(away.stand_in.sure())
    assert len(away.queries) == 1
    away.stand_in.state.doubted()
    away.do(away.stand_in.sure())
    assert len(away.queries) == 2


def test_a_room_that_takes_an_unknown_id_for_none_does_not_tell_everything_anew(away: Stage) -> None:
    """As ejabberd does."""
    away.do(away.stand_in.sure())
    assert start(away.queries[0]) == text_of(away.stand_in.state.since - 86_400)


def test_an_id_that_the_room_does_not_know_any_more_is_replaced_by_the_time(away: Stage) -> None:
    since = away.stand_in.state.since
    away.do(away.stand_in.sure())
    away.refuses("item-not-found")
    assert asked(away.queries[1]) == text_of(since - 60)
    away.answers("1", "2", complete=False)
    assert asked(away.queries[2]) == "2"
    away.answers("3")
    assert kept(away) == ["2", "3"]


def test_where_nothing_was_said_before_the_time_is_asked_for() -> None:
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.lets_in()
    entered_at = stage.now
    again = started(stage, last="")
    again.do(again.stand_in.sure())
    assert asked(again.queries[0]) == text_of(entered_at - 60)


# -- too much


def gaps(stage: Stage) -> list[int]:
    """Before which of the messages that are kept a gap is marked."""
    marked = [find(each.stanza, "{urn:x-fermata:history:0}history") is not None for each in stage.said]
    return [place for place, is_gap in enumerate(marked) if is_gap]


def page_of(stage: Stage, first: int, count: int) -> list[str]:
    return [stage.result(f"m{number}") for number in range(first, first + count)]


def answer_on(stage: Stage, total: int, most: int = 100) -> None:
    """A room whose archive has so many messages, and more if it is asked later, answers until nothing is asked."""
    answered = 0
    while len(stage.queries) > answered:
        answered = len(stage.queries)
        query = stage.queries[-1]
        before = find(query, "{%s}query/{%s}set/{%s}before" % (ns.MAM, ns.RSM, ns.RSM))
        if before is not None:
            end = int(before.text[1:]) if before.text else total
            first = max(0, end - most)
        else:
            after = asked(query) or ""
            first = int(after[1:]) + 1 if after.startswith("m") else 0
            end = min(total, first + most)
        stage.answers(*page_of(stage, first, end - first), complete=end == total if before is None else first == 0)


@pytest.mark.parametrize("total", [0, 1, 99, 100, 101, repair.MOST_MISSED - 1, repair.MOST_MISSED])
def test_what_fits_is_read_to_the_end(away: Stage, total: int) -> None:
    away.do(away.stand_in.sure())
    answer_on(away, total)
    assert kept(away) == [f"m{number}" for number in range(total)]


def test_of_too_much_the_oldest_and_the_newest_are_told_with_a_gap_between(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.message("m4999", id="m4999")
    away.message("m5000", id="m5000")
    answer_on(away, 5_000)
    numbers = [*range(repair.MOST_MISSED), None, *range(5_000 - repair.MOST_NEWEST, 5_001)]
    assert kept(away) == [None if number is None else f"m{number}" for number in numbers]
    assert gaps(away) == [repair.MOST_MISSED]
    mark = find(away.said[repair.MOST_MISSED].stanza, "{urn:x-fermata:history:0}history")
    assert mark is not None
    assert mark.get("first") == f"m{5_000 - repair.MOST_NEWEST}"


@pytest.mark.parametrize("total", [repair.MOST_MISSED + 1, repair.MOST_MISSED + 150])
def test_there_is_no_gap_where_the_newest_follow_the_oldest(away: Stage, total: int) -> None:
    away.do(away.stand_in.sure())
    answer_on(away, total)
    assert kept(away) == [f"m{number}" for number in range(total)]


def test_a_busy_room_is_read_again_for_what_could_not_be_held(away: Stage) -> None:
    away.do(away.stand_in.sure())
    many = repair.MOST_HELD + 50
    for number in range(many):
        away.message(f"m{number}", id=f"m{number}")
    assert len(away.stand_in.state.repair.held) == repair.MOST_HELD  # type: ignore[union-attr]
    away.answers()
    answer_on(away, many)
    assert kept(away) == [f"m{number}" for number in range(many)]


def test_without_an_archive_what_cannot_be_held_is_a_gap(away: Stage) -> None:
    away.has_archive = False
    away.do(away.stand_in.sure())
    for number in range(repair.MOST_HELD + 50):
        away.message(f"m{number}", id=f"m{number}")
    away.lets_in()
    assert gaps(away) == [0]
    assert kept(away)[1:] == [f"m{number}" for number in range(50, repair.MOST_HELD + 50)]


def test_long_messages_do_not_fill_the_memory(away: Stage) -> None:
    away.do(away.stand_in.sure())
    for number in range(100):
        away.message("x" * 50_000, id=f"m{number}")
    r = away.stand_in.state.repair
    assert r is not None
    assert sum(len(held.payload.rest) for held in r.held.values()) == r.characters <= 1_000_000


# -- bad rooms


def is_repaired(stage: Stage) -> bool:
    return stage.stand_in.state.repair is None


def test_a_room_that_pages_for_ever_is_read_for_a_while(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.message("live", id="live")
    for number in range(10_000):
        if is_repaired(away):
            break
        away.answers(f"n{number}", complete=False)
    assert len(away.queries) == 2 * 60
    assert kept(away)[-1] == "live"


def test_a_room_that_always_says_the_same_is_believed_once(away: Stage) -> None:
    away.do(away.stand_in.sure())
    while not is_repaired(away):
        away.answers("n", complete=False)
    assert kept(away).count("n") == 1


def test_a_page_has_an_end_however_much_is_sent(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.answers(*(f"n{number}" for number in range(5_000)))
    assert len(kept(away)) == 100


def test_a_room_that_never_answers_keeps_nobody_waiting_for_long(away: Stage) -> None:
    away.enters(PHONE)
    away.lets_in("Ben")
    away.message("live", id="live")
    away.after(3 * repair.ANSWER_SECONDS)
    assert away.seen() == ["Ben", "Ann", "subject", "live"]
    assert is_repaired(away)


def test_a_room_that_never_answers_who_is_still_in_is_entered_and_then_let_be(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.message("live", id="live")
    away.after(5 * repair.ANSWER_SECONDS)
    assert (len(away.queries), len(away.to_room)) == (2, 1)
    assert kept(away) == ["live"]
    assert away.wants(done.Doubt)


FORGED = {
    "of another room": {"by": "other@muc.b.example/Ben"},
    "of the room itself": {"by": ROOM},
    "of nobody": {"by": "@@"},
    "private": {"type": "chat"},
    "asked for by nobody": {"queryid": "guess"},
    "from an occupant": {"sender": f"{ROOM}/Ben"},
    "of no time": {"stamp": "yesterday"},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_what_is_no_answer_of_the_room_is_not_in_the_archive(away: Stage, forged: dict[str, str]) -> None:
    away.do(away.stand_in.sure())
    away.answers(away.result("2", "forged", **forged), away.result("3"))
    assert [each.stanza.findtext("body") for each in away.said if not each.is_private] == ["3"]


def test_results_that_nobody_has_asked_for_are_not_kept(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.answers()
    away.hears(away.result("2", "unasked"))
    assert away.said == []


def test_nobody_but_the_room_ends_a_page(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.answers("2", sender=f"{ROOM}/Ben")
    assert not is_repaired(away)
    away.answers("3", sender=ROOM)
    assert kept(away) == ["2", "3"]


def test_an_answer_without_an_end_ends_it(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.hears(f"<iq from='{ROOM}' type='result' id='{away.queries[-1].get('id')}'/>")
    away.lets_in()
    assert is_repaired(away)


def test_a_forged_stanza_id_or_time_in_a_message_is_replaced_by_the_rooms(away: Stage) -> None:
    away.do(away.stand_in.sure())
    inside = (
        f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='forged'/><delay xmlns='urn:xmpp:delay' from='{ROOM}'"
        " stamp='2040-01-01T00:00:00Z'/><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x>"
    )
    away.answers(away.result("2").replace("</body>", f"</body>{inside}"))
    (said,) = away.said
    assert [each.get("id") for each in find_all(said.stanza, "{urn:xmpp:sid:0}stanza-id")] == ["2"]
    assert len(find_all(said.stanza, "{urn:xmpp:delay}delay")) == 1
    assert len(said.stanza) == 3


def test_a_time_to_come_does_not_hide_what_is_said_until_then(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.answers(away.result("2", stamp="2040-01-01T00:00:00Z"))
    assert away.stand_in.state.since == away.now


# -- in the middle of it


def test_a_death_in_the_middle_goes_on_where_it_was(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.message("live", id="live")
    away.answers("2", "3", complete=False)
    again = started(away, last="3")
    again.do(again.stand_in.sure())
    assert asked(again.queries[0]) == "3"
    again.answers("4", "live")
    assert kept(again) == ["4", "live"]


def test_a_removal_by_people_in_the_middle_tells_first_what_was_heard(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.message("last words", id="9")
    away.presence("Ann", 110, 307, type="unavailable")
    assert kept(away) == ["last words"]
    assert away.standing is Standing.REMOVED
    away.answers("2")
    assert kept(away) == ["last words"]


def test_a_fall_in_the_middle_begins_anew(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.answers("2", complete=False)
    away.presence("Ann", 110, 333, type="unavailable")
    away.answers("9")
    away.do(away.stand_in.again("Ann"))
    away.presence("Ann", 110)
    away.subject()
    assert asked(away.queries[-1]) == "2"
    away.answers("3")
    assert kept(away) == ["2", "3"]


def test_who_is_put_out_by_what_he_is_told_comes_back_without_it(away: Stage) -> None:
    """A message that is too long for us makes us answer with an error, and rooms put out who does."""
    asked_for = []
    for _ in range(6):
        away.presence("Ann", 110, 333, type="unavailable")
        away.do(away.stand_in.again("Ann"))
        history = find(away.to_room[-1], "muc:x/muc:history")
        assert history is not None
        asked_for.append(*history.attrib)
        away.presence("Ann", 110)
    assert asked_for == ["since", "since", "since", "maxstanzas", "maxstanzas", "maxstanzas"]
    away.message("live", id="9")
    away.subject()
    assert (gaps(away), kept(away)) == ([0], [None, "live"])
    away.presence("Ann", 110, 333, type="unavailable")
    away.do(away.stand_in.again("Ann"))
    assert find(away.to_room[-1], "muc:x/muc:history[@since]") is not None


def test_a_room_that_is_away_for_long_is_asked_all_the_same(away: Stage) -> None:
    away.presence("Ann", 110, 333, type="unavailable")
    away.after(2 * NEWS_SECONDS)
    away.do(away.stand_in.again("Ann"))
    away.lets_in()
    assert asked(away.queries[-1]) == "1"


def test_a_client_that_comes_meanwhile_is_let_in_and_told_what_comes(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.stand_in.state.view.is_known = True
    away.enters(PHONE)
    away.message("3", id="3")
    away.answers("2")
    assert away.seen()[-3:] == ["subject", "2", "3"]


def test_what_is_known_already_is_not_held(away: Stage) -> None:
    away.do(away.stand_in.sure())
    away.message("1", id="1")
    away.answers("1", "2")
    assert kept(away) == ["2"]
