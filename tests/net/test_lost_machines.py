"""What the system is asked to find out about the machine at the other end."""

import socket

import pytest
from twisted.internet import tcp
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor

from fermata.core.component_stream import ComponentStream
from fermata.core.xmlstream import Limits, XMLStream
from fermata.net.stream_connection import StreamConnection
from fermata.net.turn_writes import TurnWrites
from fermata.xmpp import namespaces as ns


class Connection(StreamConnection):
    def connectionMade(self) -> None:
        super().connectionMade()
        self._keep_alive()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system cannot be asked that")
def test_a_machine_that_is_gone_is_found_out_in_two_minutes_even_while_something_is_under_way() -> None:
    clock = Clock()
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as ours:
        protocol = Connection(clock, TurnWrites(clock), XMLStream(ns.COMPONENT, Limits()), ComponentStream({}, str))
        protocol.makeConnection(tcp.Connection(ours, protocol, MemoryReactor()))
        seconds = [
            ours.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_{name}"))
            for name in ("KEEPIDLE", "KEEPINTVL", "KEEPCNT")
        ]
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert seconds[0] + seconds[1] * seconds[2] == 120
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120_000
