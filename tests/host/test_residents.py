"""What is loaded on demand, from a storage that takes its time."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any

import pytest

from fermata.host.residents import Residents
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID

JULIET = JID.parse("juliet@localhost")


class Answer:
    """An answer of storage that is not here yet."""

    def __await__(self) -> Generator["Answer", str | None, str | None]:
        return (yield self)


class Storage:
    """Residents are strings; each is loaded when the test says so."""

    def __init__(self) -> None:
        self.loading: list[Coroutine[Any, Any, Any]] = []
        self.residents: Residents[str] = Residents(self._load, lambda resident: False, self.start)

    async def _load(self, jid: JID) -> str | None:
        return await Answer()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        work.send(None)
        self.loading.append(work)

    def answer(self, resident: str | None, number: int = 0) -> object:
        """What that load was begun for, if it was begun by `fetch`."""
        return self._go_on(number, lambda work: work.send(resident))

    def fail(self, number: int = 0) -> object:
        return self._go_on(number, lambda work: work.throw(OSError("the connection is lost")))

    def _go_on(self, number: int, how: Callable[[Coroutine[Any, Any, Any]], object]) -> object:
        work = self.loading.pop(number)
        try:
            how(work)
        except StopIteration as result:
            return result.value
        self.loading.insert(number, work)
        return "loads again"


class Line:
    """Who has had his turn, with what."""

    def __init__(self, residents: Residents[str]) -> None:
        self._residents = residents
        self.turns: list[tuple[str, str | None]] = []
        self.refused: list[str] = []

    def join(self, who: str) -> None:
        self._residents.use(
            JULIET, lambda resident: self.turns.append((who, resident)), lambda error: self.refused.append(who)
        )


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture
def line(storage: Storage) -> Line:
    return Line(storage.residents)


def test_who_is_faster_brings_it_in_for_the_whole_line_and_nobody_overtakes(storage: Storage, line: Line) -> None:
    line.join("first")
    storage.start(storage.residents.fetch(JULIET))
    line.join("second")
    assert storage.answer("Juliet", 1) == "Juliet"
    assert line.turns == [("first", "Juliet"), ("second", "Juliet")]
    storage.answer("another Juliet")
    line.join("third")
    assert line.turns[2:] == [("third", "Juliet")]


def test_who_comes_while_it_is_fetched_stands_in_line_for_the_same_one(storage: Storage, line: Line) -> None:
    storage.start(storage.residents.fetch(JULIET))
    line.join("first")
    assert len(storage.loading) == 1
    assert storage.answer("Juliet") == "Juliet"
    assert line.turns == [("first", "Juliet")]


def test_what_was_read_before_one_was_dropped_is_read_again(storage: Storage, line: Line) -> None:
    storage.start(storage.residents.fetch(JULIET))
    storage.residents.put(JULIET, "Juliet")
    storage.residents.drop(JULIET)
    assert storage.answer("Juliet as she was") == "loads again"
    assert storage.answer("Juliet as she is") == "Juliet as she is"


def test_one_whose_turn_fails_does_not_hold_up_those_behind(
    storage: Storage, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    storage.residents.use(JULIET, lambda resident: [][1], lambda error: None)
    line.join("second")
    storage.answer("Juliet")
    line.join("third")
    assert line.turns == [("second", "Juliet"), ("third", "Juliet")]
    assert "what was to be done with juliet@localhost failed" in caplog.text


def test_where_storage_fails_everybody_is_refused_and_the_next_may_try(storage: Storage, line: Line) -> None:
    storage.start(storage.residents.fetch(JULIET))
    line.join("first")
    with pytest.raises(OSError, match="lost"):
        storage.fail()
    assert line.refused == ["first"]
    line.join("second")
    storage.answer(None)
    assert line.turns == [("second", None)]


def test_the_refusal_says_that_it_may_be_better_later(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    errors: list[StanzaError] = []
    storage.residents.use(JULIET, lambda resident: None, errors.append)
    storage.fail()
    assert [(error.condition, error.type) for error in errors] == [("internal-server-error", "wait")]
