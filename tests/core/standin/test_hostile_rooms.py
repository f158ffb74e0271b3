"""Rooms that are late, wrong or hostile: what a stand-in makes of them, and what its clients see."""

from fermata.core.standin import acts as done
from fermata.core.standin.state import Standing
from kit.standins import PHONE, ROOM, TABLET, Stage
from kit.stanzas import codes, find

USER = "http://jabber.org/protocol/muc#user"


# -- late, twice, never


def test_a_room_that_answers_late_is_believed_whenever_it_does(stage: Stage) -> None:
    stage.enters()
    stage.after(25)
    stage.lets_in("Ben")
    assert stage.seen() == ["Ben", "Ann", "subject"]


def test_a_room_that_answers_an_entrance_and_its_repetition_is_seen_once(stage: Stage) -> None:
    stage.enters()
    stage.do(stage.stand_in.again("Ann"))
    assert len(stage.to_room) == 2
    for _ in range(2):
        stage.lets_in("Ben")
    assert stage.seen() == ["Ben", "Ann", "subject", "Ann"]
    assert stage.standing is Standing.IN


def test_a_room_that_refuses_late_who_is_in_is_asked(stage: Stage) -> None:
    stage.enters()
    stage.do(stage.stand_in.again("Ann"))
    stage.lets_in("Ben")
    stage.error("conflict")
    assert stage.seen() == ["Ben", "Ann", "subject"]
    assert stage.standing is Standing.IN


def test_a_room_that_answers_when_everybody_has_gone_is_left(stage: Stage) -> None:
    stage.enters()
    stage.do(stage.stand_in.gone(PHONE, stage.now))
    stage.lets_in("Ben")
    stage.after(61)
    assert stage.to_room[-1].get("type") == "unavailable"
    assert stage.standing is Standing.OUT


def test_a_room_that_lets_in_and_puts_out_all_the_time_is_shown_as_quiet(inside: Stage) -> None:
    for _ in range(5):
        inside.presence("Ann", 110, 333, type="unavailable")
        inside.do(inside.stand_in.again("Ann"))
        inside.lets_in("Ben")
    assert inside.seen() == []


# -- moved


def test_a_room_that_has_moved_tells_who_enters_where_to(stage: Stage) -> None:
    stage.enters(id="j")
    stage.hears(
        f"<presence from='{ROOM}/Ann' type='error' id='j'><error type='cancel'>"
        "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:coffee@muc.b.example</gone></error></presence>"
    )
    (told,) = stage.told[PHONE]
    gone = find(told, "error/{urn:ietf:params:xml:ns:xmpp-stanzas}gone")
    assert gone is not None
    assert gone.text == "xmpp:coffee@muc.b.example"


def test_a_room_that_is_destroyed_for_another_one_tells_all_clients_which(inside: Stage) -> None:
    inside.enters(TABLET)
    inside.clear()
    inside.hears(
        f"<presence from='{ROOM}/Ann' type='unavailable'><x xmlns='{USER}'><item affiliation='none' role='none'/>"
        "<destroy jid='coffee@muc.b.example'><reason>We have moved</reason></destroy></x></presence>"
    )
    for client in (PHONE, TABLET):
        (told,) = inside.told[client]
        destroy = find(told, "user:x/user:destroy")
        assert destroy is not None
        assert destroy.get("jid") == "coffee@muc.b.example"
    assert inside.standing is Standing.REMOVED
    assert inside.wants(done.Forget), "nobody follows a room by himself"


# -- inventions


def test_who_has_ones_own_nickname_is_nobody_else(inside: Stage) -> None:
    inside.presence("Ann", inside="<show>dnd</show>")
    assert codes(inside.told[PHONE][0]) == {"110"}
    inside.enters(TABLET)
    assert inside.seen(TABLET) == ["Ben", "Ann", "subject"]
    assert inside.told[TABLET][1].findtext("show") == "dnd"


def test_nor_is_he_while_the_room_tells_who_is_there(stage: Stage) -> None:
    stage.enters()
    stage.presence("Ben")
    stage.presence("Ann")
    stage.presence("Ann", 110)
    stage.subject()
    assert stage.seen() == ["Ben", "Ann", "subject"]


def test_a_room_that_was_never_entered_can_say_nothing(stage: Stage) -> None:
    stage.presence("Ben")
    stage.message("hello")
    stage.message("psst", type="chat")
    stage.subject("Buy!")
    stage.hears(f"<iq from='{ROOM}' type='result' id='x'/>")
    assert stage.acts == []


def test_nobody_was_asked_in_by_a_room_that_says_so(stage: Stage) -> None:
    stage.presence("Ann", 110)
    (left,) = stage.to_room
    assert left.get("type") == "unavailable"
    assert stage.standing is Standing.OUT


def test_subjects_without_end_cost_no_memory(inside: Stage) -> None:
    for number in range(1000):
        inside.subject(f"number {number}")
    subject = inside.stand_in.state.view.subject
    assert subject is not None
    assert "number 999" in subject.rest
    assert inside.said == [], "and stand in no archive"


def test_what_comes_with_a_body_is_no_subject(inside: Stage) -> None:
    inside.hears(f"<message from='{ROOM}/Ben' type='groupchat'><subject>Tea</subject><body>is ready</body></message>")
    assert [each.stanza.findtext("body") for each in inside.said] == ["is ready"]


def test_a_private_message_from_nobody_is_one_from_him(inside: Stage) -> None:
    """Whoever owns a room can speak in anybody's name in it, here as for a client that is there by itself."""
    inside.message("psst", nick="Nobody", type="chat")
    assert [each.is_private for each in inside.said] == [True]
    assert inside.seen() == ["psst"]
    assert "Nobody" not in inside.stand_in.state.view.others


def test_messages_without_end_leave_fifty_places(inside: Stage) -> None:
    for number in range(500):
        inside.message("spam", id=f"id{number}")
    recent = inside.stand_in.state.recent
    assert (len(recent.places), len(recent._known)) == (50, 50)


def test_history_without_end_is_kept_to_fifty(stage: Stage) -> None:
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.presence("Ann", 110)
    for number in range(500):
        stage.message("old", id=f"id{number}", stamp="1970-01-02T00:00:00Z")
    stage.subject()
    (kept,) = stage.wants(done.Before)
    assert isinstance(kept, done.Before)
    assert len(kept.messages) == 50


def test_a_time_that_is_none_is_now(inside: Stage) -> None:
    inside.message("hello", stamp="long ago")
    assert len(inside.said) == 1
