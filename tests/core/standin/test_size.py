"""What a stand-in costs whose account is off line."""

import tracemalloc

from kit.standins import Stage

KB_FOR_EACH = 6
ROOMS = 100


def _one() -> Stage:
    stage = Stage()
    stage.wished()
    stage.do(stage.stand_in.again("Ann"))
    stage.lets_in()
    for number in range(60):
        stage.message(f"what is said, for example {number}", id=f"id-of-the-message-{number}")
    stage.clear()
    return stage


def test_a_stand_in_is_small() -> None:
    _one()
    tracemalloc.start()
    stages = [_one() for _ in range(ROOMS)]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken / len(stages) < KB_FOR_EACH * 1024
