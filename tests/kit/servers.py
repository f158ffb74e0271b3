"""Two servers face to face without a network: the stream that one opens, and the other accepts, as machines alone."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from fermata.core.c2s_stream import stream_error
from fermata.core.s2s import dialback
from fermata.core.s2s.incoming import IncomingStream
from fermata.core.s2s.outgoing import Authenticate, OutgoingStream, Purpose
from fermata.core.s2s.pair import Pair, Verdict
from fermata.core.s2s.trouble import found_here
from fermata.core.s2s.wants import Ask, End, Policy, Receives, Restart, Sends, StartTLS, Verified, Want, Write
from fermata.core.xmlstream import Limits, StreamEvent, XMLStream
from fermata.xmpp import namespaces as ns
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StreamError
from fermata.xmpp.stanza import KINDS

LIMITS = Limits()


@dataclass
class Place:
    """A server: its domains, whom it speaks to, and the names in its certificate."""

    domains: set[str]
    certified: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    requires: set[str] = field(default_factory=set)
    secret: str = "s3cr3tf0rd14lb4ck"
    require_tls: bool = True
    offers_bidi: bool = False

    def is_served(self, domain: str) -> bool:
        return domain in self.domains

    def is_blocked(self, domain: str) -> bool:
        return domain in self.blocked

    def requires_certificate(self, domain: str) -> bool:
        return domain in self.requires

    def key(self, local: str, remote: str, stream_id: str) -> str:
        return dialback.key(self.secret, remote, local, stream_id)

    @property
    def policy(self) -> Policy:
        return Policy(self, self.require_tls, self.offers_bidi, LIMITS.stanza_bytes)

    def shown(self, domain: str) -> str:
        """What this server's certificate proves to others (see fermata.core.s2s.wants.Proves)."""
        return "" if domain in self.certified else f"the certificate does not name {domain}"


class Side:
    """One machine with its parser, as a connection would drive it; `other` is the server at the other end."""

    def __init__(self, stream: IncomingStream | OutgoingStream, other: Place) -> None:
        self.stream, self.other = stream, other
        self.xml = XMLStream(ns.SERVER, LIMITS)
        self.done: list[Want] = []  #: what it wanted, but for what it wrote
        self.said: list[str] = []  #: what it wrote
        self.taken: list[tuple[str, str]] = []  #: the addresses of the stanzas that were let through
        self.unread: deque[str] = deque()  #: what the other side has written
        self.hears: Callable[[str], None] = lambda xml: None
        self.is_over = self.begins_tls = False

    def write(self, xml: str) -> None:
        self.said.append(xml)
        self.hears(xml)

    def receive(self, xml: str) -> None:
        try:
            for event in self.xml.receive(xml.encode()):
                self._take(event)
                if self.is_over:
                    return
        except StreamError as error:
            self.end(error)

    def _take(self, event: StreamEvent) -> None:
        if isinstance(event, Element) and event.tag in KINDS and self.stream.is_proven:
            to, sender = self.stream.check(event)
            self.taken.append((to, sender))
        else:
            self.do(self.stream.receive(event))

    def end(self, error: StreamError | None) -> None:
        if error is not None:
            self.done.append(End(found_here(error), error))
            opening = "" if self.stream.header_sent else self.stream.opening()
            self.write(opening + stream_error(error))
        self.is_over = True

    def do(self, wants: list[Want]) -> None:
        for want in wants:
            if isinstance(want, Write):
                self.write(want.xml)
                continue
            if not isinstance(want, End) or want.error is None:
                self.done.append(want)
            if isinstance(want, Restart):
                self.xml.restart()
            elif isinstance(want, StartTLS):
                self.xml.restart()
                self.begins_tls = True
            elif isinstance(want, Sends | Receives):
                self.xml.authenticated()
            elif isinstance(want, End):
                self.end(want.error)

    def wanted(self, kind: type) -> list[Want]:
        return [want for want in self.done if isinstance(want, kind)]

    @property
    def sends(self) -> list[Pair]:
        return [want.pair for want in self.done if isinstance(want, Sends)]

    @property
    def receives(self) -> list[Pair]:
        return [want.pair for want in self.done if isinstance(want, Receives)]

    @property
    def ending(self) -> End | None:
        """Why it closed the stream."""
        return next((want for want in self.done if isinstance(want, End)), None)

    @property
    def condition(self) -> str:
        """The stream error with which it closed the stream; empty if with none, or not at all."""
        return self.ending.error.condition if self.ending is not None and self.ending.error is not None else ""

    @property
    def verdicts(self) -> list[Verdict]:
        return [want.verdict for want in self.done if isinstance(want, Verified)]


class FaceToFace:
    """A stream that `here` opens to `there` for a pair (of `here`), run until neither has anything left to say."""

    def __init__(
        self, here: Place, there: Place, pair: Pair, purpose: Purpose | None = None, *, direct_tls: bool = False
    ) -> None:
        ids = (f"stream-{number}" for number in count(1))
        self.out = Side(OutgoingStream(here.policy, pair, purpose or Authenticate()), there)
        self.in_ = Side(IncomingStream(there.policy, lambda: next(ids)), here)
        self.out.hears, self.in_.hears = self.in_.unread.append, self.out.unread.append
        self.asked: list[Ask] = []
        self.authority: Callable[[Ask], Verdict] | None = lambda ask: _verdict_of(here, ask)
        if direct_tls:
            self._begin_tls()
        else:
            self.out.write(self.outgoing.opening())

    @property
    def outgoing(self) -> OutgoingStream:
        assert isinstance(self.out.stream, OutgoingStream)
        return self.out.stream

    @property
    def incoming(self) -> IncomingStream:
        assert isinstance(self.in_.stream, IncomingStream)
        return self.in_.stream

    def run(self) -> "FaceToFace":
        while any(side.unread and not side.is_over for side in (self.out, self.in_)):
            for side in (self.in_, self.out):
                while side.unread and not side.is_over:
                    side.receive(side.unread.popleft())
                    if self.out.begins_tls and self.in_.begins_tls:
                        self._begin_tls()
            self._answer()
        return self

    def _begin_tls(self) -> None:
        self.out.begins_tls = self.in_.begins_tls = False
        self.incoming.secured(self.in_.other.shown)
        self.out.do(self.outgoing.secured(self.out.other.shown))

    def _answer(self) -> None:
        """Asks the authoritative server, unless it says nothing."""
        for ask in self.in_.wanted(Ask)[len(self.asked) :]:
            assert isinstance(ask, Ask)
            self.asked.append(ask)
            if self.authority is not None:
                self.in_.do(self.incoming.answered(ask, self.authority(ask)))

    def forge(self, xml: str) -> "FaceToFace":
        """Has the side that opened the stream say something that its machine would not."""
        self.in_.unread.append(xml)
        return self.run()

    def forge_back(self, xml: str) -> "FaceToFace":
        """Likewise the side that accepted it."""
        self.out.unread.append(xml)
        return self.run()


def _verdict_of(place: Place, ask: Ask) -> Verdict:
    """What a server says of a key that is said to be its own, asked over a stream of its own."""
    ours = place.key(ask.pair.remote, ask.pair.local, ask.stream_id)
    return Verdict.VALID if ours == ask.key else Verdict.INVALID
