"""When what is written to a socket goes out, and in which order."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock

from fermata.net.turn_writes import TurnWrites

MORE_THAN_FITS = b"a" * 4_000_000


class Wire:
    """A connection that Twisted writes to, and its other end."""

    def __init__(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.turn = TurnWrites(self.reactor)
        near, self.far = socket.socketpair()
        self.far.setblocking(False)
        self.transport: Any = Connection(near, Protocol(), self.reactor)  # type: ignore[no-untyped-call]
        self.transport.connected = True
        self.turn.adopt(self.transport)

    def end_turn(self) -> None:
        """What a turn of the reactor ends with."""
        self.reactor.advance(0)

    def poll(self) -> Any:
        """The socket can take more, says the reactor: what comes of that."""
        assert self.transport in self.reactor.getWriters()
        return self.transport.doWrite()

    def arrived(self) -> bytes:
        """What has come to the other end."""
        data = b""
        while True:
            try:
                data += (more := self.far.recv(1_000_000))
            except BlockingIOError:
                return data
            if not more:
                return data


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.far.close()
    wire.transport.socket.close()


def test_what_a_socket_takes_is_not_waited_with(wire: Wire) -> None:
    wire.transport.write(b"one")
    wire.transport.write(b"two")
    assert wire.arrived() == b"onetwo"
    assert not wire.reactor.getWriters()


def test_what_it_does_not_take_goes_out_in_order_once_it_can(wire: Wire) -> None:
    wire.transport.write(MORE_THAN_FITS)
    wire.transport.write(b"in the same turn")
    wire.end_turn()
    wire.transport.write(b"later")
    wire.end_turn()
    arrived = wire.arrived()
    assert 0 < len(arrived) < len(MORE_THAN_FITS)
    while wire.reactor.getWriters():
        wire.poll()
        arrived += wire.arrived()
        wire.transport.write(b"")
    assert arrived == MORE_THAN_FITS + b"in the same turn" + b"later"
    wire.transport.write(b"at once again")
    assert wire.arrived() == b"at once again"


def test_a_connection_that_is_broken_is_closed_by_the_reactor_and_not_by_who_writes(wire: Wire) -> None:
    wire.far.close()
    wire.transport.write(b"nobody reads this")
    wire.end_turn()
    assert isinstance(wire.poll(), ConnectionLost)


def test_nothing_is_written_to_a_connection_that_is_gone(wire: Wire) -> None:
    wire.turn.release(wire.transport)
    wire.transport.connected = False
    wire.transport.write(b"too late")
    wire.end_turn()
    assert wire.arrived() == b""
