"""What is noted instead of kept while a server is out of reach."""

import pytest

from fermata.core.s2s.missed import MOST_NICKS, Missed
from fermata.xmpp.jid import JID
from fermata.xmpp.payload import Payload

BOB = JID.parse("bob@b.example/desk")
CEM = JID.parse("cem@b.example/tab")
ROOM = "tea@rooms.a.example"
SELF = "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>"


def said(id: str, room: str = ROOM) -> Payload:
    return Payload("message", "/>", f"{room}/Ann", "groupchat", id)


def shown(nick: str, type: str = "", rest: str = "/>") -> Payload:
    return Payload("presence", rest, f"{ROOM}/{nick}", type)


def test_the_first_message_that_was_missed_is_the_mark_of_a_room() -> None:
    missed = Missed([BOB], 0)
    assert all(missed.note(said(id), BOB) for id in "abc")
    assert missed.rooms[ROOM].first == "a"


def test_messages_that_no_archive_has_are_no_mark() -> None:
    missed = Missed([BOB], 0)
    assert missed.note(said(""), BOB)
    assert missed.note(said("b"), BOB)
    assert missed.rooms[ROOM].first == "b"


def test_of_occupants_it_is_noted_that_something_was_said() -> None:
    missed = Missed([BOB], 0)
    for presence in (shown("Ann"), shown("Ann", "unavailable"), shown("Cem")):
        assert missed.note(presence, BOB)
    assert list(missed.rooms[ROOM].nicks) == [f"{ROOM}/Ann", f"{ROOM}/Cem"]


@pytest.mark.parametrize(
    "kept",
    [
        shown("Bob", "unavailable", SELF),
        shown("Bob", "error"),
        Payload("message", "/>", f"{ROOM}/Ann", "chat"),
        Payload("message", "/>", ROOM, ""),
        Payload("iq", "/>", ROOM, "get"),
    ],
)
def test_what_the_room_cannot_tell_again_waits(kept: Payload) -> None:
    missed = Missed([BOB], 0)
    assert not missed.note(kept, BOB)
    assert missed.rooms == {}


def test_for_who_enters_later_everything_waits() -> None:
    assert not Missed([BOB], 0).note(said("a"), CEM)


def test_at_the_end_rooms_that_have_nothing_to_tell_go_on_and_the_others_note_until_they_have_told_it() -> None:
    missed = Missed([BOB], 0)
    missed.note(said("a"), BOB)
    missed.end()
    assert not missed.note(said("x", "quiet@rooms.a.example"), BOB)
    assert missed.note(said("b"), BOB)
    missed.told(ROOM)
    assert not missed.note(said("c"), BOB)


def test_what_is_lost_again_before_it_was_told_stays_missed_since_the_first_time() -> None:
    older = Missed([BOB], 5)
    older.note(said("a"), BOB)
    newer = Missed([BOB, CEM], 9)
    newer.go_on(older)
    newer.note(said("b"), CEM)
    assert newer.since == 5
    assert newer.rooms[ROOM].first == "a"


def test_of_very_many_nicknames_no_more_is_noted_than_that_there_are_more() -> None:
    missed = Missed([BOB], 0)
    for number in range(2 * MOST_NICKS):
        assert missed.note(shown(f"n{number}", "unavailable"), BOB)
    assert len(missed.rooms[ROOM].nicks) == MOST_NICKS
    assert missed.rooms[ROOM].is_full


def test_whoever_has_left_or_is_about_to_enter_misses_nothing() -> None:
    missed = Missed([BOB, CEM], 0)
    missed.begin([(shown("Cem", "", SELF), CEM)])
    assert (missed.misses(ROOM, BOB), missed.misses(ROOM, CEM)) == (True, False)
    assert not missed.note(said("a"), CEM)
    assert not missed.note(shown("Bob", "unavailable", SELF), BOB)
    assert not missed.misses(ROOM, BOB)
    assert missed.misses("other@rooms.a.example", BOB)


def test_who_changes_his_nickname_is_still_there() -> None:
    missed = Missed([BOB], 0)
    assert not missed.note(shown("Bob", "unavailable", SELF.replace("<status", "<status code='303'/><status")), BOB)
    assert missed.misses(ROOM, BOB)


def test_what_turns_out_to_be_missed_as_well_and_was_said_before_is_the_mark() -> None:
    missed = Missed([BOB], 0)
    missed.note(said("c"), BOB)
    for id in ("b", "", "a", ""):
        assert missed.note(said(id), BOB, is_older=True)
    assert missed.rooms[ROOM].first == "a"


def test_what_is_noted_of_the_same_loss_elsewhere_changes_nothing_here() -> None:
    missed, noted = Missed([BOB], 0), Missed([BOB], 1)
    missed.note(said("c"), BOB)
    noted.go_on(missed)
    noted.note(said("a"), BOB, is_older=True)
    noted.note(shown("Ann"), BOB)
    assert (missed.rooms[ROOM].first, list(missed.rooms[ROOM].nicks)) == ("c", [])
