"""Asks name servers one question at a time (RFC 1035), over UDP, and over TCP where the answer is too long for that.

Of Twisted's own client, only the format of messages is used: it believes answers from anywhere, takes the first
SERVFAIL for final, and writes two lines into the log for each question.
"""

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionClosed, TimeoutError
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ClientFactory, connectionDone
from twisted.names import dns
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

Server = tuple[str, int]  # an IP address and a port

_WAITS: Final = (1.5, 4.0)  #: seconds in which a name server has to answer, in the first and the second round
_TCP_SECONDS: Final = 5.0
_NAMES: Final = {dns.EFORMAT: "FORMERR", dns.ESERVER: "SERVFAIL", dns.ENOTIMP: "NOTIMP", dns.EREFUSED: "REFUSED"}


class NameServerError(Exception):
    """No name server has given an answer that says anything; the text says why."""


class NameServers:
    """A list of name servers, asked in their order until one answers. `servers` is called each time."""

    def __init__(self, reactor: Any, servers: Callable[[], Sequence[Server]]) -> None:
        self._reactor, self._servers = reactor, servers

    async def ask(self, name: str, kind: int) -> dns.Message:
        """What they know about a name in ASCII: an answer, an empty one or NXDOMAIN. Raises NameServerError."""
        trouble = "there is none"
        for seconds in _WAITS:
            is_silent = False
            for server in self._servers():
                try:
                    message = await self._ask_one(server, dns.Query(name.encode("ascii"), kind, dns.IN), seconds)
                except (TimeoutError, ConnectError, ConnectionClosed, OSError):
                    is_silent, trouble = True, f"{server[0]} does not answer"
                    continue
                if message.rCode in (dns.OK, dns.ENAME):
                    return message
                trouble = f"{server[0]} answers {_NAMES.get(message.rCode, str(message.rCode))}"
            if not is_silent:
                break
        raise NameServerError(trouble)

    async def _ask_one(self, server: Server, query: dns.Query, seconds: float) -> dns.Message:
        question = _Question(self._reactor, server, query)
        message: dns.Message = await question.answer.addTimeout(seconds, self._reactor, _timed_out)
        if not message.trunc:
            return message
        conversation = _Conversation(query)
        factory = _Conversing(conversation)
        connector = self._reactor.connectTCP(*server, factory, timeout=_TCP_SECONDS)
        try:
            return await conversation.answer.addTimeout(_TCP_SECONDS, self._reactor, _timed_out)
        finally:
            connector.disconnect()


def _timed_out(_: object, seconds: float) -> NoReturn:
    raise TimeoutError(f"nothing in {seconds:g} s")


@implementer(IReadDescriptor)
class _Question:
    """One question to one name server, from a port of the system's choice: whoever would lie must guess both numbers.

    The socket is connected, and so hears nobody else.
    """

    def __init__(self, reactor: Any, server: Server, query: dns.Query) -> None:
        self._reactor, self._query = reactor, query
        self._id = secrets.randbelow(2**16)
        self._socket = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self.answer: Deferred[dns.Message] = Deferred(lambda _: self._close())
        try:
            self._socket.connect(server)
            self._socket.send(_packed(self._id, query))
        except OSError:
            self._socket.close()
            raise
        reactor.addReader(self)

    def fileno(self) -> int:
        """See IFileDescriptor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:  # noqa: N802
        """See ILoggingContext."""
        return "DNS"

    def doRead(self) -> None:  # noqa: N802
        """See IReadDescriptor. What is no answer to this question is passed over."""
        try:
            message = _unpacked(self._socket.recv(2**16), self._id, self._query)
        except BlockingIOError:
            return
        except OSError as error:  # nobody is there
            self._close()
            self.answer.errback(Failure(error))
            return
        if message is not None:
            self._close()
            self.answer.callback(message)

    def connectionLost(self, reason: Failure) -> None:
        """See IFileDescriptor: the reactor has taken the socket out, or stops."""
        self._close()
        if not self.answer.called:
            self.answer.errback(reason)

    def _close(self) -> None:
        self._reactor.removeReader(self)
        self._socket.close()


class _Conversation(Int16StringReceiver):
    """The same question over TCP (RFC 7766)."""

    noisy = False
    MAX_LENGTH = 2**16 - 1

    def __init__(self, query: dns.Query) -> None:
        self._query = query
        self._id = secrets.randbelow(2**16)
        self.answer: Deferred[dns.Message] = Deferred()

    def connectionMade(self) -> None:
        """See Protocol."""
        self.sendString(_packed(self._id, self._query))  # type: ignore[no-untyped-call]

    def stringReceived(self, string: bytes) -> None:  # noqa: N802
        """See IntNStringReceiver."""
        message = _unpacked(string, self._id, self._query)
        if message is not None and not self.answer.called:
            self.answer.callback(message)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See Protocol."""
        if not self.answer.called:
            self.answer.errback(reason)


class _Conversing(ClientFactory):
    noisy = False

    def __init__(self, conversation: _Conversation) -> None:
        self._conversation = conversation

    def buildProtocol(self, addr: object) -> _Conversation:
        return self._conversation

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:  # noqa: N802
        if not self._conversation.answer.called:
            self._conversation.answer.errback(reason)


def _packed(id: int, query: dns.Query) -> bytes:
    message = dns.Message(id, recDes=1)
    message.queries = [query]
    return bytes(message.toStr())


def _unpacked(octets: bytes, id: int, query: dns.Query) -> dns.Message | None:
    """The answer in there, if it is one to that question."""
    message = dns.Message()
    try:
        message.fromStr(octets)
    except (ValueError, EOFError, LookupError, ArithmeticError):
        return None
    asked = [(each.name.name.lower(), each.type) for each in message.queries]
    is_answer = message.answer and message.id == id and asked == [(query.name.name.lower(), query.type)]
    return message if is_answer else None


class SystemNameServers:
    """The name servers that the system is configured with, read again whenever that has changed."""

    def __init__(self, path: Path = Path("/etc/resolv.conf")) -> None:
        self._path = path
        self._changed = -1.0
        self._servers: list[Server] = []

    def __call__(self) -> Sequence[Server]:
        """Their addresses, in the order in which they are to be asked."""
        try:
            changed = self._path.stat().st_mtime
            if changed != self._changed:
                self._servers = _servers_in(self._path.read_text(errors="replace"))
                self._changed = changed
        except OSError:
            self._servers = []
        return self._servers or [("127.0.0.1", dns.PORT)]


def _servers_in(text: str) -> list[Server]:
    words = (line.split() for line in text.splitlines())
    return [(found[1], dns.PORT) for found in words if found[:1] == ["nameserver"] and len(found) > 1]
