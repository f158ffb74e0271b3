"""To whom a stanza goes: every cell of the table, with sessions of every kind."""

from dataclasses import dataclass

import pytest

from fermata.core.delivery import (
    Undelivered,
    iq_undelivered,
    message_recipients,
    message_undelivered,
    presence_recipients,
    presence_undelivered,
    without_account,
)


@dataclass
class Session:
    resource: str
    priority: int | None


SESSIONS = {
    "none at all": {},
    "connected only": {"connected": None},
    "negative": {"negative": -1, "connected": None},
    "one": {"phone": 0},
    "many": {"phone": 0, "laptop": 5, "watch": 127, "negative": -128, "connected": None},
}
TYPES = ["normal", "chat", "groupchat", "headline", "error"]
TABLE = """
    to        | sessions       | normal             | chat               | groupchat | headline           | error
    bare      | none at all    | OFFLINE            | OFFLINE            | REFUSE    | IGNORE             | IGNORE
    bare      | connected only | OFFLINE            | OFFLINE            | REFUSE    | IGNORE             | IGNORE
    bare      | negative       | OFFLINE            | OFFLINE            | REFUSE    | IGNORE             | IGNORE
    bare      | one            | phone              | phone              | REFUSE    | phone              | IGNORE
    bare      | many           | phone laptop watch | phone laptop watch | REFUSE    | phone laptop watch | IGNORE
    gone      | none at all    | REFUSE             | OFFLINE            | REFUSE    | IGNORE             | IGNORE
    gone      | connected only | REFUSE             | OFFLINE            | REFUSE    | IGNORE             | IGNORE
    gone      | negative       | REFUSE             | OFFLINE            | REFUSE    | IGNORE             | IGNORE
    gone      | one            | REFUSE             | phone              | REFUSE    | IGNORE             | IGNORE
    gone      | many           | REFUSE             | phone laptop watch | REFUSE    | IGNORE             | IGNORE
    phone     | one            | phone              | phone              | phone     | phone              | phone
    phone     | many           | phone              | phone              | phone     | phone              | phone
    negative  | many           | negative           | negative           | negative  | negative           | negative
    connected | many           | connected          | connected          | connected | connected          | connected
"""


def sessions(name: str) -> dict[str, Session]:
    priorities: dict[str, int | None] = SESSIONS[name]  # type: ignore[assignment]
    return {resource: Session(resource, priority) for resource, priority in priorities.items()}


def cells() -> list[tuple[str, str, str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
    assert rows[0][2:] == TYPES
    return [(type, row[0], row[1], cell) for row in rows[1:] for type, cell in zip(TYPES, row[2:], strict=True)]


@pytest.mark.parametrize(("type", "to", "online", "expected"), cells())
def test_every_cell_of_the_message_table_holds(type: str, to: str, online: str, expected: str) -> None:
    resource = "" if to == "bare" else to
    recipients = message_recipients(type, resource, sessions(online))
    if expected.isupper():
        assert list(recipients) == []
        assert message_undelivered(type, resource) is Undelivered[expected]
    else:
        assert [session.resource for session in recipients] == expected.split()


@pytest.mark.parametrize("type", ["", "unavailable", "error"])
@pytest.mark.parametrize(
    ("resource", "online", "expected"),
    [
        ("", "none at all", []),
        ("", "connected only", []),
        ("", "negative", ["negative"]),
        ("", "many", ["phone", "laptop", "watch", "negative"]),
        ("gone", "many", []),
        ("phone", "many", ["phone"]),
        ("negative", "many", ["negative"]),
        ("connected", "many", ["connected"]),
    ],
)
def test_presence_goes_to_all_that_are_available_or_to_the_one_it_is_for(
    type: str, resource: str, online: str, expected: list[str]
) -> None:
    recipients = presence_recipients(type, resource, sessions(online))
    assert [session.resource for session in recipients] == expected
    assert presence_undelivered(type) is Undelivered.IGNORE


@pytest.mark.parametrize("type", ["subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"])
@pytest.mark.parametrize("resource", ["", "phone", "gone"])
def test_subscriptions_and_probes_are_for_the_account(type: str, resource: str) -> None:
    assert list(presence_recipients(type, resource, sessions("many"))) == []
    assert presence_undelivered(type) is Undelivered.ACCOUNT


@pytest.mark.parametrize(
    ("type", "resource", "expected"),
    [
        ("get", "", "ACCOUNT"),
        ("set", "", "ACCOUNT"),
        ("result", "", "ACCOUNT"),
        ("error", "", "ACCOUNT"),
        ("get", "gone", "REFUSE"),
        ("set", "gone", "REFUSE"),
        ("result", "gone", "IGNORE"),
        ("error", "gone", "IGNORE"),
    ],
)
def test_an_iq_is_answered_for_the_account_or_by_the_very_resource(type: str, resource: str, expected: str) -> None:
    assert iq_undelivered(type, resource) is Undelivered[expected]


@pytest.mark.parametrize(
    ("kind", "type", "expected"),
    [
        ("message", "normal", "REFUSE"),
        ("message", "chat", "REFUSE"),
        ("message", "groupchat", "REFUSE"),
        ("message", "headline", "IGNORE"),
        ("message", "error", "IGNORE"),
        ("presence", "", "IGNORE"),
        ("presence", "unavailable", "IGNORE"),
        ("presence", "error", "IGNORE"),
        ("presence", "subscribe", "UNSUBSCRIBED"),
        ("presence", "subscribed", "IGNORE"),
        ("presence", "unsubscribe", "IGNORE"),
        ("presence", "unsubscribed", "IGNORE"),
        ("presence", "probe", "UNSUBSCRIBED"),
        ("iq", "get", "REFUSE"),
        ("iq", "set", "REFUSE"),
        ("iq", "result", "IGNORE"),
        ("iq", "error", "IGNORE"),
    ],
)
def test_what_is_for_nobody_is_refused_if_it_may_be(kind: str, type: str, expected: str) -> None:
    assert without_account(kind, type) is Undelivered[expected]
