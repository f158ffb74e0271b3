"""A real name server on the loopback interface, in threads of its own: with the records of a test, and its faults."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from twisted.names import dns

_TYPES = {dns.A: "A", dns.AAAA: "AAAA", dns.SRV: "SRV", dns.CNAME: "CNAME"}
_POLL_SECONDS = 0.2
_IDLE_SECONDS = 10.0


class NameServer:
    """Answers over UDP and TCP for every name; what it was not told of does not exist (NXDOMAIN).

    Use it in a `with` statement; `resolver` is what belongs into `[s2s] resolver`. Names may be told at any time;
    `asked` are the questions so far, as ("a.example", "SRV").
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._udp, self._tcp = _two_sockets(host)
        self.address: tuple[str, int] = self._udp.getsockname()[:2]
        self.follows_aliases = True
        self.asked: list[tuple[str, str]] = []
        self.asked_over_tcp: list[tuple[str, str]] = []
        self._records: dict[str, list[tuple[dns.IEncodableRecord, int]]] = {}
        self._failing: set[str] = set()
        self._silent: set[str] = set()
        self._truncated: set[str] = set()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._serve_udp, self._serve_tcp)]

    @property
    def resolver(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"

    # What is to be said of a name

    def a(self, name: str, *addresses: str, ttl: int = 60) -> None:
        self._add(name, ttl, *map(dns.Record_A, addresses))

    def aaaa(self, name: str, *addresses: str, ttl: int = 60) -> None:
        self._add(name, ttl, *map(dns.Record_AAAA, addresses))

    def cname(self, name: str, other: str, ttl: int = 60) -> None:
        self._add(name, ttl, dns.Record_CNAME(other.encode()))

    def srv(
        self,
        domain: str,
        port: int,
        host: str,
        service: str = "xmpp-server",
        priority: int = 0,
        weight: int = 0,
        ttl: int = 60,
    ) -> None:
        """A record of `_xmpp-server._tcp.DOMAIN`, or of another service there."""
        self._add(f"_{service}._tcp.{domain}", ttl, dns.Record_SRV(priority, weight, port, host.encode()))

    def server(self, domain: str, port: int, address: str = "127.0.0.1", service: str = "xmpp-server") -> None:
        """All that it takes to find the server of a domain: SRV, and the address of its host."""
        host = f"host-{port}.{domain}"
        self.srv(domain, port, host, service)
        self.a(host, address)

    def fail(self, name: str) -> None:
        """Answers for that name, and all below it, with SERVFAIL."""
        self._failing.add(name.lower())

    def ignore(self, name: str) -> None:
        """Does not answer for that name, nor for any below it."""
        self._silent.add(name.lower())

    def truncate(self, name: str) -> None:
        """Has no room for that name's records over UDP."""
        self._truncated.add(name.lower())

    def forget(self, name: str) -> None:
        """Removes everything that is said of that name and those below it."""
        for told in (self._failing, self._silent, self._truncated):
            told -= {each for each in told if _is_within(each, name)}
        for each in [each for each in self._records if _is_within(each, name)]:
            del self._records[each]

    def _add(self, name: str, ttl: int, *records: dns.IEncodableRecord) -> None:
        self._records.setdefault(name.lower(), []).extend((record, ttl) for record in records)

    # Running

    def __enter__(self) -> "NameServer":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        self._until_over(self._udp, self._answer_datagram)

    def _serve_tcp(self) -> None:
        self._until_over(self._tcp, self._answer_connection)

    def _until_over(self, listening: socket.socket, serve: Callable[[], None]) -> None:
        listening.settimeout(_POLL_SECONDS)
        while not self._over.is_set():
            try:
                serve()
            except TimeoutError:
                continue

    def _answer_datagram(self) -> None:
        octets, peer = self._udp.recvfrom(4096)
        answer = self._answer(octets, self.asked, False)
        if answer:
            self._udp.sendto(answer, peer)

    def _answer_connection(self) -> None:
        connection, _ = self._tcp.accept()
        threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        """Answers until the other side has had enough."""
        connection.settimeout(_IDLE_SECONDS)
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            while len(prefix := stream.read(2)) == 2:
                (length,) = struct.unpack("!H", prefix)
                answer = self._answer(stream.read(length), self.asked_over_tcp, True)
                if answer:
                    connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, octets: bytes, asked: list[tuple[str, str]], whole: bool) -> bytes:
        message = dns.Message()
        message.fromStr(octets)
        query = message.queries[0]
        name = str(query.name).lower()
        asked.append((name, _TYPES.get(query.type, str(query.type))))
        if any(_is_within(name, silent) for silent in self._silent):
            return b""
        message.answer, message.recAv = 1, 1
        if any(_is_within(name, failing) for failing in self._failing):
            message.rCode = dns.ESERVER
        elif name in self._truncated and not whole:
            message.trunc = 1
        else:
            self._fill(message, name, query.type)
        return bytes(message.toStr())

    def _fill(self, message: dns.Message, name: str, kind: int) -> None:
        """As a recursive name server does it: with everything that an alias leads to, unless told otherwise."""
        seen: set[str] = set()
        while name not in seen and (self.follows_aliases or not seen):
            seen.add(name)
            records = self._records.get(name, [])
            for record, ttl in records:
                if record.TYPE in (kind, dns.CNAME):
                    message.answers.append(dns.RRHeader(name, record.TYPE, dns.IN, ttl, record))
            name = next((str(record.name) for record, _ in records if record.TYPE == dns.CNAME), name).lower()
        if not any(_is_within(each, name) for each in self._records):
            message.rCode = dns.ENAME


def _is_within(name: str, domain: str) -> bool:
    return name == domain or name.endswith("." + domain)


def _two_sockets(host: str) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP at the same port, which the system chooses."""
    while True:
        tcp = socket.create_server((host, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:  # somebody else has that one
            tcp.close()
            udp.close()
        else:
            return udp, tcp
