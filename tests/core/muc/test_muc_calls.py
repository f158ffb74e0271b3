"""The pace of the calls after a start, and who is called at all."""

from itertools import pairwise

import pytest

from fermata.core.muc.calls import Call, Calls, Wanted, sort_out
from fermata.core.records import InviteOwed, InviteSettled, PushSaved
from fermata.xmpp.jid import JID

TEA, COFFEE = JID.parse("tea@muc.a.example"), JID.parse("coffee@muc.a.example")
NOW = 1_000_000.0


def owed(number: int, wanted: bool = True, stamp: float = NOW - 60.0) -> InviteOwed:
    return InviteOwed(7, f"p{number}@b.example/x", f"P{number}", wanted, stamp)


def invite(number: int) -> Call:
    return Call(TEA, owed(number))


def push(number: int, room: JID = TEA) -> Call:
    jid = f"p{number}@b.example"
    return Call(room, PushSaved(7, jid, f"{jid}/x", "N1", "", 0, 0.0))


def made(calls: Calls, chances: list[float], until: float = NOW + 10_000.0) -> list[tuple[float, Call]]:
    """All calls with their times, each at the deadline that was asked for."""
    found, number = [], 0
    while (due := calls.next_deadline()) is not None and due <= until and calls.waiting:
        call = calls.take(due, chances[number % len(chances)])
        number += 1
        if call is not None:
            found.append((due, call))
    return found


def test_nobody_is_called_before_the_server_has_been_up_for_half_a_minute():
    calls = Calls([invite(1)], NOW)
    assert calls.next_deadline() == NOW + 30.0
    assert calls.take(NOW + 29.9, 0.0) is None
    assert calls.take(NOW + 30.0, 0.0) == invite(1)


def test_twenty_are_called_in_a_second_and_not_in_step():
    times = [time for time, _ in made(Calls(map(invite, range(401)), NOW), [0.0, 0.9, 0.3, 0.7, 0.6])]
    assert len(times) == 401
    assert times[-1] - times[0] == pytest.approx(20.0, rel=0.01)
    assert len({round(later - sooner, 6) for sooner, later in pairwise(times)}) > 1


def test_a_clock_that_was_late_does_not_bring_many_at_once():
    calls = Calls(map(invite, range(3)), NOW)
    assert calls.take(NOW + 500.0, 0.0) is not None
    assert calls.take(NOW + 500.0, 0.0) is None


def test_everybody_is_called_once_in_an_order_of_chance():
    order = [call for _, call in made(Calls(map(invite, range(9)), NOW), [0.99, 0.0, 0.5])]
    assert sorted(order) == [invite(number) for number in range(9)]
    assert order != sorted(order)


def test_who_is_invited_is_not_woken_as_well():
    calls = Calls([push(1), invite(1), push(1, COFFEE), push(2)], NOW)
    assert {call for _, call in made(calls, [0.0])} == {invite(1), push(1, COFFEE), push(2)}


def test_an_account_that_is_gone_is_not_called():
    calls = Calls([invite(1), push(1, COFFEE), invite(2)], NOW)
    calls.forget(JID.parse("p1@b.example"))
    assert [call for _, call in made(calls, [0.0])] == [invite(2)]


def test_what_is_owed_is_written_off_ten_minutes_after_the_call():
    calls = Calls([invite(1), invite(2), push(3)], NOW)
    assert len(made(calls, [0.0])) == 3
    assert calls.written_off(NOW + 629.0) == []
    due = calls.next_deadline()
    assert due is not None
    assert sorted(calls.written_off(due)) == [InviteSettled(7, "p1@b.example/x"), InviteSettled(7, "p2@b.example/x")]
    assert calls.next_deadline() is None


def test_without_anybody_to_call_there_is_no_deadline():
    assert Calls([], NOW).next_deadline() is None


@pytest.mark.parametrize(("wanted", "called"), [(Wanted.OPT_IN, {1}), (Wanted.ALL, {1, 2}), (Wanted.OFF, set[int]())])
def test_who_is_called_depends_on_the_setting_and_on_the_wish(wanted: Wanted, called: set[int]):
    debts = [(TEA, owed(1)), (TEA, owed(2, wanted=False)), (TEA, owed(3, stamp=NOW - 86_401.0))]
    calls, settled = sort_out(debts, wanted, NOW)
    assert calls == [invite_ for _, debt in debts for invite_ in [Call(TEA, debt)] if int(debt.jid[1]) in called]
    left = {1, 2, 3} - called
    assert settled == [InviteSettled(7, f"p{number}@b.example/x") for number in sorted(left)]
