"""An account that enters a room where a client of its own is already, by itself: they share the nickname."""

import pytest

from fermata.core.standin import acts as done
from fermata.core.standin.state import Beside, Standing
from fermata.core.stored_xml import stanza_from
from fermata.xmpp.jid import JID
from kit import ns
from kit.standins import ME, PHONE, ROOM, TABLET, Stage

DESK = JID.parse("ann@a.example/desk")


def client_in(nick: str = "Ann", inside: str = "") -> Beside:
    return Beside(DESK, nick, stanza_from(f"<presence>{inside}</presence>"))


@pytest.fixture
def stage() -> Stage:
    """The desk is in the room by itself, and has bookmarked it; the account is about to enter."""
    stage = Stage()
    stage.wished(beside=[client_in(inside="<show>dnd</show>")])
    stage.do(stage.stand_in.again("Ann"))
    return stage


@pytest.fixture
def both(stage: Stage) -> Stage:
    """Both are in; nothing of that is left."""
    stage.lets_in("Ben")
    stage.after(10)
    stage.clear()
    return stage


def test_the_account_enters_as_what_its_client_is_there(stage: Stage) -> None:
    (join,) = stage.to_room
    assert (join.get("from"), join.get("to")) == (ME, f"{ROOM}/Ann")
    assert join.findtext("show") == "dnd"


def test_the_nickname_in_the_room_counts_more_than_that_of_the_bookmark() -> None:
    stage = Stage()
    stage.wished("Anna", beside=[client_in("Annie")])
    assert stage.wants(done.Fallen) == [done.Fallen("Annie", 0.0)]


def test_a_room_that_takes_but_one_of_them_takes_the_account_when_the_client_has_gone(stage: Stage) -> None:
    stage.clear()
    stage.error("conflict")
    assert stage.standing is Standing.OUT
    assert stage.wants(done.Forget), "the guardian would try other nicknames"
    stage.do(stage.stand_in.come([client_in()]))
    assert not stage.wants(done.Fallen)
    stage.do(stage.stand_in.come())
    assert stage.wants(done.Fallen) == [done.Fallen("Ann", 0.0)]


@pytest.mark.parametrize("condition", ["forbidden", "not-authorized", "registration-required"])
def test_a_refusal_is_no_last_word_while_the_client_is_in(stage: Stage, condition: str) -> None:
    stage.error(condition, "auth")
    assert stage.standing is Standing.OUT


def test_what_passes_is_tried_again(stage: Stage) -> None:
    stage.error("item-not-found")
    assert stage.wants(done.Refused) == [done.Refused("item-not-found", "cancel")]


def test_another_client_attaches_while_the_first_stays_as_it_is(both: Stage) -> None:
    both.enters(TABLET)
    assert both.seen(TABLET) == ["Ben", "Ann", "subject"]
    assert both.seen(DESK) == []


def test_when_the_client_goes_the_account_is_away(both: Stage) -> None:
    both.do(both.stand_in.gone(DESK, both.now))
    both.after(10)
    assert [(each.get("type"), each.findtext("show")) for each in both.to_room] == [(None, "xa")]


def test_while_it_is_there_the_account_is_as_present_as_it(both: Stage) -> None:
    both.enters(PHONE, more="<show>away</show>")
    both.after(10)
    both.do(both.stand_in.gone(PHONE, both.now))
    both.after(10)
    both.sends(f"<presence to='{ROOM}/Ann'/>", DESK)
    both.after(10)
    assert both.to_room == []
    both.do(both.stand_in.gone(DESK, both.now))
    both.after(10)
    assert [each.findtext("show") for each in both.to_room] == ["xa"]


def test_a_new_nickname_of_the_client_is_one_of_the_account(both: Stage) -> None:
    both.sends(f"<presence to='{ROOM}/Anna'/>", DESK)
    assert [(each.get("from"), each.get("to")) for each in both.to_room] == [(ME, f"{ROOM}/Anna")]
    both.error("conflict", nick="Anna")
    assert both.stand_in.state.here == "Ann"
    assert both.told == {}, "the client has an error of its own"


def test_the_account_stays_when_its_client_leaves_and_goes_with_the_bookmark(both: Stage) -> None:
    both.do(both.stand_in.gone(DESK, both.now))
    both.after(600)
    assert both.standing is Standing.IN
    both.unwished()
    both.after(61)
    assert both.to_room[-1].get("type") == "unavailable"


def test_a_join_of_the_client_is_none_of_the_account(both: Stage) -> None:
    both.sends(f"<presence to='{ROOM}/Ann'><x xmlns='{ns.MUC}'/></presence>", DESK)
    assert (both.to_room, both.told) == ([], {})


def test_a_client_that_leaves_for_all_leaves_for_the_account(both: Stage) -> None:
    leave = "<leave xmlns='urn:x-fermata:account-join:0'/>"
    both.sends(f"<presence to='{ROOM}/Ann' type='unavailable'>{leave}</presence>", DESK)
    assert both.to_room[-1].get("type") == "unavailable"
    assert both.standing is Standing.REMOVED
