"""Subscription states: every cell of RFC 6121 appendix A, pre-approval, and two sides that stay in agreement."""

from collections.abc import Iterator

import pytest

from fermata.core.subscription import Outcome, State, inbound, outbound, state_of

# existing state       | routed/delivered | new state          | push | reply      | presence
OUTBOUND = {
    "subscribe": """
        NONE                | yes | NONE_PENDING_OUT    | push | |
        NONE_PENDING_OUT    | yes | NONE_PENDING_OUT    |      | |
        NONE_PENDING_IN     | yes | NONE_PENDING_OUT_IN | push | |
        NONE_PENDING_OUT_IN | yes | NONE_PENDING_OUT_IN |      | |
        TO                  | yes | TO                  |      | |
        TO_PENDING_IN       | yes | TO_PENDING_IN       |      | |
        FROM                | yes | FROM_PENDING_OUT    | push | |
        FROM_PENDING_OUT    | yes | FROM_PENDING_OUT    |      | |
        BOTH                | yes | BOTH                |      | |
    """,
    "unsubscribe": """
        NONE                | yes | NONE                |      | |
        NONE_PENDING_OUT    | yes | NONE                | push | |
        NONE_PENDING_IN     | yes | NONE_PENDING_IN     |      | |
        NONE_PENDING_OUT_IN | yes | NONE_PENDING_IN     | push | |
        TO                  | yes | NONE                | push | |
        TO_PENDING_IN       | yes | NONE_PENDING_IN     | push | |
        FROM                | yes | FROM                |      | |
        FROM_PENDING_OUT    | yes | FROM                | push | |
        BOTH                | yes | FROM                | push | |
    """,
    "subscribed": """
        NONE                | no  | NONE                | push | |
        NONE_PENDING_OUT    | no  | NONE_PENDING_OUT    | push | |
        NONE_PENDING_IN     | yes | FROM                | push | | available
        NONE_PENDING_OUT_IN | yes | FROM_PENDING_OUT    | push | | available
        TO                  | no  | TO                  | push | |
        TO_PENDING_IN       | yes | BOTH                | push | | available
        FROM                | no  | FROM                |      | |
        FROM_PENDING_OUT    | no  | FROM_PENDING_OUT    |      | |
        BOTH                | no  | BOTH                |      | |
    """,
    "unsubscribed": """
        NONE                | no  | NONE                |      | |
        NONE_PENDING_OUT    | no  | NONE_PENDING_OUT    |      | |
        NONE_PENDING_IN     | yes | NONE                |      | |
        NONE_PENDING_OUT_IN | yes | NONE_PENDING_OUT    |      | |
        TO                  | no  | TO                  |      | |
        TO_PENDING_IN       | yes | TO                  |      | |
        FROM                | yes | NONE                | push | | unavailable
        FROM_PENDING_OUT    | yes | NONE_PENDING_OUT    | push | | unavailable
        BOTH                | yes | TO                  | push | | unavailable
    """,
}
INBOUND = {
    "subscribe": """
        NONE                | yes | NONE_PENDING_IN     |      | |
        NONE_PENDING_OUT    | yes | NONE_PENDING_OUT_IN |      | |
        NONE_PENDING_IN     | no  | NONE_PENDING_IN     |      | |
        NONE_PENDING_OUT_IN | no  | NONE_PENDING_OUT_IN |      | |
        TO                  | yes | TO_PENDING_IN       |      | |
        TO_PENDING_IN       | no  | TO_PENDING_IN       |      | |
        FROM                | no  | FROM                |      | subscribed | available
        FROM_PENDING_OUT    | no  | FROM_PENDING_OUT    |      | subscribed | available
        BOTH                | no  | BOTH                |      | subscribed | available
    """,
    "unsubscribe": """
        NONE                | no  | NONE                |      | |
        NONE_PENDING_OUT    | no  | NONE_PENDING_OUT    |      | |
        NONE_PENDING_IN     | yes | NONE                |      | |
        NONE_PENDING_OUT_IN | yes | NONE_PENDING_OUT    |      | |
        TO                  | no  | TO                  |      | |
        TO_PENDING_IN       | yes | TO                  |      | |
        FROM                | yes | NONE                | push | | unavailable
        FROM_PENDING_OUT    | yes | NONE_PENDING_OUT    | push | | unavailable
        BOTH                | yes | TO                  | push | | unavailable
    """,
    "subscribed": """
        NONE                | no  | NONE                |      | |
        NONE_PENDING_OUT    | yes | TO                  | push | |
        NONE_PENDING_IN     | no  | NONE_PENDING_IN     |      | |
        NONE_PENDING_OUT_IN | yes | TO_PENDING_IN       | push | |
        TO                  | no  | TO                  |      | |
        TO_PENDING_IN       | no  | TO_PENDING_IN       |      | |
        FROM                | no  | FROM                |      | |
        FROM_PENDING_OUT    | yes | BOTH                | push | |
        BOTH                | no  | BOTH                |      | |
    """,
    "unsubscribed": """
        NONE                | no  | NONE                |      | |
        NONE_PENDING_OUT    | yes | NONE                | push | |
        NONE_PENDING_IN     | no  | NONE_PENDING_IN     |      | |
        NONE_PENDING_OUT_IN | yes | NONE_PENDING_IN     | push | |
        TO                  | yes | NONE                | push | |
        TO_PENDING_IN       | yes | NONE_PENDING_IN     | push | |
        FROM                | no  | FROM                |      | |
        FROM_PENDING_OUT    | yes | FROM                | push | |
        BOTH                | yes | FROM                | push | |
    """,
}
# With approval in advance (§3.4.2) the request of the contact is granted at once.
INBOUND_APPROVED = {
    "subscribe": """
        NONE                | no  | FROM                | push | subscribed | available
        NONE_PENDING_OUT    | no  | FROM_PENDING_OUT    | push | subscribed | available
        NONE_PENDING_IN     | no  | FROM                | push | subscribed | available
        NONE_PENDING_OUT_IN | no  | FROM_PENDING_OUT    | push | subscribed | available
        TO                  | no  | BOTH                | push | subscribed | available
        TO_PENDING_IN       | no  | BOTH                | push | subscribed | available
        FROM                | no  | FROM                |      | subscribed | available
        FROM_PENDING_OUT    | no  | FROM_PENDING_OUT    |      | subscribed | available
        BOTH                | no  | BOTH                |      | subscribed | available
    """,
}


def cells(tables: dict[str, str]) -> Iterator[tuple[str, State, tuple[object, ...]]]:
    for type, table in tables.items():
        lines = table.split("\n")[1:-1]
        assert len(lines) == len(State)
        for line in lines:
            existing, passes, new, push, reply, presence = (cell.strip() for cell in line.split("|"))
            yield type, State[existing], (State[new], passes == "yes", push == "push", reply, presence)


def told(outcome: Outcome) -> tuple[object, ...]:
    return outcome.state, outcome.passes, outcome.push, outcome.reply, outcome.presence


@pytest.mark.parametrize(("type", "state", "expected"), list(cells(OUTBOUND)))
def test_every_cell_of_the_outbound_tables_holds(type: str, state: State, expected: tuple[object, ...]) -> None:
    assert told(outbound(type, state)) == expected


@pytest.mark.parametrize(("type", "state", "expected"), list(cells(INBOUND)))
def test_every_cell_of_the_inbound_tables_holds(type: str, state: State, expected: tuple[object, ...]) -> None:
    outcome = inbound(type, state)
    assert told(outcome) == expected
    assert not outcome.approved


@pytest.mark.parametrize(("type", "state", "expected"), list(cells(INBOUND_APPROVED)))
def test_a_request_that_was_approved_in_advance_is_granted(
    type: str, state: State, expected: tuple[object, ...]
) -> None:
    outcome = inbound(type, state, approved=True)
    assert told(outcome) == expected
    assert outcome.approved


@pytest.mark.parametrize("state", State)
def test_approval_in_advance_is_noted_only_where_nothing_is_granted_or_asked(state: State) -> None:
    in_advance = {State.NONE, State.NONE_PENDING_OUT, State.TO}
    assert outbound("subscribed", state).approved == (state in in_advance)


@pytest.mark.parametrize("state", State)
def test_unsubscribed_takes_approval_in_advance_back(state: State) -> None:
    outcome = outbound("unsubscribed", state, approved=True)
    assert not outcome.approved
    assert outcome.push
    assert outcome.state is outbound("unsubscribed", state).state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("type", ["subscribe", "unsubscribe", "subscribed"])
def test_nothing_else_of_ours_takes_it_back(type: str, state: State) -> None:
    assert outbound(type, state, approved=True).approved


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("type", ["unsubscribe", "subscribed", "unsubscribed"])
def test_nothing_that_the_contact_sends_changes_approval(type: str, state: State) -> None:
    with_approval, without = inbound(type, state, approved=True), inbound(type, state)
    assert with_approval.approved
    assert told(with_approval) == told(without)


@pytest.mark.parametrize("state", State)
def test_a_state_is_found_again_by_what_is_kept_of_it(state: State) -> None:
    assert state_of(state.subscription, state.ask, state.pending_in) is state


def test_what_is_asked_for_does_not_count_where_it_is_granted() -> None:
    assert state_of("both", True, True) is State.BOTH
    assert state_of("to", True, True) is State.TO_PENDING_IN
    assert state_of("from", True, True) is State.FROM_PENDING_OUT
