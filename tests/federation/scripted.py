"""A server that does what a test says, right or wrong: it listens, and a script speaks with whoever connects."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from typing import Self

from kit import ns
from kit.ca import Issued
from kit.stanzas import Element
from kit.wire import StreamClosed

from .place import SERVERS
from .stream import Callee

Script = Callable[["Scripted", Callee], None]
DIALBACK = f"<dialback xmlns='{ns.DIALBACK_FEATURE}'><errors/></dialback>"


class Scripted:
    """In a context: listens at an address on the port of servers. What comes on proven streams is in `stanzas`.

    A script runs in a thread of its own for each connection; the connection ends with it.
    """

    def __init__(self, address: str, issued: Issued, script: Script) -> None:
        self.address, self.issued, self.script = address, issued, script
        self.stanzas: queue.Queue[Element] = queue.Queue()
        self.connections = 0
        self.keys: set[str] = set()  # the dialback keys that it says are its own
        self.over = threading.Event()
        self.said = threading.Event()  # set by a script that has said what it wanted to
        self._heard = threading.Condition()
        self._failures: list[BaseException] = []
        self._listening = socket.create_server((address, SERVERS), backlog=100)
        self._open: list[socket.socket] = [self._listening]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)
        for failure in self._failures:
            raise failure

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is over
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                with self._heard:
                    self.connections += 1
                    self._heard.notify_all()
                self._run(self._converse, connection)

    def _converse(self, connection: socket.socket) -> None:
        try:
            self.script(self, Callee(connection, self.issued))
        except (OSError, StreamClosed):
            pass  # the other side has had enough, or the test is over
        except BaseException as failure:
            if not self.over.is_set():
                self._failures.append(failure)
        finally:
            connection.close()

    def wait_for_connections(self, number: int, timeout: float = 10.0) -> None:
        """Return when so many have connected so far."""
        with self._heard:
            came = self._heard.wait_for(lambda: self.connections >= number, timeout)
        assert came, f"{self.connections} connections instead of {number}"

    def heard(self, timeout: float = 10.0) -> Element:
        """The next stanza that came."""
        try:
            return self.stanzas.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError("no stanza came") from None


# Scripts


def says_nothing(server: Scripted, _: Callee) -> None:
    """Accepts, and waits until the test is over."""
    server.over.wait()


def closes_at_once(_: Scripted, __: Callee) -> None:
    """Accepts, and leaves."""


def says_half_a_header(server: Scripted, callee: Callee) -> None:
    """Begins, and waits."""
    callee.send("<?xml version='1.0'?><stream:stream xmlns:st")
    server.over.wait()


def dribbles(server: Scripted, callee: Callee) -> None:
    """Would get there in some hours."""
    header = callee.header_text(id="an-id").encode()
    for octet in header + b" " * 1000:
        callee.link.send(bytes([octet]))
        if server.over.wait(0.5):
            return


def floods_with_features(server: Scripted, callee: Callee) -> None:
    """Never comes to the point."""
    callee.send(callee.header_text(id="an-id") + "<stream:features>")
    while not server.over.is_set():
        callee.send("<x xmlns='urn:example:x'>much</x>" * 1000)


def says_host_unknown(_: Scripted, callee: Callee) -> None:
    """Is another domain's server."""
    callee.expect_header()
    error = f"<stream:error><host-unknown xmlns='{ns.STREAM_ERRORS}'/></stream:error></stream:stream>"
    callee.send(callee.header_text(id="an-id") + error)


def has_no_tls(server: Scripted, callee: Callee) -> None:
    """Would believe everything, but in clear text."""
    callee.answer_header(DIALBACK)
    serve(server, callee)


def stops_after_tls(server: Scripted, callee: Callee) -> None:
    """Says no more once it could."""
    callee.take_tls()
    server.over.wait()


def offers_nothing(server: Scripted, callee: Callee) -> None:
    """Knows no way to prove anything."""
    callee.take_tls()
    callee.answer_header("")
    server.over.wait()


def answers_no_dialback(server: Scripted, callee: Callee) -> None:
    """Takes a key, and thinks about it for good."""
    callee.take_tls()
    callee.answer_header(DIALBACK)
    server.over.wait()


def stops_reading(server: Scripted, callee: Callee) -> None:
    """Believes, takes one stanza, and no more."""
    callee.take_tls()
    callee.answer_header(DIALBACK)
    callee.dialback("result", type="valid", **back(callee.expect("db:result")))
    server.stanzas.put(callee.next())
    server.over.wait()


def never_acknowledges(server: Scripted, callee: Callee) -> None:
    """Takes all stanzas, and does not say so when it is asked."""
    callee.take_tls()
    callee.answer_header(f"{DIALBACK}<sm xmlns='{ns.SM}'/>")
    callee.transparent = True
    serve(server, callee)


def is_good(server: Scripted, callee: Callee) -> None:
    """Believes everybody, confirms its own dialback keys and reads whatever comes."""
    callee.take_tls()
    callee.answer_header(DIALBACK)
    serve(server, callee)


def serve(server: Scripted, callee: Callee) -> None:
    """What follows the features of one that is good."""
    while True:
        element = callee.next(600)
        if element.tag == f"{{{ns.DIALBACK}}}result":
            callee.dialback("result", type="valid", **back(element))
        elif element.tag == f"{{{ns.DIALBACK}}}verify":
            type = "valid" if element.text in server.keys else "invalid"
            callee.dialback("verify", id=element.get("id", ""), type=type, **back(element))
        elif element.tag == f"{{{ns.SM}}}enable":
            callee.send(f"<enabled xmlns='{ns.SM}'/>")
        elif element.tag in ("message", "presence", "iq"):
            server.stanzas.put(element)


def back(element: Element) -> dict[str, str]:
    """The addresses of an answer."""
    return {"from_": element.get("to", ""), "to": element.get("from", "")}
