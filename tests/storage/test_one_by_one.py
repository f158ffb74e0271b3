"""Long reads share the turns of the reactor."""

from twisted.internet.defer import Deferred

from fermata.storage.one_by_one import OneByOne
from kit.turns import Turns


def test_whoever_waits_goes_on_in_order_and_one_in_each_turn() -> None:
    turns = Turns()
    one_by_one = OneByOne(turns)
    went: list[str] = []

    async def read(name: str) -> None:
        for part in range(3):
            await one_by_one()
            went.append(f"{name}{part}")

    for name in ("a", "b"):
        Deferred.fromCoroutine(read(name))
    for number in range(6):
        turns.end_turn()
        assert len(went) == number + 1
    assert went == ["a0", "b0", "a1", "b1", "a2", "b2"]
    Deferred.fromCoroutine(read("c"))
    for _ in range(3):
        turns.end_turn()
    assert went[6:] == ["c0", "c1", "c2"]
