"""Reads `etc/fermata.toml` strictly: whatever in it has no meaning is an error, and all errors are told at once."""

import dataclasses
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from . import toml_lines
from .config_setting import Field, is_table, nearest
from .config_tables import Config, table_class
from .config_values import InvalidError, type_name
from .endpoints import clash

__all__ = ["Config", "ConfigError", "Problem", "listeners", "load"]


class Problem(NamedTuple):
    """One thing wrong with a configuration file; `line` is 0 where no line is to blame."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` are all its faults, and the text one line for each."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def load(path: Path) -> Config:
    """The configuration in that file. Raises ConfigError."""
    try:
        text = path.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except FileNotFoundError as error:
        raise ConfigError([Problem(str(path), 0, "is not there; an empty file would do")]) from error
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "is not UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_problem(path, text, str(error))]) from error
    reading = _Reading(str(path), toml_lines.find_lines(text))
    config = reading.config(document)
    if reading.problems:
        raise ConfigError(sorted(reading.problems, key=lambda problem: problem.line))
    return config


def _syntax_problem(path: Path, text: str, message: str) -> Problem:
    """What tomllib found, with the line out of its message: "InvalidError value (at line 3, column 7)"."""
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if place is None:
        return Problem(str(path), 0, message)
    line = int(place[1]) if place[1] else text.count("\n", 0, len(text.rstrip())) + 1
    return Problem(str(path), line, f"{message[: place.start()]} (no valid TOML)")


class _Reading:
    """Turns one document into a Config, and collects what is wrong with it on the way."""

    def __init__(self, file: str, lines: dict[toml_lines.Path, int]) -> None:
        self.problems: list[Problem] = []
        self._file, self._lines = file, lines

    def config(self, document: dict[str, Any]) -> Config:
        tables: dict[str, Any] = {}
        known = {field.name: field for field in dataclasses.fields(Config)}
        for name, content in document.items():
            if name not in known:
                self._unknown_at_root(name, content, list(known))
            elif not isinstance(content, dict):
                self._problem((name,), f"[{name}] must be a table, not {type_name(content)}")
            else:
                tables[name] = self._table(name, table_class(known[name]), content)
        config = Config(**tables)
        if not self.problems:
            self._contradictions(config)
        return config

    def _table(self, table: str, cls: Any, content: dict[str, Any]) -> Any:
        keys: dict[str, Any] = {}
        known = {field.name: field for field in dataclasses.fields(cls)}
        for name, value in content.items():
            if name not in known:
                self._unknown_in_table(table, name, value, list(known.values()))
                continue
            try:
                keys[name] = known[name].metadata["read"](value)
            except InvalidError as invalid:
                for below, sentence in invalid.problems:
                    shown = "".join(f' "{step}"' for step in below)
                    self._problem((table, name, *below), f"`{name}`{shown} in [{table}]: {sentence}")
        return cls(**keys)

    def _unknown_at_root(self, name: str, content: object, known: list[str]) -> None:
        if isinstance(content, dict) or (isinstance(content, list) and content and isinstance(content[0], dict)):
            self._problem((name,), f"unknown table [{name}]; {nearest(name, known, '[{}]')}")
        else:
            self._problem((name,), f"unknown key `{name}` outside of any table; {_elsewhere(name) or 'it needs one'}")

    def _unknown_in_table(self, table: str, name: str, value: object, known: list[Field]) -> None:
        if isinstance(value, dict):
            tables = [f"{table}.{field.name}" for field in known if is_table(field)] + _names(
                dataclasses.fields(Config)
            )
            advice = nearest(f"{table}.{name}", tables, "[{}]")
            self._problem((table, name), f"unknown table [{table}.{name}]; {advice}")
        else:
            advice = _elsewhere(name) or nearest(name, _names(known), "`{}`")
            self._problem((table, name), f"unknown key `{name}` in [{table}]; {advice}")

    def _contradictions(self, config: Config) -> None:
        """What is wrong only between keys that are all right alone."""
        self._service_domains(config)
        self._component_domains(config)
        taken: list[tuple[str, tuple[str, str]]] = []
        for where, text in listeners(config):
            for other, (table, key) in taken:
                if clash(text, other):
                    self._problem(where, f"`{where[1]}` in [{where[0]}]: {text!r} is taken by `{key}` in [{table}]")
            taken.append((text, where))

    def _service_domains(self, config: Config) -> None:
        rooms, nodes = config.room_services(), config.pubsub_services()
        for table, kind, services in (("muc", "a room service", rooms), ("pubsub", "a pubsub service", nodes)):
            for service in set(services) & set(config.server.domains):
                place = (table, "service") if (table, "service") in self._lines else ("server", "domains")
                self._problem(place, f"{service} cannot be both {kind} and one of `domains` in [server]")
        for service in set(rooms) & set(nodes):
            self._problem(("pubsub", "service"), f"{service} cannot be both a pubsub service and a room service")

    def _component_domains(self, config: Config) -> None:
        served = dict.fromkeys(config.server.domains, "one of `domains` in [server]")
        served |= dict.fromkeys(config.room_services(), "a room service")
        served |= dict.fromkeys(config.pubsub_services(), "a pubsub service")
        for domain, (kind, name, *key) in config.components.domains():
            if domain in served:
                self._problem(("components", kind, name, *key), f"{domain} in [components.{kind}] is {served[domain]}")
            served.setdefault(domain, "another component")

    def _problem(self, path: toml_lines.Path, text: str) -> None:
        while path and path not in self._lines:
            path = path[:-1]
        self.problems.append(Problem(self._file, self._lines.get(path, 0), text))


def _names(fields: Iterable[Field]) -> list[str]:
    return [field.name for field in fields]


def _elsewhere(name: str) -> str:
    """Advice for a key that stands in the wrong table."""
    for table in dataclasses.fields(Config):
        if name in _names(dataclasses.fields(table_class(table))):
            return f"it belongs into [{table.name}]"
    return ""


def listeners(config: Config) -> list[tuple[tuple[str, str], str]]:
    """Every endpoint that is listened on, with the table and key that it comes from."""
    found: list[tuple[tuple[str, str], str]] = []
    for table in dataclasses.fields(config):
        for key in ("listen", "listen_direct_tls"):
            found += [((table.name, key), text) for text in getattr(getattr(config, table.name), key, ())]
    return found
