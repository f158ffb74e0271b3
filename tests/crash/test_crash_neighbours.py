"""A few of the federated rounds of `make crash`, and proof that they would find what they look for."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random, SystemRandom
from types import ModuleType

import pytest

from kit.crash import credulous_server, forgetful_server, hasty_server
from kit.crash.crowd import RANDOM_INSTANT, Plan
from kit.crash.inspection import DOUBLED, MISSING, UNSEEN
from kit.crash.neighbourhood import Neighbourhood, plan_of
from kit.crash.neighbours import GUESTS, HOST

pytestmark = pytest.mark.timeout(300)

Begin = Callable[[str], Neighbourhood]
PEOPLE, ROOMS = 4, 2


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Neighbourhood:
    """Two servers that have never run, with everybody's account."""
    made = Neighbourhood(tmp_path_factory.mktemp("accounts"), 0, HOST, PEOPLE, ROOMS)
    made.add_accounts()
    return made


@pytest.fixture
def begin(accounts: Neighbourhood, tmp_path: Path) -> Iterator[Begin]:
    """Begins rounds in which the server of that domain dies."""
    begun: list[Neighbourhood] = []

    def begin(victim: str) -> Neighbourhood:
        made = Neighbourhood(tmp_path, SystemRandom().randrange(1_000_000), victim, PEOPLE, ROOMS)
        begun.append(made)
        made.prepare(accounts)
        return made

    yield begin
    for neighbourhood in begun:
        neighbourhood.close()


@pytest.mark.parametrize("victim", [HOST, GUESTS])
def test_whoever_dies_everybody_is_still_in_and_has_everything(begin: Begin, victim: str) -> None:
    neighbourhood = begin(victim)
    outcomes = [neighbourhood.round(), neighbourhood.finish()]
    faults = [(outcome.number, outcome.died, fault) for outcome in outcomes for fault in outcome.faults]
    assert not faults, f"seed {neighbourhood.seed}"
    assert sum(outcome.counts["messages archived"] for outcome in outcomes) > 50
    assert sum(outcome.counts["sessions resumed"] for outcome in outcomes) >= 2 * PEOPLE


@pytest.mark.skipif("FERMATA_CHAOS" not in os.environ, reason="half a minute about the tests themselves: make chaos")
@pytest.mark.parametrize(
    ("program", "rule"), [(hasty_server, MISSING), (forgetful_server, UNSEEN), (credulous_server, DOUBLED)]
)
def test_a_server_that_is_wrong_is_found_out(begin: Begin, program: ModuleType, rule: str) -> None:
    neighbourhood, random = begin(HOST), Random(1)
    neighbourhood.patience = 3.0
    neighbourhood.victim.program = [sys.executable, str(program.__file__)]
    found: set[str] = set()
    # What is wrong happens at the one; the other leaves the time to notice.
    for plan in (Plan("after-commit", 20, 0.4), Plan(RANDOM_INSTANT, 0, 0.3)) * 3:
        found |= {fault.rule for fault in neighbourhood.play(plan, random).faults}
        if rule in found:
            return
    raise AssertionError(f"found {found or 'nothing'}")


def test_every_point_has_its_turn() -> None:
    plans = [plan_of(number, Random(number)) for number in range(1, 41)]
    assert len({plan.point for plan in plans}) == 5
    assert any(plan.delay < 0 for plan in plans)
