"""Extensions: one file with one decorated function each, found by looking, wired at start.

    @extension(xep=199, version="2.0.1", features=(ns.PING,))
    def ping(host: Host) -> None:
        host.on_iq(Addressee.SERVER, "get", "{%s}ping" % ns.PING, pong)

What the decorator says is what service discovery tells; the body takes what it needs from `host`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final, NamedTuple, Protocol

from ..xmpp.dataforms import Form
from ..xmpp.disco import Identity, Item
from ..xmpp.element import Element
from ..xmpp.jid import JID
from .accounts import Account
from .iq import Addressee, IQTable, Request, Responder
from .origin import Clock
from .registry import Sessions
from .residents import Residents
from .services import Services
from .stores import ArchiveStore, ValueStore

_SERVER: Final = Identity("server", "im", "Fermata")


class Node(NamedTuple):
    """What service discovery tells of one node of a domain."""

    identity: Identity
    features: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(slots=True)
class Discoverable:
    """What service discovery tells of the server and of accounts: filled by those who answer for it."""

    server_features: set[str]
    account_features: set[str]
    server_items: list[JID]
    server_forms: list[Form]
    server_identity: Identity = _SERVER
    server_version: str = ""
    #: the node that stands for all that is told of the server (XEP-0115 §4); empty for none
    server_node: Callable[[], str] = lambda: ""
    #: nodes of the server: each is asked for the node of that name, as that requester may see it at that domain
    server_nodes: list[Callable[[str, JID, JID], Node | None]] = field(default_factory=list)
    #: what clients are offered once they have authenticated, as XML; asked when everything is wired
    stream_features: list[Callable[[], str]] = field(default_factory=list)
    account_identities: list[Identity] = field(default_factory=lambda: [Identity("account", "registered")])
    account_nodes: "AccountNodes | None" = None


class AccountNodes(Protocol):
    """The nodes of accounts, for service discovery. Everything raises StanzaError."""

    def info(self, request: Request, node: str) -> Element:
        """The disco#info of a node."""

    def items(self, request: Request, node: str) -> Element:
        """The disco#items of a node; of the account itself if that is empty."""


class Visibility(Protocol):
    """Who sees that an account's sessions are available, where that depends on more than the roster."""

    def hide(self, account: Account, contacts: Iterable[JID]) -> None:
        """These contacts and rooms (by their occupant JIDs), blocked now, see the account leave."""

    def show(self, account: Account, contacts: Iterable[JID]) -> None:
        """These contacts, not blocked any more, see what they may see of the account."""


@dataclass(frozen=True, slots=True)
class Host:
    """What an extension may touch."""

    domains: Sequence[str]
    iq: IQTable
    sessions: Sessions
    accounts: Residents[Account]
    values: ValueStore
    discoverable: Discoverable
    visibility: Visibility
    clock: Clock
    admins: Sequence[str]
    services: Services
    archive: ArchiveStore | None  #: None where accounts have none

    def on_iq(self, addressee: Addressee, type: str, tag: str, responder: Responder) -> None:
        """See IQTable.on."""
        self.iq.on(addressee, type, tag, responder)


@dataclass(frozen=True, slots=True)
class Extension:
    """A XEP that is built: its number, the version that was followed, what it advertises, how it is wired."""

    xep: int
    version: str
    features: tuple[str, ...]
    account_features: tuple[str, ...]
    wire: Callable[[Host], None]

    def install(self, host: Host) -> None:
        """Wires it, and advertises what it declares."""
        self.wire(host)
        host.discoverable.server_features.update(self.features)
        host.discoverable.account_features.update(self.account_features)


def extension(
    xep: int, version: str, features: tuple[str, ...] = (), account_features: tuple[str, ...] = ()
) -> Callable[[Callable[[Host], None]], Extension]:
    """Declares the decorated function to be the wiring of a XEP."""

    def declare(wire: Callable[[Host], None]) -> Extension:
        return Extension(xep, version, features, account_features, wire)

    return declare


def find(package: ModuleType) -> list[Extension]:
    """Every extension in the modules of a package, by XEP number, so that the order is the same everywhere."""
    found: list[Extension] = []
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        contents = vars(importlib.import_module(module.name))
        found += [value for value in contents.values() if isinstance(value, Extension)]
    return sorted(found, key=lambda each: each.xep)
