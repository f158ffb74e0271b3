"""Ad-hoc commands on the wire (XEP-0050)."""

from . import ns
from .stanzas import Element, error, find, quoteattr, text
from .wire import Client

Values = str | list[str]


def submit(**fields: Values) -> str:
    """A form that was filled in; `_` in a name stands for `-`."""
    xml = ""
    for name, values in fields.items():
        inside = "".join(f"<value>{each}</value>" for each in ([values] if isinstance(values, str) else values))
        xml += f"<field var='{name.replace('_', '-')}'>{inside}</field>"
    return f"<x xmlns='{ns.DATA}' type='submit'>{xml}</x>"


def command(node: str, action: str = "", session: str = "", inside: str = "") -> str:
    """A request."""
    attributes = f" node={quoteattr(node)}"
    attributes += f" action={quoteattr(action)}" if action else ""
    attributes += f" sessionid={quoteattr(session)}" if session else ""
    return f"<command xmlns='{ns.COMMANDS}'{attributes}>{inside}</command>"


class Execution:
    """One execution of a command by a client, as far as it has got; `answer` is the last `<command/>` that came."""

    def __init__(self, client: Client, node: str, to: str = "localhost") -> None:
        self._client, self._node, self._to = client, node, to
        self._send(command(node, "execute"))

    def _send(self, request: str) -> Element:
        answer = find(self._client.set(request, self._to), "commands:command")
        assert answer is not None
        self.answer = answer
        return answer

    @property
    def status(self) -> str:
        """executing, completed or canceled."""
        return self.answer.get("status", "")

    @property
    def session(self) -> str:
        """Its id."""
        return self.answer.get("sessionid", "")

    @property
    def note(self) -> str:
        """What people are told."""
        return text(self.answer, "commands:note") or ""

    def go(self, action: str = "", **fields: Values) -> Element:
        """Sends the form that was asked for, or an action without one."""
        inside = submit(**fields) if action not in ("prev", "cancel") else ""
        return self._send(command(self._node, action, self.session, inside))

    def refused(self, action: str = "", **fields: Values) -> tuple[str, str]:
        """(type, condition) of the error that answers the form."""
        return error(self._client.iq("set", command(self._node, action, self.session, submit(**fields)), self._to))


def run(client: Client, node: str, to: str = "localhost", **fields: Values) -> Execution:
    """Executes a command that asks for one form, or for none; it has to be done then."""
    execution = Execution(client, node, to)
    if fields:
        execution.go("complete", **fields)
    assert execution.status == "completed"
    return execution
