"""A few rounds of `make crash`, and proof that it would find what it looks for."""

import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from random import Random, SystemRandom

import pytest

from kit.crash import hasty_server
from kit.crash.campaign import Campaign
from kit.crash.crowd import RANDOM_INSTANT, Plan
from kit.crash.deeds import Message
from kit.crash.inspection import (
    CHANGES,
    DATABASE,
    DOUBLED,
    HANDLED,
    LOST,
    MISSING,
    ORDER,
    SPOOL,
    UNKEPT,
    UNSEEN,
    Fault,
)
from kit.crash.participant import Participant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Start = Callable[[str], Campaign]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the accounts and rooms of a campaign."""
    directory = tmp_path_factory.mktemp("prepared")
    Campaign(directory, 0).prepare()
    return directory


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Start]:
    """Begins a campaign of that variation."""
    begun: list[Campaign] = []

    def begin(variation: str) -> Campaign:
        campaign = Campaign(tmp_path_factory.mktemp(variation), SystemRandom().randrange(1_000_000), variation)
        begun.append(campaign)
        campaign.prepare_like(prepared)
        return campaign

    yield begin
    for campaign in begun:
        campaign.close()


@pytest.mark.parametrize(("variation", "rounds"), [("archive", 3), ("power", 2), ("spool", 2)])
def test_kill_at_any_instant_loses_nothing_that_was_acked_or_seen(start: Start, variation: str, rounds: int) -> None:
    campaign = start(variation)
    outcomes = [campaign.round() for _ in range(rounds)]
    outcomes.append(campaign.finish())
    faults = [(outcome.number, outcome.died, fault) for outcome in outcomes for fault in outcome.faults]
    assert not faults, f"seed {campaign.seed}"
    assert sum(outcome.counts["messages acked"] for outcome in outcomes) > 100
    assert sum(outcome.counts["sessions resumed"] for outcome in outcomes) > 10


def test_a_server_that_tells_before_it_writes_is_found_out(start: Start) -> None:
    campaign = start("archive")
    campaign.server.program = [sys.executable, hasty_server.__file__]
    died, participants = campaign.play(Plan(RANDOM_INSTANT, 0, 0.5), Random(1))
    rules = {fault.rule for fault in campaign.inspection(campaign.snapshot(), participants).faults()}
    assert died == RANDOM_INSTANT
    assert rules >= {MISSING, UNKEPT, HANDLED, CHANGES["roster"]}


def test_a_server_that_forgets_its_sessions_is_found_out(start: Start) -> None:
    campaign = start("archive")
    campaign.round()
    for log in (campaign.directory / "var").glob("sessions-*.log"):
        log.unlink()
    campaign.welcome_back()
    assert {fault.rule for fault in campaign.faults_of_the_return()} == {LOST}


def test_a_message_that_a_session_never_got_is_found_out(start: Start) -> None:
    campaign = start("archive")
    _, participants = campaign.play(Plan(RANDOM_INSTANT, 0, 0.5), Random(3))
    reader = next(each for each in participants if each.sm_id and len(each.chats) > 2)
    inspection = campaign.inspection(campaign.snapshot(), participants)
    lost = Fault(UNSEEN, f"{reader.jid} never got {reader.chats[1].text!r}")
    assert lost not in inspection.returned(reader, inspection.counted(reader))
    del reader.chats[1]
    assert lost in inspection.returned(reader, inspection.counted(reader))


# What a faulty server could have left on the disk, as SQL over what a good one did, and what is to be said of it.
# `:acked` is the body of a message to a room that was acked, `:floor` the newest message of the rounds before.
SABOTAGE = {
    MISSING: "DELETE FROM archive WHERE xml LIKE :acked",
    UNKEPT: "UPDATE archive SET seq = -seq WHERE seq > :floor AND other IS NULL",
    DOUBLED: "INSERT INTO archive SELECT seq + 1000000, stamp, owner, other, sender, recipient, keep, xml FROM archive"
    " WHERE xml LIKE :acked",
    ORDER: "UPDATE archive SET owner = (SELECT owner FROM archive WHERE xml LIKE :acked), other = NULL WHERE seq ="
    " (SELECT min(seq) FROM archive WHERE other > 0 AND seq > (SELECT seq FROM archive WHERE xml LIKE :acked))",
    SPOOL: "DELETE FROM spool",
    CHANGES["roster"]: "UPDATE roster_item SET name = 'nobody' WHERE jid LIKE 'nobody1@%'",
    CHANGES["affiliation"]: "DELETE FROM affiliation WHERE affiliation = 'owner'",
    CHANGES["configuration"]: "UPDATE room SET config = json_set(config, '$.roomdesc', 'older')",
    CHANGES["occupancy"]: "DELETE FROM occupancy WHERE jid LIKE '%/r2'",
    HANDLED: "UPDATE handled SET h = h / 2",
    DATABASE: "DELETE FROM archive WHERE seq = :floor",
}


@pytest.fixture(scope="module")
def played(start: Start) -> tuple[Campaign, list[Participant]]:
    """A campaign after one whole round, and who was there in a second one that was not inspected yet."""
    campaign = start("archive")
    campaign.round()
    return campaign, campaign.play(Plan(RANDOM_INSTANT, 0, 0.6), Random(2))[1]


def faults_after(played: tuple[Campaign, list[Participant]], sabotage: str) -> list[Fault]:
    campaign, participants = played
    acked = next(
        deed.id
        for each in participants
        for deed in each.sent[: each.acked]
        if isinstance(deed, Message) and deed.is_groupchat
    )
    snapshot, ledger = campaign.snapshot(), deepcopy(campaign.ledger)
    snapshot.connection.execute(sabotage, {"acked": f"%<body>{acked}%", "floor": ledger.newest})
    faults = list(campaign.inspection(snapshot, participants).faults())
    campaign.ledger = ledger
    snapshot.close()
    return faults


@pytest.mark.parametrize("rule", SABOTAGE)
def test_each_fault_is_found(played: tuple[Campaign, list[Participant]], rule: str) -> None:
    assert rule in {fault.rule for fault in faults_after(played, SABOTAGE[rule])}


def test_nothing_is_found_where_nothing_is_wrong(played: tuple[Campaign, list[Participant]]) -> None:
    assert faults_after(played, "SELECT 1") == []


def test_every_point_has_its_turn() -> None:
    plans = [Plan.of(number, Random(number)) for number in range(1, 11)]
    assert len({plan.point for plan in plans}) == 5
    assert all(bool(plan.environment) == (plan.point != RANDOM_INSTANT) for plan in plans)
