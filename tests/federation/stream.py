"""A stream between servers, on the wire: sends what a test says, and shows all that comes, in the order it came.

Either side of it: the one that connects (`Caller`) and the one that is connected to (`Callee`).
"""

import socket
import time
from collections.abc import Sequence

from OpenSSL import SSL

from kit import ns
from kit.ca import Issued
from kit.links import Link, SocketLink, TLSLink
from kit.stanzas import Element, quoteattr
from kit.wire import DEADLINE, Client


class AcceptedLink(SocketLink):
    """A connection that somebody else has made."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection


class ServerTLS(TLSLink):
    """TLS in either role, with a certificate; whatever certificate the other side shows is accepted."""

    def __init__(self, link: Link, issued: Issued, *, calls: str = "", alpn: Sequence[bytes] = ()) -> None:
        """`calls` is the domain that is asked for; without it, this is the side that is called."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        context.use_certificate(issued.certificate)
        context.use_privatekey(issued.key)
        if alpn:
            context.set_alpn_protos(list(alpn))
        self.link = link
        self.connection = SSL.Connection(context, None)
        if calls:
            self.connection.set_tlsext_host_name(calls.encode())
            self.connection.set_connect_state()
        else:
            self.connection.set_accept_state()
        self._handshake(time.monotonic() + DEADLINE)


class ServerStream(Client):
    """`ours` is the domain that the test speaks for, `theirs` the one of the server under test."""

    def __init__(self, link: Link, ours: str, theirs: str, issued: Issued) -> None:
        super().__init__(link, theirs)
        self.ours, self.theirs, self.issued = ours, theirs, issued

    def _take(self, event: str, element: Element) -> None:
        super()._take(event, element)
        if self._inbox and self._inbox[-1] is element:
            for each in element.iter():
                each.tag = each.tag.removeprefix(f"{{{ns.SERVER}}}")

    def header_text(self, **attributes: str) -> str:
        """A stream header; its attributes may be replaced."""
        own = {"xmlns": ns.SERVER, "xmlns:db": ns.DIALBACK, "from": self.ours, "to": self.theirs, "version": "1.0"}
        pairs = own | {name.rstrip("_"): value for name, value in attributes.items()}
        written = " ".join(f"{name}={quoteattr(value)}" for name, value in pairs.items())
        return f"<?xml version='1.0'?><stream:stream xmlns:stream='{ns.STREAMS}' {written}>"

    def dialback(self, name: str, content: str = "", **attributes: str) -> None:
        """Send `<db:result/>` or `<db:verify/>`, from our domain to theirs if nothing else is said."""
        pairs = {"from": self.ours, "to": self.theirs} | {key.rstrip("_"): value for key, value in attributes.items()}
        written = " ".join(f"{key}={quoteattr(value)}" for key, value in pairs.items())
        self.send(f"<db:{name} {written}>{content}</db:{name}>")


class Caller(ServerStream):
    """The side that connects."""

    def __init__(self, address: str, port: int, ours: str, theirs: str, issued: Issued) -> None:
        super().__init__(SocketLink((address, port)), ours, theirs, issued)

    def start_tls(self, name: str = "", **_: object) -> None:
        """Negotiate TLS and open the stream again."""
        self.encrypt()
        self.open()

    def encrypt(self) -> None:
        """Negotiate TLS."""
        self.send(f"<starttls xmlns='{ns.TLS}'/>")
        self.expect("tls:proceed")
        self.link = ServerTLS(self.link, self.issued, calls=self.theirs)

    def secured(self) -> None:
        """Up to the features after TLS."""
        self.open()
        self.start_tls()

    def proven(self) -> None:
        """Up to the point where stanzas may be sent, by our certificate."""
        self.secured()
        assert "EXTERNAL" in self.mechanisms, "our certificate does not count"
        self.auth("EXTERNAL", b"")
        self.expect("sasl:success")
        self.open()


class Callee(ServerStream):
    """The side that is connected to. Whom it belongs to, the header of the other side says."""

    def __init__(self, connection: socket.socket, issued: Issued) -> None:
        super().__init__(AcceptedLink(connection), "", "", issued)

    def answer_header(self, features: str, id: str = "an-id") -> None:
        """Read the other side's header; send ours, and these features."""
        header = self.expect_header()
        self.ours, self.theirs = header.get("to", ""), header.get("from", "")
        self.send(self.header_text(id=id) + f"<stream:features>{features}</stream:features>")

    def take_tls(self) -> None:
        """Offer TLS, and get it."""
        self.answer_header(f"<starttls xmlns='{ns.TLS}'><required/></starttls>")
        self.expect("tls:starttls")
        self.send(f"<proceed xmlns='{ns.TLS}'/>")
        self.link = ServerTLS(self.link, self.issued)
        self.restart()
