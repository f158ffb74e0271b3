"""The table [components] of the configuration: entities at domains of their own that are not part of this server."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import config_values as values
from .config_setting import REQUIRED, record_of, setting


@dataclass(frozen=True)
class External:
    """A component that connects (XEP-0114)."""

    secret: str = setting(REQUIRED, values.filled_text, "What the component must know.")
    also: tuple[str, ...] = setting([], values.array_of(values.domain), "More domains that it answers for.")


@dataclass(frozen=True)
class Inside:
    """A component that is run by this process."""

    handler: str = setting(REQUIRED, values.import_path, 'What to import and call, as "package.module:Name".')
    options: Mapping[str, Any] = setting({}, values.free_table, "What it is called with.")


@dataclass(frozen=True)
class Components:
    """Bots, gateways and services at domains of their own, each with its domain as the key.

    docs/extensions.md shows how to write one.
    """

    listen: tuple[str, ...] = setting(
        [],
        values.array_of(values.endpoint),
        "Where external components connect. The protocol has no encryption: keep it on this machine.",
        example='["tcp:5347:interface=127.0.0.1"]',
    )
    external: Mapping[str, External] = setting(
        {},
        values.table_of(values.domain, record_of(External)),
        "Programs of their own, which connect (XEP-0114) and prove that they know the secret. `also` lists more domains"
        " that the same program answers for and may send from.",
        example='"irc.example.org" = { secret = "long and random", also = [] }',
    )
    inside: Mapping[str, Inside] = setting(
        {},
        values.table_of(values.domain, record_of(Inside)),
        "Run by this process: `handler` is a wokkel XMPPHandler, or a function that returns one or several, as"
        ' "package.module:Name"; it is called with the options.',
        example='"echo.example.org" = { handler = "echo_bot:EchoBot", options = {} }',
    )

    def domains(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every domain that a component answers for, with the path to it below [components]."""
        for name, component in self.external.items():
            yield name, ("external", name)
            for domain in component.also:
                yield domain, ("external", name, "also")
        for name in self.inside:
            yield name, ("inside", name)
