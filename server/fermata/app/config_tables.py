"""Every table and key of `etc/fermata.toml`: its name, type, default and meaning, in this one place.

The strict reading (`config`) and the commented default file (`config_text`) are both made from it.
"""

# ruff: noqa: RUF009  -- `setting` makes a dataclass field, which is what ruff looks for here.

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..xmpp.jid import JID
from . import config_values as values
from .config_components import Components
from .config_pubsub import PubSub
from .config_registration import Registration
from .config_s2s import S2S
from .config_setting import Field, setting


class Durability(StrEnum):
    """What acknowledged data survives."""

    PROCESS = "process"
    POWER = "power"


class RestartInvites(StrEnum):
    """Who is invited back into a room after a stop in which occupants could not be kept."""

    OPT_IN = "opt-in"
    ALL = "all"
    OFF = "off"


class LogThreshold(StrEnum):
    """The least important of what is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line of the log is written."""

    PLAIN = "plain"
    JSON = "json"


class RoomJoining(StrEnum):
    """Which rooms an account is in by itself, whatever its clients do."""

    BOOKMARKED = "bookmarked"
    ALL = "all"
    OFF = "off"


@dataclass(frozen=True)
class Server:
    """Whom this server serves."""

    domains: tuple[str, ...] = setting(
        ["localhost"],
        values.array_of(values.domain, at_least=1),
        'The domains of the addresses given out here: juliet@example.org needs "example.org". Each has its own'
        " accounts and its own room service.",
    )
    data_dir: Path = setting(
        "var",
        values.path,
        "Where the server keeps what is its own, among it the socket that the command line talks to. Here and"
        " everywhere else, a relative path is relative to the directory in which the server is started.",
    )
    admins: tuple[JID, ...] = setting(
        [],
        values.array_of(values.bare_jid),
        "Bare JIDs of those who may send announcements and use ad-hoc administration.",
        example='["juliet@example.org"]',
    )


@dataclass(frozen=True)
class Storage:
    """Where accounts, rosters, rooms and messages are kept."""

    url: str = setting(
        "sqlite:///var/fermata.db",
        values.database_url,
        "SQLite needs nothing installed; four slashes (sqlite:////var/lib/fermata/fermata.db) begin an absolute path."
        ' For PostgreSQL write "postgresql+psycopg://user@host/database".',
    )
    durability: Durability = setting(
        "process",
        values.word_of(Durability),
        'What the server has acknowledged survives its own end by any means ("process"), or a power cut as well'
        ' ("power"), at the price of waiting for the disk.',
    )


@dataclass(frozen=True)
class TLS:
    """The certificate that clients and other servers see.

    Made by the server itself at the first start if neither file is there; clients will warn of that one. SIGHUP loads
    both files again.
    """

    certificate: Path = setting(
        "var/tls/cert.pem",
        values.path,
        "PEM: the certificate, which should name all domains and room services, then those that lead to its issuer. A"
        " domain is shown DOMAIN.pem with DOMAIN.key instead, where they stand beside it.",
    )
    key: Path = setting(
        "var/tls/key.pem",
        values.path,
        "PEM, without a passphrase, and readable by the server alone (mode 0600).",
    )
    ca_file: Path | None = setting(
        "",
        values.optional(values.path),
        "More certificate authorities to trust when talking to other servers, beside the system's: for a private"
        " federation.",
    )


@dataclass(frozen=True)
class C2S:
    r"""Connections from clients.

    Everything here listens on this machine alone until you say otherwise: "tcp:5222" listens on all its IPv4 addresses,
    "tcp6:5222:interface=\\:\\:" on IPv6 as well. Any endpoint string of Twisted will do.
    """

    listen: tuple[str, ...] = setting(
        ["tcp:5222:interface=127.0.0.1"],
        values.array_of(values.endpoint),
        "Streams that begin in clear text and change to TLS (STARTTLS).",
    )
    listen_direct_tls: tuple[str, ...] = setting(
        ["tcp:5223:interface=127.0.0.1"],
        values.array_of(values.endpoint),
        "Streams that are TLS from the first byte (XEP-0368).",
    )
    require_tls: bool = setting(
        True,
        values.flag,
        "Never change this outside of tests: false lets passwords cross the network in clear text.",
    )


@dataclass(frozen=True)
class Stay:
    """How people stay in their rooms: each mechanism has its own switch."""

    journal: bool = setting(True, values.flag, "Rooms keep their occupants over a stop or crash of this server.")
    limbo: bool = setting(True, values.flag, "Occupants whose server is out of reach stay in our rooms.")
    client_resume: bool = setting(True, values.flag, "Clients resume their streams after a stop or crash.")
    client_resume_seconds: int = setting(
        7_200,
        values.seconds(at_least=30),
        "How long a client that has lost its connection, and uses stream management, may take to come back. Meanwhile"
        " it stays in its rooms, and its contacts see it as it was.",
    )
    server_resume: bool = setting(
        True,
        values.flag,
        "Streams with servers that can do that (other Fermatas) go on after a cut, a stop or crash: nothing that was"
        " under way comes twice.",
    )
    guardian: bool = setting(True, values.flag, "Watch over our users' places in rooms elsewhere; win lost ones back.")
    cheap_rejoin: bool = setting(True, values.flag, "Send those who do enter again only what has changed.")
    restart_invites: RestartInvites = setting(
        "opt-in",
        values.word_of(RestartInvites),
        'Occupants who could not be kept are invited back: those who asked for it ("opt-in"), "all", or none ("off").',
    )


@dataclass(frozen=True)
class MUC:
    """Rooms."""

    service: str = setting(
        "conference",
        values.domain,
        "The room service of every domain is conference.<domain>; a name with a dot is taken whole, and serves all.",
    )

    def service_of(self, domain: str) -> str:
        """The room service of one of our domains."""
        return self.service if "." in self.service else f"{self.service}.{domain}"


@dataclass(frozen=True)
class Accounts:
    """Accounts."""

    room_joining: RoomJoining = setting(
        "bookmarked",
        values.word_of(RoomJoining),
        'An account is in its "bookmarked" rooms with or without a client; or in "all" that it ever entered; or'
        ' only as its clients say ("off").',
    )
    abandoned_days: int = setting(
        0, values.limit(), "An account that was not online for so many days leaves those rooms; 0 keeps it in them."
    )


@dataclass(frozen=True)
class Archive:
    """The message archives."""

    accounts: bool = setting(True, values.flag, "Keep the messages of accounts.")
    rooms: bool = setting(True, values.flag, "Keep the messages of rooms.")
    retention_days: int = setting(
        0,
        values.limit(),
        "Forget messages after so many days; 0 keeps them for good. Clients that were away for longer miss some, so 30"
        " or more are advisable.",
    )


@dataclass(frozen=True)
class Log:
    """The log on standard output, without what people write.

    The server can also be told with `fermata log`, while it runs. With --syslog or --logger of twistd, neither key has
    any effect.
    """

    level: LogThreshold = setting(
        "info",
        values.word_of(LogThreshold),
        'What is worth a line: everything ("debug"), what happens ("info"), what may be wrong ("warn"), or what is'
        ' ("error").',
    )
    format: LogFormat = setting(
        "plain",
        values.word_of(LogFormat),
        'For people ("plain"), or one JSON object on each line ("json").',
    )


@dataclass(frozen=True)
class HTTP:
    """What programs ask over HTTP: `/metrics` for Prometheus, and `/health`.

    Neither asks who is there, so leave it to this machine or a network of your own.
    """

    listen: tuple[str, ...] = setting(
        ["tcp:5280:interface=127.0.0.1"],
        values.array_of(values.endpoint),
        "Where to ask.",
    )


@dataclass(frozen=True)
class Limits:
    """What one person may cost the others. 0 is no limit."""

    stanza_bytes: int = setting(
        262_144,
        values.limit(at_least=10_000),
        "The longest stanza that a client may send; the RFC forbids less than 10000.",
    )
    server_stanza_bytes: int = setting(
        524_288, values.limit(), "The same for stanzas from other servers, which often wrap what people send."
    )
    server_queue_bytes: int = setting(
        20_000_000,
        values.limit(),
        "What may wait for another server (all domains of its site), for each of our domains and rooms' services.",
    )
    sessions_per_account: int = setting(20, values.limit(), "Clients connected to one account at a time.")
    queue_stanzas: int = setting(
        5_000,
        values.limit(),
        "Stanzas held for one client that reads too slowly, or is away; beyond, those that archives have are dropped,"
        " and if that does not help it is disconnected. Of presences from different people, ten times as many more.",
    )
    queue_bytes: int = setting(10_000_000, values.limit(), "The same in bytes.")
    connections_per_address: int = setting(
        0,
        values.limit(),
        "Connections at a time from one IP address. Mind that a whole office or mobile network may share one.",
    )
    unauthenticated_seconds: int = setting(60, values.limit(), "How long a connection may take to log in.")
    failed_logins_per_minute: int = setting(
        10,
        values.limit(),
        "Wrong passwords for one account from one IP address, before further attempts have to wait; ten times as many"
        " for one account from anywhere, or from one address for any account.",
    )
    roster_items: int = setting(2_000, values.limit(), "Contacts of one account.")
    stranger_requests_per_minute: int = setting(
        60,
        values.limit(),
        "Subscription requests that one address may send to accounts whose contact it is not.",
    )
    stranger_messages_per_minute: int = setting(
        0,
        values.limit(),
        "Messages that one address may send to accounts whose contact it is not; 30 suits a public server.",
    )
    joined_rooms_per_account: int = setting(
        500, values.limit(), "Rooms that one account is in without a client of its own."
    )
    occupants_per_room: int = setting(0, values.limit(), "The most that the owner of a room may allow.")


@dataclass(frozen=True)
class Config:
    """The whole configuration; `Config()` is what an empty file means."""

    server: Server = field(default_factory=Server)
    storage: Storage = field(default_factory=Storage)
    tls: TLS = field(default_factory=TLS)
    c2s: C2S = field(default_factory=C2S)
    s2s: S2S = field(default_factory=S2S)
    stay: Stay = field(default_factory=Stay)
    muc: MUC = field(default_factory=MUC)
    pubsub: PubSub = field(default_factory=PubSub)
    accounts: Accounts = field(default_factory=Accounts)
    registration: Registration = field(default_factory=Registration)
    archive: Archive = field(default_factory=Archive)
    components: Components = field(default_factory=Components)
    log: Log = field(default_factory=Log)
    http: HTTP = field(default_factory=HTTP)
    limits: Limits = field(default_factory=Limits)

    def room_services(self) -> tuple[str, ...]:
        """The domains of the room services, in the order of the domains that they belong to."""
        return tuple(dict.fromkeys(self.muc.service_of(domain) for domain in self.server.domains))

    def pubsub_services(self) -> tuple[str, ...]:
        """The domains of the publish-subscribe services; none where they are switched off."""
        found = (self.pubsub.service_of(domain) for domain in self.server.domains)
        return tuple(dict.fromkeys(service for service in found if service))

    def certificate_names(self) -> tuple[str, ...]:
        """Every domain that the certificate should name."""
        components = (domain for domain, _ in self.components.domains())
        return (*self.server.domains, *self.room_services(), *self.pubsub_services(), *components)


def table_class(table: Field) -> Any:
    """The dataclass of a field of Config: every table is made by its class."""
    return table.default_factory
