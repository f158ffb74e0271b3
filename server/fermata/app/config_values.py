"""What may stand behind a key of the configuration: each reader takes a TOML value and returns the typed one.

A reader raises `InvalidError`, whose sentences follow the name of the key.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from ..xmpp.jid import JID, JIDError
from .endpoints import check_endpoint

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader = Callable[[Any], T]

_TYPE_NAMES: Final = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "a string",
    list: "an array",
    dict: "a table",
}
_POSTGRESQL: Final = "postgresql+psycopg"
_PASSWORD: Final = re.compile(r"(://[^:@]*):.*@")  #: in a URL; what is said of one does not repeat it
_HOST_PORT: Final = re.compile(r"(?:\[(?P<ipv6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>[0-9]{1,5})")

_IMPORT_PATH: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class InvalidError(ValueError):
    """A value that cannot be used; `problems` are pairs of the path below the key (mostly empty) and a sentence."""

    def __init__(self, *problems: tuple[tuple[str, ...], str]) -> None:
        super().__init__(*problems)
        self.problems = problems


class HostPort(NamedTuple):
    """A host name or IP address, and a port."""

    host: str
    port: int


def type_name(value: object) -> str:
    """What TOML calls a value of that type, with its article."""
    return _TYPE_NAMES.get(type(value), "a date or time")


def _typed(kind: type[T], expected: str = "") -> Reader[T]:
    def read(value: Any) -> T:
        if type(value) is not kind:  # a boolean is no integer here
            raise InvalidError(((), f"expected {expected or _TYPE_NAMES[kind]}, not {type_name(value)}"))
        return value

    return read


text: Final = _typed(str)
flag: Final = _typed(bool, "true or false")
_integer: Final = _typed(int)


def limit(at_least: int = 0) -> Reader[int]:
    """A count of something: 0 for no limit, otherwise not less than `at_least`."""

    def read(value: Any) -> int:
        number = _integer(value)
        if number < 0 or 0 < number < at_least:
            wanted = f"{at_least} or more, or 0 for no limit" if at_least else "0 (no limit) or more"
            raise InvalidError(((), f"expected {wanted}, not {number}"))
        return number

    return read


def seconds(at_least: int) -> Reader[int]:
    """A time that must not be shorter than that."""

    def read(value: Any) -> int:
        number = _integer(value)
        if number < at_least:
            raise InvalidError(((), f"expected {at_least} or more, not {number}"))
        return number

    return read


def filled_text(value: Any) -> str:
    """A string that is not empty."""
    words = text(value)
    if not words:
        raise InvalidError(((), "must not be empty"))
    return words


def import_path(value: Any) -> str:
    """Where a Python name is to be imported from: `package.module:Name`."""
    name = text(value)
    if _IMPORT_PATH.fullmatch(name) is None:
        raise InvalidError(((), f'"{name}" is not of the form "package.module:Name"'))
    return name


def free_table(value: Any) -> Mapping[str, Any]:
    """A table of whatever its reader wants."""
    return MappingProxyType(_typed(dict, "a table")(value))


def path(value: Any) -> Path:
    """A file or directory; a relative one is relative to the current directory."""
    name = text(value)
    if not name or "\0" in name:
        raise InvalidError(((), "expected the path of a file or directory"))
    return Path(name)


def word_of(words: type[E]) -> Reader[E]:
    """One of the words of an enumeration."""

    def read(value: Any) -> E:
        known = [str(word) for word in words]
        if value not in known:
            choice = ", ".join(f'"{word}"' for word in known[:-1]) + f' or "{known[-1]}"'
            found = f'"{value}"' if isinstance(value, str) else type_name(value)
            raise InvalidError(((), f"expected {choice}, not {found}"))
        return words(value)

    return read


def domain(value: Any) -> str:
    """A domainpart (RFC 7622 §3.2), prepared."""
    name = text(value)
    try:
        jid = JID.parse(name)
    except JIDError:
        jid = None
    if jid is None or jid != jid.domain or ":" in jid:
        raise InvalidError(((), f'"{name}" is no domain'))
    return jid.domain


def bare_jid(value: Any) -> JID:
    """The bare JID of a person."""
    name = text(value)
    try:
        jid = JID.parse(name)
    except JIDError as error:
        raise InvalidError(((), f'"{name}" is no JID: {error}')) from error
    if not jid.local or jid.resource:
        raise InvalidError(((), f'"{name}" is no bare JID such as "juliet@example.org"'))
    return jid


def endpoint(value: Any) -> str:
    """A Twisted endpoint string that a server can listen on."""
    name = text(value)
    try:
        return check_endpoint(name)
    except ValueError as error:
        raise InvalidError(((), str(error))) from error


def database_url(value: Any) -> str:
    """An SQLAlchemy URL of one of the two supported databases."""
    url = text(value)
    shown = _PASSWORD.sub(r"\1:***@", url)
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        if not rest.startswith("/") or rest == "/":
            raise InvalidError(
                ((), f'"{shown}" names no file; three slashes stand before it: "sqlite:///var/fermata.db"')
            )
        return url
    if scheme == _POSTGRESQL and separator:
        return _postgresql_url(url, shown)
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        raise InvalidError(((), f'"{shown}" must begin with "{_POSTGRESQL}://"'))
    expected = f'expected "sqlite:///FILE" or "{_POSTGRESQL}://USER@HOST/DATABASE"'
    raise InvalidError(((), f'{expected}, not "{shown}"'))


def _postgresql_url(url: str, shown: str) -> str:
    try:
        parts = urlsplit(url)
        has_database = parts.path.strip("/") != "" and parts.port != 0
    except ValueError:
        has_database = False
    if not has_database:
        raise InvalidError(((), f'"{shown}" is not of the form "{_POSTGRESQL}://USER@HOST:PORT/DATABASE"'))
    return url


def host_port(value: Any) -> HostPort:
    """A `host:port`; an IPv6 address stands in brackets."""
    name = text(value)
    match = _HOST_PORT.fullmatch(name)
    if match is None or not 0 < int(match["port"]) <= 65535:
        raise InvalidError(((), f'"{name}" is no "host:port"'))
    return HostPort(match["ipv6"] or match["host"], int(match["port"]))


def address_port(value: Any) -> HostPort:
    """The same with an IP address: where a name would be no use, since it would have to be found first."""
    place = host_port(value)
    try:
        ip_address(place.host)
    except ValueError:
        raise InvalidError(((), f'"{place.host}" is no IP address')) from None
    return place


def optional(read: Reader[T]) -> Reader[T | None]:
    """The same, or None for an empty string."""
    return lambda value: None if value == "" else read(value)


def array_of(read: Reader[T], at_least: int = 0) -> Reader[tuple[T, ...]]:
    """An array of such values, none of them twice."""

    def read_array(value: Any) -> tuple[T, ...]:
        items: list[T] = []
        problems: list[tuple[tuple[str, ...], str]] = []
        for item in _typed(list, "an array of strings")(value):
            try:
                items.append(read(item))
            except InvalidError as invalid:
                problems += invalid.problems
            else:
                if items[-1] in items[:-1]:
                    problems.append(((), f'"{item}" is there twice'))
        if not problems and len(items) < at_least:
            problems.append(((), "must not be empty"))
        if problems:
            raise InvalidError(*problems)
        return tuple(items)

    return read_array


def table_of(read_key: Reader[str], read: Reader[T]) -> Reader[Mapping[str, T]]:
    """A table whose keys are free."""

    def read_table(value: Any) -> Mapping[str, T]:
        items: dict[str, T] = {}
        problems: list[tuple[tuple[str, ...], str]] = []
        for key, item in _typed(dict, "a table")(value).items():
            try:
                items[read_key(key)] = read(item)
            except InvalidError as invalid:
                problems += [((key, *below), sentence) for below, sentence in invalid.problems]
        if problems:
            raise InvalidError(*problems)
        return MappingProxyType(items)

    return read_table
