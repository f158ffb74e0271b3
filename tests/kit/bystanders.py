"""Two people who talk while somebody else misbehaves: what a hostile client costs others is seen on them."""

from dataclasses import dataclass

from . import ns
from .stanzas import error, show
from .wire import Client, StreamClosed

BODY = "<body>hello</body>"


@dataclass
class Bystanders:
    """Two people who talk to each other."""

    romeo: Client
    juliet: Client
    said: int = 0

    def talk(self) -> None:
        """A message there and one back, and nothing else has come."""
        for sender, receiver in ((self.romeo, self.juliet), (self.juliet, self.romeo)):
            self.said += 1
            sender.send(f"<message type='chat' to='{receiver.jid}' id='{self.said}'>{BODY}</message>")
            receiver.expect("message", "body", id=str(self.said), from_=sender.jid)


def ended(client: Client) -> str:
    """The condition of the stream error that ends the stream; "cut" if the connection ends without one."""
    try:
        error = client.wait_for(lambda element: element.tag == f"{{{ns.STREAMS}}}error")
    except AssertionError as problem:
        if isinstance(problem.__cause__, StreamClosed):
            return "cut"
        raise
    client.wait_for_end()
    return error[0].tag.split("}")[1]


def refused(client: Client, *conditions: str) -> None:
    """The stanza just sent is answered by policy-violation and the stream goes on, or it ends the stream."""
    element = client.next()
    if element.tag == "message":
        assert error(element)[1] == "policy-violation", show(element)
        client.sync()
    else:
        names = [child.tag.split("}")[1] for child in element]
        assert names[0] in {"policy-violation", *conditions}, show(element)
        client.wait_for_end()


def pour(client: Client, octets: bytes) -> None:
    """Send it, however early the server may stop reading."""
    try:
        client.link.send(octets)
    except (ConnectionError, TimeoutError):
        return
