"""An external component that says what a test has it say (XEP-0114)."""

from hashlib import sha1

from . import ns
from .stanzas import Element
from .wire import DEADLINE, Client, Link

NAMESPACE = "jabber:component:accept"


class Component(Client):
    """Like a client, but for its stream. What it sends needs a `to`; who it is from may be left out."""

    def __init__(self, link: Link, domain: str) -> None:
        super().__init__(link, domain)
        self.jid = domain

    def connect(self, secret: str) -> "Component":
        """Opens the stream and shakes hands."""
        self.begin()
        self.shake_hands(secret)
        self.expect("handshake")
        return self

    def begin(self, **attributes: str) -> dict[str, str]:
        """Sends a header; returns the attributes of the server's."""
        text = self.header_text(**{"xmlns": NAMESPACE, **attributes})
        self.open_with(text.replace(" version='1.0'>", ">").replace(' version="1.0">', ">"))
        return self.expect_header()

    def shake_hands(self, secret: str) -> None:
        """Proves that it knows that secret."""
        self.send(f"<handshake>{sha1((self.header['id'] + secret).encode()).hexdigest()}</handshake>")

    def next(self, timeout: float = DEADLINE) -> Element:
        """See Client; what is in the component's own namespace has a bare name."""
        element = super().next(timeout)
        for each in element.iter():
            each.tag = each.tag.removeprefix(f"{{{NAMESPACE}}}")
        return element

    def answer(self, iq: Element, payload: str = "") -> None:
        """The result of a request."""
        self.send(f"<iq type='result' id='{iq.get('id')}' from='{iq.get('to')}' to='{iq.get('from')}'>{payload}</iq>")

    def synchronise(self, server: str = "localhost") -> list[Element]:
        """What has come before the answer of the server to a ping."""
        return self.sync(server)


def is_ping(element: Element) -> bool:
    """Whether it is a request as in XEP-0199."""
    return element.tag == "iq" and element.find(f"{{{ns.PING}}}ping") is not None
