"""What a client speaks over: bytes out, bytes in, with or without TLS."""

import select
import socket
import time
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

DEADLINE = 10.0  # seconds in which an answer has to come; generous, since machines are shared


class Link(Protocol):
    """Two streams of bytes to a server."""

    def send(self, octets: bytes) -> None:
        """Write all of them. Raises ConnectionError if the peer is gone, TimeoutError if it does not read."""

    def receive(self, deadline: float) -> bytes:
        """The next bytes; none if the peer has closed. Raises TimeoutError at that time of `time.monotonic()`."""

    def close(self) -> None:
        """Cut the connection, as it stands."""


class SocketLink:
    """A TCP connection; `source` is the loopback address to come from."""

    def __init__(self, address: tuple[str, int], source: str = "") -> None:
        self.socket = socket.create_connection(address, DEADLINE, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, octets: bytes) -> None:
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(octets)

    def receive(self, deadline: float) -> bytes:
        remaining = max(0.0, deadline - time.monotonic())
        if not select.select([self.socket], [], [], remaining)[0]:
            raise TimeoutError("the server sent nothing more")
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        self.socket.close()

    def __del__(self) -> None:
        # A test that fails, or forgets a client, leaves nothing behind for another one to stumble over.
        if hasattr(self, "socket"):
            self.socket.close()

    def reset(self) -> None:
        """Cut it as a lost network does: without any farewell that the peer could take for one."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


class UnixLink(SocketLink):
    """A connection to a socket in the file system."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(path))


class TLSLink:
    """TLS over another link. The certificate is not verified: it is the server's self-signed one."""

    def __init__(
        self, link: Link, name: str = "localhost", alpn: tuple[bytes, ...] = (), version: int = SSL.TLS1_3_VERSION
    ) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(min(version, SSL.TLS1_2_VERSION))
        context.set_max_proto_version(version)
        if alpn:
            context.set_alpn_protos(list(alpn))
        self.link = link
        self.connection = SSL.Connection(context, None)
        self.connection.set_tlsext_host_name(name.encode())
        self.connection.set_connect_state()
        self._handshake(time.monotonic() + DEADLINE)

    def _handshake(self, deadline: float) -> None:
        while True:
            try:
                self.connection.do_handshake()
            except SSL.WantReadError:
                self._flush()
                self._fill(deadline)
            else:
                self._flush()
                return

    def _flush(self) -> None:
        while True:
            try:
                self.link.send(self.connection.bio_read(65536))
            except SSL.WantReadError:
                return

    def _fill(self, deadline: float) -> None:
        octets = self.link.receive(deadline)
        if not octets:
            raise ConnectionError("closed in the middle of TLS")
        self.connection.bio_write(octets)

    def send(self, octets: bytes) -> None:
        self.connection.sendall(octets)
        self._flush()

    def receive(self, deadline: float) -> bytes:
        while True:
            try:
                return self.connection.recv(65536)
            except SSL.WantReadError:
                try:
                    self._fill(deadline)
                except ConnectionError:
                    return b""
            except SSL.ZeroReturnError:
                return b""

    def close(self) -> None:
        self.link.close()

    def exporter(self) -> bytes:
        """The channel binding tls-exporter (RFC 9266)."""
        return self.connection.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")

    def end_point(self) -> bytes:
        """The channel binding tls-server-end-point (RFC 5929)."""
        certificate = self.connection.get_peer_certificate()
        assert certificate is not None
        parsed: x509.Certificate = certificate.to_cryptography()
        algorithm = parsed.signature_hash_algorithm
        assert algorithm is not None, "the certificate's signature has no hash"
        digest = hashes.Hash(hashes.SHA256() if algorithm.name in ("md5", "sha1") else algorithm)
        digest.update(parsed.public_bytes(Encoding.DER))
        return digest.finalize()
