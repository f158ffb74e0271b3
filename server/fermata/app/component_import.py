"""Imports the code of components that this process runs: `package.module:Name` in [components.inside]."""

from collections.abc import Callable, Iterable
from functools import reduce
from importlib import import_module
from typing import Any

from twisted.words.protocols.jabber.ijabber import IXMPPHandler

# Makes wokkel run on today's Twisted, for components that import it by themselves.
from ..xmpp import wokkel as _wokkel  # noqa: F401
from .config_components import Inside


class ComponentError(Exception):
    """A component cannot be run; the words are for the operator."""


def import_factory(path: str) -> Callable[..., Any]:
    """What stands at `package.module:Name`. Raises ComponentError."""
    module, _, name = path.partition(":")
    try:
        found = reduce(getattr, name.split("."), import_module(module))
    except Exception as error:
        raise ComponentError(f"{path} cannot be imported: {_words(error)}") from error
    if not callable(found):
        raise ComponentError(f"{path} is neither a class nor a function")
    return found


def make_subprotocols(domain: str, config: Inside) -> list[Any]:
    """What a component consists of: wokkel's handlers for subprotocols. Raises ComponentError."""
    try:
        made = import_factory(config.handler)(**config.options)
        handlers = list(made) if isinstance(made, Iterable) else [made]
    except ComponentError as error:
        raise ComponentError(f"the component {domain}: {error}") from error
    except Exception as error:
        raise ComponentError(f"the component {domain}: {config.handler} has failed: {_words(error)}") from error
    for each in handlers:
        if not IXMPPHandler.providedBy(each):
            found = type(each).__name__
            raise ComponentError(f"the component {domain}: what {config.handler} makes is no XMPPHandler but {found}")
    return handlers


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
