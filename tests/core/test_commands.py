"""How executions of commands go on, back, and come to an end (XEP-0050), without any I/O."""

import pytest

from fermata.core.commands import (
    COMMAND,
    EXPIRY_SECONDS,
    Command,
    CommandSessions,
    CommandTable,
    Done,
    Request,
    Stage,
    canceled,
)
from fermata.xmpp import namespaces as ns
from fermata.xmpp.dataforms import Field, Form
from fermata.xmpp.element import E, Element, child
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.jid import JID

JULIET = JID.parse("juliet@localhost/balcony")
ROMEO = JID.parse("romeo@localhost/orchard")
FORM = Form("form", "x", (Field.text_single("a"),))
SUBMIT = Form("submit", "x", (Field.text_single("a", "b"),))


async def nothing(invocation) -> Done:
    return Done()


COMMAND_X = Command("x", "X", nothing, lambda jid: jid == JULIET)


def request(action: str = "", session: str = "", form: Form | None = None) -> Request:
    return Request("x", action, session, form)


@pytest.fixture
def sessions() -> CommandSessions:
    return CommandSessions()


def begin(sessions: CommandSessions, outcome: Stage | Done, now: float = 0.0, id: str = "s") -> Element:
    turn = sessions.take(COMMAND_X, request("execute"), JULIET, id, now)
    assert turn.answers == ()
    return sessions.settle(turn, outcome, now)


def actions(answer: Element) -> tuple[str, list[str]]:
    found = child(answer, "{%s}actions" % ns.COMMANDS)
    assert found is not None
    return found.get("execute", ""), [item.tag.partition("}")[2] for item in found]


def refusal(sessions: CommandSessions, asked: Request, sender: JID = JULIET, now: float = 0.0) -> tuple[str, str]:
    with pytest.raises(StanzaError) as caught:
        sessions.take(COMMAND_X, asked, sender, "new", now)
    return caught.value.condition, caught.value.detail.partition("}")[2]


def test_a_command_that_asks_nothing_is_done_at_once(sessions: CommandSessions) -> None:
    answer = begin(sessions, Done("it is done", SUBMIT, "warn"))
    assert answer.tag == COMMAND
    assert dict(answer.attrib) == {"node": "x", "sessionid": "s", "status": "completed"}
    note = child(answer, "{%s}note" % ns.COMMANDS)
    assert note is not None
    assert (note.get("type"), note.text) == ("warn", "it is done")
    assert len(sessions) == 0


def test_stages_lead_to_the_end_and_back(sessions: CommandSessions) -> None:
    first = begin(sessions, Stage(FORM, is_last=False))
    assert first.get("status") == "executing"
    assert actions(first) == ("next", ["next"])
    turn = sessions.take(COMMAND_X, request("next", "s", SUBMIT), JULIET, "new", 1.0)
    assert turn.answers == (SUBMIT,)
    assert actions(sessions.settle(turn, Stage(FORM), 1.0)) == ("complete", ["prev", "complete"])
    back = sessions.take(COMMAND_X, request("prev", "s"), JULIET, "new", 2.0)
    assert back.answers == ()
    assert actions(sessions.settle(back, Stage(FORM, is_last=False), 2.0)) == ("next", ["next"])
    for _ in range(2):
        turn = sessions.take(COMMAND_X, request("", "s", SUBMIT), JULIET, "new", 3.0)
        sessions.settle(turn, Stage(FORM), 3.0)
    turn = sessions.take(COMMAND_X, request("complete", "s", SUBMIT), JULIET, "new", 4.0)
    assert turn.answers == (SUBMIT, SUBMIT, SUBMIT)
    assert sessions.settle(turn, Done(), 4.0).get("status") == "completed"
    assert refusal(sessions, request("", "s", SUBMIT)) == ("bad-request", "bad-sessionid")


def test_a_form_that_was_refused_can_be_sent_again(sessions: CommandSessions) -> None:
    begin(sessions, Stage(FORM))
    for _ in range(2):  # what the command raises reaches the requester without `settle`
        assert sessions.take(COMMAND_X, request("complete", "s", SUBMIT), JULIET, "new", 1.0).answers == (SUBMIT,)


def test_a_command_is_cancelled(sessions: CommandSessions) -> None:
    begin(sessions, Stage(FORM))
    turn = sessions.take(COMMAND_X, request("cancel", "s"), JULIET, "new", 1.0)
    assert turn.answers is None
    assert canceled(turn.session).get("status") == "canceled"
    assert refusal(sessions, request("cancel", "s"))[1] == "bad-sessionid"


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        (request("next", "s", SUBMIT), "bad-action"),
        (request("prev", "s"), "bad-action"),
        (request("complete", "s"), "bad-payload"),
        (request("complete", "s", FORM), "bad-payload"),
        (request("complete", "other", SUBMIT), "bad-sessionid"),
        (request("next"), "bad-action"),
        (request("cancel"), "bad-action"),
    ],
)
def test_what_does_not_fit_is_refused(sessions: CommandSessions, asked: Request, detail: str) -> None:
    begin(sessions, Stage(FORM))
    assert refusal(sessions, asked) == ("bad-request", detail)


def test_nobody_else_can_go_on_with_an_execution(sessions: CommandSessions) -> None:
    begin(sessions, Stage(FORM))
    for other in (ROMEO, JID.parse("juliet@localhost/chamber")):
        assert refusal(sessions, request("complete", "s", SUBMIT), other) == ("bad-request", "bad-sessionid")
    another = COMMAND_X._replace(node="y")
    with pytest.raises(StanzaError, match="no such session"):
        sessions.take(another, request("complete", "s", SUBMIT), JULIET, "new", 0.0)


def test_an_execution_is_forgotten_in_time(sessions: CommandSessions) -> None:
    begin(sessions, Stage(FORM))
    late = request("complete", "s", SUBMIT)
    assert refusal(sessions, late, now=EXPIRY_SECONDS) == ("not-allowed", "session-expired")
    begin(sessions, Stage(FORM), id="a")
    begin(sessions, Stage(FORM), now=EXPIRY_SECONDS, id="b")
    assert len(sessions) == 1


def test_nobody_fills_the_memory_with_executions(sessions: CommandSessions) -> None:
    for number in range(10):
        begin(sessions, Stage(FORM), id=str(number))
    assert refusal(sessions, request())[0] == "resource-constraint"
    for number in range(10, 1_000):
        turn = sessions.take(COMMAND_X, request(), JID.parse(f"j@x/{number}"), str(number), 0.0)
        sessions.settle(turn, Stage(FORM), 0.0)
    assert refusal(sessions, request(), ROMEO)[0] == "resource-constraint"
    begin(sessions, Stage(FORM), now=EXPIRY_SECONDS)


@pytest.mark.parametrize(
    ("element", "detail"),
    [
        (E(COMMAND, {"action": "jump"}), "malformed-action"),
        (E(COMMAND, None, E("{%s}x" % ns.DATA_FORMS, {"type": "nonsense"})), "bad-payload"),
    ],
)
def test_a_request_that_means_nothing_is_refused(element: Element, detail: str) -> None:
    with pytest.raises(StanzaError) as caught:
        Request.parse(element)
    assert caught.value.detail == "{%s}%s" % (ns.COMMANDS, detail)


def test_two_commands_cannot_have_one_node() -> None:
    table = CommandTable()
    table.add(COMMAND_X)
    assert table.get("x") is COMMAND_X
    assert table.allowed(JULIET) == {"x": COMMAND_X}
    assert table.allowed(ROMEO) == {}
    with pytest.raises(ValueError, match="two commands"):
        table.add(COMMAND_X)
