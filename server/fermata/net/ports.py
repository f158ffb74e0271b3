"""Opens a port named by a Twisted endpoint string, or says which one could not be opened."""

from typing import Any, Final

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.python.failure import Failure

_BACKLOG: Final = 1024


class PortError(Exception):
    """A port cannot be opened; the words are for the operator."""


def open_port(reactor: Any, text: str, factory: IProtocolFactory) -> IListeningPort:
    """Listens at a Twisted endpoint. Raises PortError."""
    # An endpoint on this machine has opened or failed by the time that it returns.
    opened: list[Any] = []
    # With Twisted's own 50, the kernel makes some wait for seconds when all come back at once.
    backlog = f":backlog={_BACKLOG}" if text.startswith(("tcp:", "tcp6:")) and "backlog=" not in text else ""
    try:
        serverFromString(reactor, text + backlog).listen(factory).addBoth(opened.append)
        if isinstance(opened[0], Failure):
            opened[0].raiseException()
    except (IndexError, KeyError) as error:
        raise PortError(f"{text}: systemd has passed on no such socket") from error
    except CannotListenError as error:
        raise PortError(f"{text}: {_words(error.socketError)}") from error
    except OSError as error:
        raise PortError(f"{text}: {_words(error)}") from error
    port: IListeningPort = opened[0]
    return port


def _words(error: Any) -> str:
    return getattr(error, "strerror", None) or str(error)
