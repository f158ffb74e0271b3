"""Clients that enter only if they are not in (urn:x-fermata:rejoin:0): the stand-in answers for the room."""

import pytest

from kit.rejoin import rejoin
from kit.standins import PHONE, ROOM, TABLET, Stage
from kit.stanzas import codes, find

REJOINED = "{urn:x-fermata:rejoin:0}rejoined"


@pytest.fixture
def inside() -> Stage:
    """The account is in by its bookmark, with Ben, and the phone is attached."""
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.lets_in("Ben")
    stage.enters(PHONE)
    stage.after(10)
    stage.clear()
    return stage


def test_who_is_in_is_told_so_at_once(inside: Stage) -> None:
    inside.sends(rejoin(ROOM, "Ann"))
    assert inside.to_room == []
    (own,) = inside.told[PHONE]
    assert (own.get("from"), own.get("id"), own.get("type")) == (f"{ROOM}/Ann", "again", None)
    assert codes(own) == {"110"}
    assert find(own, f"user:x/{REJOINED}") is None


def test_what_it_says_of_its_presence_counts(inside: Stage) -> None:
    inside.sends(rejoin(ROOM, "Ann", presence="<show>dnd</show>"))
    inside.after(10)
    (presence,) = inside.to_room
    assert [each.tag for each in presence][:1] == ["show"]
    assert all("rejoin" not in each.tag for each in presence)


def test_who_may_be_out_is_told_once_that_is_known(inside: Stage) -> None:
    inside.stand_in.state.is_doubted = True
    inside.sends(rejoin(ROOM, "Ann"))
    assert inside.told == {}
    inside.do(inside.stand_in.sure())
    assert inside.seen() == ["Ann"]


def test_another_nickname_is_a_change_of_it(inside: Stage) -> None:
    inside.sends(rejoin(ROOM, "Anna"))
    assert inside.to_room[0].get("to") == f"{ROOM}/Anna"


def test_a_client_that_is_not_attached_is_and_learns_that_it_was_not(inside: Stage) -> None:
    inside.rejoins(TABLET)
    assert inside.to_room == []
    assert inside.seen(TABLET) == ["-Ann", "Ben", "Ann", "subject"]
    gone, _, own, _ = inside.told[TABLET]
    assert codes(gone) == {"110", "333"}
    assert own.get("id") == "again"
    assert find(own, f"{REJOINED}") is not None


def test_so_is_one_for_which_the_account_has_to_enter() -> None:
    stage = Stage()
    stage.wished()
    stage.rejoins(TABLET, "<password>tea</password>")
    (join,) = stage.to_room
    password = find(join, "muc:x/muc:password")
    assert password is not None
    assert password.text == "tea"
    stage.lets_in("Ben")
    assert stage.seen(TABLET) == ["-Ann", "Ben", "Ann", "subject"]
