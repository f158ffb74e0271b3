"""What a client waits for: predicates for `Client.wait_for`."""

from collections.abc import Callable

from kit.stanzas import Check, Element, mismatch, text

Seen = Callable[[Element], bool]


def stanza(kind: str, *checks: Check, **attributes: str | None) -> Seen:
    """Such an element, as `kit.stanzas.mismatch` reads these."""
    return lambda element: not mismatch(element, kind, checks, attributes)


def said(body: str, **attributes: str | None) -> Seen:
    """A message with that body."""
    return stanza("message", lambda message: text(message, "body") == body, **attributes)


def here(sender: str, *checks: Check) -> Seen:
    """Available presence from there."""
    return stanza("presence", *checks, type=None, from_=sender)


def gone(sender: str, *checks: Check) -> Seen:
    """Unavailable presence from there."""
    return stanza("presence", *checks, type="unavailable", from_=sender)
