"""TLS over a connection, without the detours that Twisted's own makes for each record."""

from typing import Any

from OpenSSL.SSL import Error, WantReadError, ZeroReturnError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Protocol
from twisted.protocols.policies import ProtocolWrapper
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

_HEADER_BYTES = 5
_APPLICATION_DATA = 23
_PLAIN_BYTES = 2**14  # at most, in one record
_OVERHEAD_BYTES = 512  # more than one record adds to what is in it


class RecordBoundary:
    """Where in the bytes that come in a TLS record ends (RFC 8446 §5.1)."""

    __slots__ = ("_header", "_missing")

    def __init__(self) -> None:
        self._header = b""  # of a record, as far as it has come
        self._missing = 0  # of the record whose header has come

    def is_one_record(self, data: bytes) -> bool:
        """Whether these are one whole record of application data; else they must go through `skip`."""
        return (
            not self._missing
            and not self._header
            and len(data) > _HEADER_BYTES
            and data[0] == _APPLICATION_DATA
            and len(data) == _HEADER_BYTES + int.from_bytes(data[3:_HEADER_BYTES], "big")
        )

    def skip(self, data: bytes) -> None:
        """Follows bytes that are any number of records, cut anywhere."""
        position = self._missing
        if position > len(data):
            self._missing -= len(data)
            return
        data, self._header = self._header + data[position:], b""
        position = 0
        while len(data) - position >= _HEADER_BYTES:
            position += _HEADER_BYTES + int.from_bytes(data[position + 3 : position + _HEADER_BYTES], "big")
        self._missing = max(0, position - len(data))
        self._header = data[position:]


class TLSTransport(TLSMemoryBIOProtocol):
    """TLS of one connection.

    Mostly, what comes in or goes out is one record. Then one read empties OpenSSL, and nothing has to be sent in
    return: Twisted would learn both from exceptions, which cost more than the record.
    """

    transport: Any

    def __init__(self, factory: TLSMemoryBIOFactory, wrapped: Protocol, connect_wrapped: bool = True) -> None:
        super().__init__(factory, wrapped, connect_wrapped)  # type: ignore[no-untyped-call]
        self._boundary = RecordBoundary()

    def dataReceived(self, data: bytes) -> None:
        """See Protocol."""
        if not self._boundary.is_one_record(data) or not self._handshakeDone or self._appSendBuffer:
            self._boundary.skip(data)
            super().dataReceived(data)  # type: ignore[no-untyped-call]
            return
        self._tlsConnection.bio_write(data)
        try:
            # What OpenSSL is offered as room, it clears first: so no more than may be needed.
            plain = self._tlsConnection.recv(len(data))
        except (WantReadError, ZeroReturnError):
            # No data but a message of TLS itself, or a goodbye: that is rare enough for the long way.
            self._flushReceiveBIO()  # type: ignore[no-untyped-call]
            return
        except Error:
            # Something is broken, or the peer has said that it is: OpenSSL tells that once.
            self._tlsShutdownFinished(Failure())  # type: ignore[no-untyped-call]
            return
        if not self._aborted:
            ProtocolWrapper.dataReceived(self, plain)

    def write(self, data: bytes) -> None:
        """See ITransport. What fits into one record makes one."""
        is_special = self._appSendBuffer or self._lostTLSConnection or self.disconnecting
        if is_special or not self._handshakeDone or len(data) > _PLAIN_BYTES:
            super().write(data)  # type: ignore[no-untyped-call]
            return
        try:
            self._tlsConnection.send(data)
        except Error:
            # OpenSSL wants to read first, or something is broken: either way the same bytes must be tried again.
            super().write(data)  # type: ignore[no-untyped-call]
            return
        room = len(data) + _OVERHEAD_BYTES
        encrypted = self._tlsConnection.bio_read(room)
        self.transport.write(encrypted)
        if len(encrypted) == room:
            self._flushSendBIO()  # type: ignore[no-untyped-call]


class TLSFactory(TLSMemoryBIOFactory):
    """Wraps the connections of another factory in TLS from their first byte; `is_client` for those that we make."""

    protocol = TLSTransport
    noisy = False

    def __init__(
        self,
        creator: IOpenSSLServerConnectionCreator | IOpenSSLClientConnectionCreator,
        wrapped: Any,
        is_client: bool = False,
    ) -> None:
        super().__init__(creator, is_client, wrapped)


def start_tls(
    transport: Any,
    creator: IOpenSSLServerConnectionCreator | IOpenSSLClientConnectionCreator,
    protocol: Protocol,
    is_client: bool = False,
) -> TLSTransport:
    """Begins TLS on a connection that stands, in either role; returns the protocol's new transport."""
    tls = TLSTransport(TLSFactory(creator, None, is_client), protocol, False)
    transport.protocol = tls
    tls.makeConnection(transport)  # type: ignore[no-untyped-call]
    return tls
