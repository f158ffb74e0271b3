"""Other servers that the test plays: it makes the connections, and hears all that is written to them."""

from collections.abc import Callable

from fermata.core.stored_xml import stanza_from
from fermata.host.federation import Cause, Pair, Trouble, Trunk, Verdict
from fermata.xmpp import namespaces as fns
from fermata.xmpp.element import Element
from fermata.xmpp.errors import StreamError
from fermata.xmpp.jid import JID

from .wire import Client
from .world import World

HERE = Pair("localhost", "b.example")
ROOMS = Pair("conference.localhost", "b.example")
SILENT = Trouble(Cause.SILENT, "nobody answers")
REFUSED = Trouble(Cause.REFUSED, "nobody listens")


_COUNTING = ("<r ", "<a ", "<enable ", "<enabled ", "<resume ")


class Wire:
    """A connection on which the test is the other server (see host.federation.Connection)."""

    direction, address, is_encrypted, proof = "out", "192.0.2.1:5269", True, "certificate"

    def __init__(self, managed: bool) -> None:
        self.offers_management, self.paused, self.has_backlog = managed, False, False
        self.stanza_bytes, self.is_complete = 0, False
        self.written: list[str] = []
        self.ended: list[StreamError | None] = []
        self.trunk: Trunk

    def complete(self) -> None:
        self.is_complete = True

    def write(self, xml: str) -> None:
        self.written.append(xml)

    def end(self, error: StreamError | None) -> None:
        self.ended.append(error)
        self.trunk.lost(SILENT)

    end_now = end

    def answer_pings(self) -> None:
        """Answers, as a server that manages no stream does, by which it is asked whether it has got all so far."""
        for ping in [stanza_from(xml) for xml in self.written if " id='arrived-" in xml]:
            to, sender = ping.get("from", ""), ping.get("to", "")
            result = Element("iq", {"type": "result", "id": ping.get("id", ""), "to": to, "from": sender})
            self.trunk.take(result, JID.parse(to), JID.parse(sender))

    def stanzas(self) -> list[str]:
        """What was written since this was asked last."""
        taken = [xml for xml in self.written if not xml.startswith(_COUNTING)]
        self.written.clear()
        return taken


class Dialling:
    """Connections are made, or fail, when the test says so."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.attempts: list[tuple[Pair, Callable[[Trouble], None]]] = []
        self.given_up: list[Pair] = []
        self.failing: Trouble | None = None
        self.events: list[tuple[object, ...]] = []
        world.do(world.parts.federating.open(self))
        world.parts.federating.federation.links.listeners.append(self)

    def open(self, pair: Pair, failed: Callable[[Trouble], None]) -> Callable[[], None]:
        if self.failing is not None:
            self.world.clock.callLater(0, failed, self.failing)
        else:
            self.attempts.append((pair, failed))
        return lambda: self.given_up.append(pair)

    def verify(self, pair: Pair, stream_id: str, key: str, answered: Callable[[Verdict, str], None]) -> None:
        raise AssertionError("nobody has shown a key")

    def connect(self, pair: Pair = HERE, managed: bool = True) -> Wire:
        """The attempt succeeds."""
        self.attempts = [attempt for attempt in self.attempts if attempt[0] != pair]
        wire = Wire(managed)
        wire.trunk = self.world.parts.federating.federation.trunk(wire)
        wire.trunk.sends(pair)
        self.world.turn()
        return wire

    def fail(self, trouble: Trouble, pair: Pair = HERE) -> None:
        """It does not."""
        (failed,) = [failed for attempted, failed in self.attempts if attempted == pair]
        self.attempts = [attempt for attempt in self.attempts if attempt[0] != pair]
        failed(trouble)
        self.world.turn()

    def fail_for(self, seconds: float, trouble: Trouble, pair: Pair = HERE) -> None:
        """Every attempt fails, as long as that."""
        self.failing = trouble
        if self.attempts:
            self.fail(trouble, pair)
        self.world.advance(seconds)
        self.failing = None

    # -- see LinkListener

    def contacted(self, pair: Pair) -> None:
        self.events.append(("contacted", pair))

    def stalled(self, pair: Pair) -> None:
        self.events.append(("stalled", pair))

    def up(self, pair: Pair) -> None:
        self.events.append(("up", pair))

    def dead(self, pair: Pair) -> None:
        self.events.append(("dead", pair))

    def refused(self, pair: Pair, stanza: Element, to: JID) -> None:
        self.events.append(("refused", pair, stanza.tag, to))


def say(client: Client, body: str, id: str = "m1", to: str = "bob@b.example", type: str = "chat") -> None:
    client.send(f"<message to='{to}' id='{id}' type='{type}'><body>{body}</body></message>")


def ack(wire: Wire, h: int) -> None:
    wire.trunk.manage(Element("{%s}a" % fns.SM, {"h": str(h)}))


def message(xml: str) -> tuple[Element, JID, JID]:
    """A stanza from the other server as a connection hands it over."""
    stanza = stanza_from(xml)
    return stanza, JID.parse(stanza.get("to", "")), JID.parse(stanza.get("from", ""))


class Resumable:
    """The other server's part of streams that outlive their connections (XEP-0198 §5); `here` is its peer."""

    def __init__(self, here: World, dialling: Dialling, pair: Pair = HERE) -> None:
        self.here, self.dialling, self.pair = here, dialling, pair

    def accept(self, *pairs: Pair, bidi: bool = False, proof: str = "certificate", tls: bool = True) -> Wire:
        """A connection that it makes, on which it proves its domain; `bidi`: so that it can be sent something."""
        wire = Wire(managed=False)
        wire.direction, wire.proof, wire.is_encrypted = "in", proof, tls
        wire.trunk = self.here.parts.federating.federation.trunk(wire)
        for pair in pairs or (self.pair,):
            wire.trunk.receives(pair)
            if bidi:
                wire.trunk.sends(pair)
        self.here.turn()
        return wire

    def begin(self, wire: Wire) -> str:
        """Enables stream management on it: the id of the stream, empty if it has none."""
        return self.told(wire, "enable", resume="true").get("id", "")

    def told(self, wire: Wire, name: str, **attributes: str) -> Element:
        """Says that, and returns the answer."""
        before = len(wire.written)
        wire.trunk.manage(sm(name, **attributes))
        self.here.advance(0.1)
        answers = [stanza_from(xml) for xml in wire.written[before:] if f" xmlns='{fns.SM}'" in xml]
        (answer,) = [each for each in answers if each.tag != "{%s}r" % fns.SM]
        return answer

    def resume(self, wire: Wire, id: str, h: int = 0) -> Element:
        """Asks to go on with a stream."""
        return self.told(wire, "resume", previd=id, h=str(h))

    def open(self, id: str = "theirs", proof: str = "certificate") -> Wire:
        """A connection that `here` makes, on which it answers that the stream can be gone on with."""
        wire = self.dialling.connect(self.pair)
        wire.proof = proof
        wire.trunk.manage(sm("enabled", id=id, resume="true"))
        self.here.turn()
        return wire


def sm(name: str, **attributes: str) -> Element:
    """An element of stream management."""
    return Element("{%s}%s" % (fns.SM, name), attributes)


def cut(wire: Wire) -> None:
    """The connection breaks."""
    wire.trunk.lost(SILENT)
