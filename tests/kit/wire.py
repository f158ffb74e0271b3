"""A synchronous XMPP client that sends what it is told and shows everything that comes, in the order it came."""

import base64
import itertools
import time
from collections import deque
from collections.abc import Callable
from xml.etree.ElementTree import ParseError, XMLPullParser

from . import ns
from .links import DEADLINE, Link, SocketLink, TLSLink
from .scram import Scram
from .stanzas import Check, Element, error, escape, find, mismatch, quoteattr, show

__all__ = ["DEADLINE", "Client", "Link", "SocketLink", "StreamClosed", "TLSLink"]

_NUMBERS = itertools.count(1)


class StreamClosed(Exception):  # noqa: N818 (a fact that some tests want to see)
    """The server has ended the stream; `politely` is whether it sent `</stream:stream>` first."""

    def __init__(self, politely: bool) -> None:
        super().__init__("the server closed the stream" if politely else "the server cut the connection")
        self.politely = politely


class Client:
    """One connection, from its first byte. What a test does not ask for does not happen by itself.

    One exception: once stream management is on, `<r/>` is answered and neither it nor `<a/>` is shown, unless
    `transparent` is set.
    """

    def __init__(self, link: Link, domain: str = "localhost") -> None:
        self.link = link
        self.domain = domain
        self.jid = ""
        self.header: dict[str, str] = {}
        self.features: Element = Element("none")
        self.handled = 0  # stanzas received since <enabled/>
        self.acked = 0  # the last h that the server sent
        self.managed = False
        self.transparent = False
        self._inbox: deque[Element] = deque()
        self.restart()

    # Addresses

    @property
    def bare(self) -> str:
        return self.jid.split("/")[0]

    @property
    def resource(self) -> str:
        return self.jid.split("/")[1]

    # Bytes in and out

    def send(self, xml: str) -> None:
        """Write that text as it stands."""
        self.link.send(xml.encode())

    def next(self, timeout: float = DEADLINE) -> Element:
        """The next element of the stream. Raises TimeoutError or StreamClosed."""
        deadline = time.monotonic() + timeout
        while True:
            while not self._inbox:
                self._read(deadline)
            element = self._inbox.popleft()
            if self.transparent or not self._is_acknowledgement(element):
                return element

    def _read(self, deadline: float) -> None:
        if self._closed:
            raise StreamClosed(politely=True)
        octets = self.link.receive(deadline)
        if not octets:
            raise StreamClosed(politely=False)
        try:
            self._parser.feed(octets)
            if hasattr(self._parser, "flush"):
                self._parser.flush()
        except ParseError as problem:
            raise AssertionError(f"the server sent broken XML ({problem}): {octets!r}") from problem
        for event, element in self._parser.read_events():
            self._take(event, element)

    def _take(self, event: str, element: Element) -> None:
        self._depth += 1 if event == "start" else -1
        if event == "start" and self._depth == 1:
            assert element.tag == f"{{{ns.STREAMS}}}stream", f"the server's stream begins with {show(element)}"
            self.header = dict(element.attrib)
            self._root = element
        elif event == "end" and self._depth == 0:
            self._closed = True
        elif event == "end" and self._depth == 1:
            self._root.remove(element)
            for each in element.iter():
                each.tag = each.tag.removeprefix(f"{{{ns.CLIENT}}}")
            element.tail = None
            if self.managed and element.tag in ("message", "presence", "iq"):
                self.handled += 1
            self._inbox.append(element)

    def restart(self) -> None:
        """Read what comes from here on as a new stream."""
        self.header = {}
        self._parser = XMLPullParser(("start", "end"))
        self._depth = 0
        self._closed = False
        self._root = Element("none")

    def close(self) -> None:
        """End the stream and the connection, waiting for the server's `</stream:stream>`."""
        try:
            self.send("</stream:stream>")
            while True:
                self.next()
        except (StreamClosed, OSError):
            self.link.close()

    def cut(self) -> None:
        """Lose the connection without a word."""
        self.link.close()

    # What comes

    def expect(self, kind: str, *checks: Check, timeout: float = DEADLINE, **attributes: str | None) -> Element:
        """The next element, which has to be such a one: see `stanzas.mismatch`."""
        try:
            element = self.next(timeout)
        except (TimeoutError, StreamClosed) as problem:
            raise AssertionError(f"{self}: no {kind} {attributes} {checks} came: {problem}") from problem
        reason = mismatch(element, kind, checks, attributes)
        assert not reason, f"{self}: {reason}: {show(element)}"
        return element

    def expect_error(self, kind: str, condition: str, type: str | None = None, **attributes: str | None) -> Element:
        """The next stanza, which has to be an error with that condition (and that type, if given)."""
        stanza = self.expect(kind, type="error", **attributes)
        came = error(stanza)
        assert came[1] == condition, f"{self}: not {condition}: {show(stanza)}"
        assert type in (None, came[0]), f"{self}: not of type {type}: {show(stanza)}"
        return stanza

    def expect_all(self, *wanted: Callable[[Element], object]) -> list[Element]:
        """The next elements, one for each predicate, in any order."""
        came = [self.next() for _ in wanted]
        for predicate in wanted:
            assert any(predicate(each) for each in came), f"{self}: missing from {[show(each) for each in came]}"
        return came

    def wait_for(self, predicate: Callable[[Element], object], timeout: float = DEADLINE) -> Element:
        """The first element for which that holds; those before it are dropped."""
        deadline = time.monotonic() + timeout
        dropped = []
        while True:
            try:
                element = self.next(max(0.0, deadline - time.monotonic()))
            except (TimeoutError, StreamClosed) as problem:
                raise AssertionError(f"{self}: it never came ({problem}), only {dropped}") from problem
            if predicate(element):
                return element
            dropped.append(show(element))

    def expect_stream_error(self, condition: str) -> Element:
        """A stream error, `</stream:stream>` and the end of the connection (RFC 6120 §4.9), ignoring what precedes."""
        stream_error = self.wait_for(lambda element: element.tag == f"{{{ns.STREAMS}}}error")
        assert find(stream_error, f"stream-errors:{condition}") is not None, f"not {condition}: {show(stream_error)}"
        self.expect_end()
        return stream_error

    def expect_end(self) -> None:
        """The server says `</stream:stream>` and nothing else, and closes the connection."""
        try:
            element = self.next()
        except StreamClosed as end:
            if not end.politely:
                raise AssertionError("the server cut the connection without </stream:stream>") from end
        else:
            raise AssertionError(f"{self}: the stream goes on with {show(element)}")
        assert self.link.receive(time.monotonic() + DEADLINE) == b"", "bytes after </stream:stream>"

    def wait_for_end(self) -> None:
        """Read until the server has closed the stream, whatever comes before."""
        try:
            while True:
                self.next()
        except StreamClosed:
            return

    # Proving that nothing comes

    def sync(self, to: str = "") -> list[Element]:
        """Ping (the server, or that address); what came before its result: everything that was under way."""
        id = f"sync-{next(_NUMBERS)}"
        self.send(f"<iq type='get' id='{id}' to={quoteattr(to or self.domain)}><ping xmlns='{ns.PING}'/></iq>")
        before = []
        while (element := self.next()).get("id") != id or element.tag != "iq":
            before.append(element)
        assert element.get("type") == "result", f"{self}: {show(element)}"
        return before

    def nothing_before(self, marker: str = "") -> None:
        """Nothing comes before the result of a ping to that address (the server, if none is given)."""
        before = self.sync(marker)
        assert not before, f"{self}: {[show(element) for element in before]}"

    # Streams

    def open(self, **attributes: str) -> None:
        """Send a stream header and read the server's, with the features after it."""
        self.open_with(self.header_text(**attributes))
        self.expect_features()

    def open_with(self, header: str) -> None:
        """Send that text as the beginning of a new stream."""
        self.restart()
        self.send(header)

    def header_text(self, **attributes: str) -> str:
        """A stream header; `xmlns`, `to` and `version` may be replaced."""
        pairs = {"xmlns": ns.CLIENT, "to": self.domain, "version": "1.0"} | attributes
        written = " ".join(f"{name.rstrip('_')}={quoteattr(value)}" for name, value in pairs.items())
        return f"<?xml version='1.0'?><stream:stream xmlns:stream='{ns.STREAMS}' {written}>"

    def expect_header(self) -> dict[str, str]:
        """The attributes of the server's stream header, without waiting for what follows it."""
        deadline = time.monotonic() + DEADLINE
        while not self.header:
            self._read(deadline)
        return self.header

    def expect_features(self) -> Element:
        self.features = self.expect("stream:features")
        return self.features

    def start_tls(self, name: str = "localhost", **options: object) -> None:
        """Negotiate TLS and open the stream again."""
        self.send(f"<starttls xmlns='{ns.TLS}'/>")
        self.expect("tls:proceed")
        self.link = TLSLink(self.link, name, **options)  # type: ignore[arg-type]
        self.open()

    @property
    def mechanisms(self) -> set[str]:
        return {each.text or "" for each in self.features.findall("sasl:mechanisms/sasl:mechanism", ns.PREFIXES)}

    # SASL

    def auth(self, mechanism: str, initial: bytes | None) -> None:
        """Begin an exchange (RFC 6120 §6.4.2); an initial response of no octets is sent as `=`."""
        text = "" if initial is None else base64.b64encode(initial).decode() or "="
        self.send(f"<auth xmlns='{ns.SASL}' mechanism='{mechanism}'>{text}</auth>")

    def respond(self, octets: bytes) -> None:
        self.send(f"<response xmlns='{ns.SASL}'>{base64.b64encode(octets).decode()}</response>")

    def expect_challenge(self) -> bytes:
        return base64.b64decode(self.expect("sasl:challenge").text or "")

    def expect_success(self) -> bytes:
        return base64.b64decode((self.expect("sasl:success").text or "").removesuffix("=") or "")

    def expect_failure(self, condition: str) -> Element:
        return self.expect("sasl:failure", f"sasl:{condition}")

    def plain(self, user: str, password: str, authzid: str = "") -> None:
        """PLAIN, up to its success."""
        self.auth("PLAIN", f"{authzid}\0{user}\0{password}".encode())
        self.expect("sasl:success")

    def scram(self, mechanism: str, user: str, password: str, binding: str = "") -> None:
        """SCRAM, up to its success, verifying the server's signature; `binding` is the type for a -PLUS mechanism."""
        exchange = Scram(mechanism, user, password, (binding, self.binding(binding)) if binding else None)
        self.auth(mechanism, exchange.first())
        self.respond(exchange.final(self.expect_challenge()))
        success = self.expect("sasl:success")
        assert base64.b64decode(success.text or "") == exchange.verifier, "the server does not know the password"

    def binding(self, type: str) -> bytes:
        """The octets of that channel binding on this connection."""
        assert isinstance(self.link, TLSLink), "there is no channel to bind to"
        return self.link.exporter() if type == "tls-exporter" else self.link.end_point()

    # Sessions

    def authenticate(self, user: str, password: str) -> None:
        """PLAIN, and the stream after it."""
        self.plain(user, password)
        self.open()

    def bind(self, resource: str | None = None) -> str:
        """Bind, asking for that resource if any is given, and return the full JID."""
        wanted = f"<resource>{escape(resource)}</resource>" if resource is not None else ""
        result = self.iq("set", f"<bind xmlns='{ns.BIND}'>{wanted}</bind>")
        jid = result.findtext("bind:bind/bind:jid", "", ns.PREFIXES)
        assert jid, f"no JID bound: {show(result)}"
        self.jid = jid
        return jid

    def iq(self, type: str, payload: str, to: str | None = None) -> Element:
        """Send a request and return its reply; what comes before it is kept for later."""
        id = f"iq-{next(_NUMBERS)}"
        address = f" to={quoteattr(to)}" if to is not None else ""
        self.send(f"<iq type='{type}' id='{id}'{address}>{payload}</iq>")
        before = []
        while (element := self.next()).get("id") != id or element.tag != "iq":
            before.append(element)
        self._inbox.extendleft(reversed(before))
        assert element.get("type") in ("result", "error"), show(element)
        return element

    def get(self, payload: str, to: str | None = None) -> Element:
        """The result of a get; an error fails the test."""
        return self._result("get", payload, to)

    def set(self, payload: str, to: str | None = None) -> Element:
        """The result of a set; an error fails the test."""
        return self._result("set", payload, to)

    def _result(self, type: str, payload: str, to: str | None) -> Element:
        reply = self.iq(type, payload, to)
        assert reply.get("type") == "result", f"{self}: {show(reply)}"
        return reply

    def refused(self, type: str, payload: str, to: str | None = None) -> tuple[str, str]:
        """(type, condition) of the error that answers a request."""
        return error(self.iq(type, payload, to))

    def available(self, content: str = "") -> None:
        """Broadcast presence, and drop everything that it brings from the server itself."""
        self.send(f"<presence>{content}</presence>")
        self.sync()

    # Stream management (XEP-0198)

    def enable(self, resume: bool = True) -> Element:
        """Turn it on."""
        self.send(f"<enable xmlns='{ns.SM}'{' resume=' + quoteattr('true') if resume else ''}/>")
        enabled = self.expect("sm:enabled")
        self.managed = True
        self.handled = 0
        return enabled

    def request_ack(self) -> int:
        """The `h` of the server's answer to `<r/>`; stanzas that come before it are kept."""
        self.send(f"<r xmlns='{ns.SM}'/>")
        transparent, self.transparent = self.transparent, True
        before = []
        while (element := self.next()).tag != f"{{{ns.SM}}}a":
            if not self._is_request(element):
                before.append(element)
        self.transparent = transparent
        self._inbox.extendleft(reversed(before))
        self.acked = int(element.get("h", "-1"))
        return self.acked

    def ack(self, h: int | None = None) -> None:
        """Tell the server how many stanzas have been handled: all that came, if `h` is not given."""
        self.send(f"<a xmlns='{ns.SM}' h='{self.handled if h is None else h}'/>")

    def resume(self, previous: str, h: int) -> Element:
        """Resume that session; the next element, `<resumed/>` or `<failed/>`."""
        self.send(f"<resume xmlns='{ns.SM}' previd={quoteattr(previous)} h='{h}'/>")
        answer = self.next()
        if answer.tag == f"{{{ns.SM}}}resumed":
            self.managed = True
            self.handled = h
            for kept in self._inbox:  # came in the same read, before the counter was set
                self.handled += kept.tag in ("message", "presence", "iq")
        return answer

    def _is_request(self, element: Element) -> bool:
        if element.tag != f"{{{ns.SM}}}r":
            return False
        self.ack()
        return True

    def _is_acknowledgement(self, element: Element) -> bool:
        if element.tag == f"{{{ns.SM}}}a":
            self.acked = int(element.get("h", "-1"))
            return True
        return self._is_request(element)

    def __str__(self) -> str:
        return self.jid or "a client"
