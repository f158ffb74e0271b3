"""Ad-hoc commands (XEP-0050): what a command asks, and how far each requester has got with one.

A command is a function of the forms that were filled in so far: it says what to ask next, or what came of it. So going
back is forgetting the last form, and nothing has happened before the last one is in.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..xmpp import namespaces as ns
from ..xmpp.dataforms import DATA_FORM, Form
from ..xmpp.element import E, Element, child
from ..xmpp.errors import StanzaError
from ..xmpp.jid import JID

COMMAND: Final = "{%s}command" % ns.COMMANDS
EXPIRY_SECONDS: Final = 600.0  #: how long somebody may think about a form
_SESSIONS_MAX: Final = 1_000
_SESSIONS_OF_ONE_MAX: Final = 10
_ACTIONS: Final = frozenset({"", "execute", "next", "prev", "complete", "cancel"})
_NOTES: Final = frozenset({"info", "warn", "error"})


class Invocation(NamedTuple):
    """Who executes a command at which domain, and the forms that were filled in so far."""

    sender: JID
    domain: str
    answers: tuple[Form, ...] = ()


class Stage(NamedTuple):
    """The command asks this; with `is_last`, what it is told is all that it needs."""

    form: Form
    is_last: bool = True


class Done(NamedTuple):
    """The command is done: a sentence for people, a result for both; `kind` is info, warn or error."""

    note: str = ""
    form: Form | None = None
    kind: str = "info"


Perform = Callable[[Invocation], Awaitable[Stage | Done]]


class Command(NamedTuple):
    """A command: its node, its name for people, what it does, and who may execute it."""

    node: str
    name: str
    perform: Perform
    allows: Callable[[JID], bool]


class Request(NamedTuple):
    """A `<command/>` as it came."""

    node: str
    action: str
    sessionid: str
    form: Form | None

    @classmethod
    def parse(cls, element: Element) -> "Request":
        """Raises StanzaError `bad-request` with `malformed-action` or `bad-payload` (§4.4)."""
        action = element.get("action", "")
        if action not in _ACTIONS:
            raise _bad("malformed-action", "there is no such action")
        found = child(element, DATA_FORM)
        try:
            form = None if found is None else Form.parse(found)
        except StanzaError:
            raise _bad("bad-payload", "the form is none") from None
        return cls(element.get("node", ""), action, element.get("sessionid", ""), form)


@dataclass(slots=True)
class Session:
    """One execution of a command with several stages: who, what, how far, and until when it is remembered."""

    id: str
    sender: JID
    command: Command
    answers: list[Form] = field(default_factory=list)
    is_last: bool = False
    due: float = 0.0


class Turn(NamedTuple):
    """What is to be done for a request: perform the command with these answers; None: it was cancelled."""

    session: Session
    answers: tuple[Form, ...] | None


class CommandSessions:
    """All executions that wait for a form, each bound to its requester's full JID."""

    def __init__(self) -> None:
        self._all: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._all)

    def take(self, command: Command, request: Request, sender: JID, new_id: str, now: float) -> Turn:
        """Takes a request for a command, whose sender may execute it.

        Raises StanzaError, with the conditions of §4.4: `bad-sessionid`, `session-expired`, `bad-action`,
        `bad-payload`; `resource-constraint` where too many are open.
        """
        if not request.sessionid:
            return self._begin(command, request, sender, new_id, now)
        session = self._all.get(request.sessionid)
        if session is None or session.sender != sender or session.command.node != command.node:
            raise _bad("bad-sessionid", "there is no such session of yours")
        if session.due <= now:
            del self._all[session.id]
            raise StanzaError("not-allowed", "you have waited too long", detail=_clark("session-expired"))
        if request.action == "cancel":
            del self._all[session.id]
            return Turn(session, None)
        if request.action == "prev":
            if not session.answers:
                raise _bad("bad-action", "there is nothing before this")
            return Turn(session, tuple(session.answers[:-1]))
        return Turn(session, (*session.answers, self._answer(session, request)))

    def _begin(self, command: Command, request: Request, sender: JID, new_id: str, now: float) -> Turn:
        if request.action not in ("", "execute"):
            raise _bad("bad-action", "a command is executed first")
        for old in [each for each in self._all.values() if each.due <= now]:
            del self._all[old.id]
        own = sum(each.sender == sender for each in self._all.values())
        if own >= _SESSIONS_OF_ONE_MAX or len(self._all) >= _SESSIONS_MAX:
            raise StanzaError("resource-constraint", "too many commands wait for an answer")
        # Who knows the form already may send it at once (§3.1 does not forbid it).
        answers = (request.form,) if request.form is not None and request.form.type == "submit" else ()
        return Turn(Session(new_id, sender, command), answers)

    def _answer(self, session: Session, request: Request) -> Form:
        wanted = "complete" if session.is_last else "next"
        if request.action not in ("", "execute", wanted):
            raise _bad("bad-action", f"{wanted} is what comes now")
        if request.form is None or request.form.type != "submit":
            raise _bad("bad-payload", "a form that was filled in is missing")
        return request.form

    def settle(self, turn: Turn, outcome: Stage | Done, now: float) -> Element:
        """The answer to a request, once the command has been performed: its session goes on, or is over."""
        session = turn.session
        if isinstance(outcome, Done):
            self._all.pop(session.id, None)
            return completed(session, outcome)
        session.answers = list(turn.answers or ())
        session.is_last, session.due = outcome.is_last, now + EXPIRY_SECONDS
        self._all[session.id] = session
        default = "complete" if outcome.is_last else "next"
        actions = E(_clark("actions"), {"execute": default})
        if session.answers:
            actions.append(Element(_clark("prev")))
        actions.append(Element(_clark(default)))
        return _command(session, "executing", actions, outcome.form.element())


def completed(session: Session, done: Done) -> Element:
    """The `<command/>` that says how it has ended."""
    assert done.kind in _NOTES
    inside = []
    if done.form is not None:
        inside.append(done.form.element())
    if done.note:
        inside.append(E(_clark("note"), {"type": done.kind}, done.note))
    return _command(session, "completed", *inside)


def canceled(session: Session) -> Element:
    """The `<command/>` that says that it was cancelled, spelt as the XEP does."""
    return _command(session, "canceled")


def _command(session: Session, status: str, *inside: Element) -> Element:
    return E(COMMAND, {"node": session.command.node, "sessionid": session.id, "status": status}, *inside)


def _clark(name: str) -> str:
    return "{%s}%s" % (ns.COMMANDS, name)


def _bad(condition: str, text: str) -> StanzaError:
    return StanzaError("bad-request", text, detail=_clark(condition))


class CommandTable:
    """The commands that a domain of this server offers, by node."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def add(self, command: Command) -> None:
        """Offers a command. Raises ValueError if there is one with that node."""
        if command.node in self._commands:
            raise ValueError(f"two commands with the node {command.node}")
        self._commands[command.node] = command

    def get(self, node: str) -> Command | None:
        """The command with that node."""
        return self._commands.get(node)

    def allowed(self, sender: JID) -> Mapping[str, Command]:
        """What somebody may execute."""
        return {node: command for node, command in self._commands.items() if command.allows(sender)}
