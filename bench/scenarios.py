"""What is measured, and what is aimed at: how much Fermata may take of what the better of the others takes."""

from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

WARM_UP_LOGINS: Final = 100


class Unit(Enum):
    """What a figure is for. `field` is where the generator's JSON has it."""

    MESSAGE = "cpu_us", "µs/message"
    PRESENCE = "cpu_us", "µs/presence"
    LOGIN = "cpu_us", "µs/login"
    SESSION = "session_kb", "KB/session"
    WAIT = "p99_ms", "ms (p99)"

    def __init__(self, field: str, label: str) -> None:
        self.field, self.label = field, label


@dataclass(frozen=True)
class Scenario:
    """One kind of load. `arguments` are the generator's; `target` is a ratio to the better peer, or to `baseline`.

    `baseline` is the key of a scenario that Fermata is compared with in place of the peers; `only` the name of the
    server that it is for, if it is for one.
    """

    key: str
    title: str
    arguments: str
    unit: Unit = Unit.MESSAGE
    target: float | None = None
    keeps_archive: bool = True
    keeps_journal: bool = True
    is_timed: bool = True
    is_quick: bool = False
    clients: int = 200
    baseline: str = ""
    only: str = ""
    is_federated: bool = False  # between two servers, of which the first is measured
    has_hanging_domains: bool = False

    @property
    def accounts(self) -> int:
        """How many it needs."""
        return self.clients + (WARM_UP_LOGINS if self.unit is Unit.LOGIN else 0)

    @property
    def needs_old_accounts(self) -> bool:
        """Whether the accounts have to have been logged in before: the first time costs more than all others."""
        return self.unit in (Unit.LOGIN, Unit.SESSION)


def _acknowledged(scenario: Scenario) -> Scenario:
    arguments = f"{scenario.arguments} --stream-management"
    title = f"{scenario.title}, stream management"
    return replace(
        scenario,
        key=f"{scenario.key}-sm",
        title=title,
        arguments=arguments,
        target=1.35,
        baseline=scenario.key,
        is_quick=False,
    )


def _clear(scenario: Scenario) -> Scenario:
    arguments = scenario.arguments.removesuffix(" --tls")
    title = f"{scenario.title}, no TLS"
    return replace(scenario, key=f"{scenario.key}-clear", title=title, arguments=arguments, target=None, is_quick=False)


def _unarchived(scenario: Scenario, target: float) -> Scenario:
    title = f"{scenario.title}, no archive"
    return replace(scenario, key=f"{scenario.key}-off", title=title, keeps_archive=False, target=target, is_quick=False)


def _unjournalled(scenario: Scenario) -> Scenario:
    return replace(
        scenario,
        key=f"{scenario.key}-off",
        title=f"{scenario.title}, no journal",
        keeps_journal=False,
        only="fermata",
        target=None,
        is_quick=False,
    )


_LOGIN: Final = "login --tls"
_CHATS: Final = [
    Scenario("chat-1", "chat, 1 outstanding", "chat --window 1 --tls", target=0.33, is_quick=True),
    Scenario("chat-8", "chat, 8 outstanding", "chat --window 8 --tls", target=0.2, is_quick=True),
]
_GROUPCHATS: Final = [
    Scenario("group-1x200", "groupchat, 1 room × 200", "groupchat --senders 1", target=0.3, is_quick=True),
    Scenario(
        "group-50x20",
        "groupchat, 50 rooms × 20",
        "groupchat --rooms 50 --senders 2",
        target=0.3,
        is_quick=True,
        clients=1000,
    ),
]
_ENTRIES: Final = [
    Scenario("join-500", "500 enter one room", "join", Unit.PRESENCE, 0.15, is_timed=False, is_quick=True, clients=500),
    Scenario("login-scram", "login, SCRAM-SHA-1", _LOGIN, Unit.LOGIN, 0.85, is_timed=False, is_quick=True, clients=500),
    Scenario("login-plain", "login, PLAIN", f"{_LOGIN} --plain", Unit.LOGIN, is_timed=False, clients=500),
    Scenario("idle-2000", "idle session", "idle --tls", Unit.SESSION, 1.1, clients=2000),
]
_SERVER_CHAT: Final = Scenario(
    "s2s-chat", "chat between servers", "chat --window 1", clients=20, is_federated=True, keeps_archive=False
)
_BETWEEN_SERVERS: Final = [
    Scenario(
        "s2s-group-1x200",
        "groupchat, 1 room × 200 on another server",
        "groupchat --senders 1",
        target=0.5,
        is_federated=True,
    ),
    _SERVER_CHAT,
    replace(
        _SERVER_CHAT,
        key="s2s-chat-hanging",
        title="chat between servers while 50 domains hang",
        unit=Unit.WAIT,
        target=1.1,
        baseline=_SERVER_CHAT.key,
        has_hanging_domains=True,
    ),
]
SCENARIOS: Final = [
    *_CHATS,
    *_GROUPCHATS,
    *_ENTRIES,
    *_BETWEEN_SERVERS,
    *map(_acknowledged, _CHATS),
    *map(_clear, _CHATS),
    _unjournalled(_ENTRIES[0]),
    *map(_unarchived, [*_CHATS, *_GROUPCHATS], [0.65, 0.45, 0.6, 0.45]),
]


class Price(NamedTuple):
    """What Fermata pays for something that it keeps: how much it takes `with_` it, of what it takes `without`."""

    title: str
    with_: str
    without: str
    target: float


PRICES: Final = [
    *[Price(f"archive: {each.title}", each.key, f"{each.key}-off", 1.25) for each in _GROUPCHATS],
    *[Price(f"journal: {each.title}", each.key, f"{each.key}-off", 1.5) for each in _ENTRIES[:1]],
]


def choose(pattern: str, quick: bool) -> list[Scenario]:
    """The scenarios whose keys match one of the shell patterns (with commas between them); all if there is none."""
    patterns = pattern.split(",") if pattern else ["*"]
    chosen = [scenario for scenario in SCENARIOS if any(fnmatchcase(scenario.key, each) for each in patterns)]
    return [scenario for scenario in chosen if scenario.is_quick or pattern or not quick]
