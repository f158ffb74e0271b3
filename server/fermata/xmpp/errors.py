"""Everything that a peer can be told to have done wrong.

Three exceptions reach a peer; they are raised anywhere and answered in one place. Anything else that is raised is
our own bug: it is logged, and the peer sees `internal-server-error`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# RFC 6120 §8.3.3: each condition and the error type that goes with it unless somebody says otherwise.
STANZA_CONDITIONS: Final = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "modify",
    "unexpected-request": "wait",
}
ERROR_TYPES: Final = frozenset({"auth", "cancel", "continue", "modify", "wait"})

# RFC 6120 §4.9.3.
STREAM_CONDITIONS: Final = frozenset(
    "bad-format bad-namespace-prefix conflict connection-timeout host-gone host-unknown improper-addressing"
    " internal-server-error invalid-from invalid-namespace invalid-xml not-authorized not-well-formed policy-violation"
    " remote-connection-failed reset resource-constraint restricted-xml see-other-host system-shutdown"
    " undefined-condition unsupported-encoding unsupported-feature unsupported-stanza-type unsupported-version".split()
)

# RFC 6120 §6.5.
SASL_CONDITIONS: Final = frozenset(
    "aborted account-disabled credentials-expired encryption-required incorrect-encoding invalid-authzid"
    " invalid-mechanism malformed-request mechanism-too-weak not-authorized temporary-auth-failure".split()
)


class StanzaError(Exception):
    """Refuses one stanza (RFC 6120 §8.3).

    `condition` is one of STANZA_CONDITIONS; `type` follows from it unless given; `text` is for people; `by` names the
    entity that refuses where that is not the addressee; `detail` is the Clark name of an application-specific element,
    `detail_attributes` what it says; `uri` is where else to go (§8.3.3.5, `gone`; §8.3.3.14, `redirect`).
    """

    def __init__(
        self,
        condition: str,
        text: str = "",
        type: str = "",
        by: str = "",
        detail: str = "",
        uri: str = "",
        detail_attributes: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        if condition not in STANZA_CONDITIONS:
            raise ValueError(f"no stanza error condition: {condition}")
        type = type or STANZA_CONDITIONS[condition]
        if type not in ERROR_TYPES:
            raise ValueError(f"no stanza error type: {type}")
        super().__init__(condition, text)
        self.condition, self.text, self.type, self.by, self.detail = condition, text, type, by, detail
        self.uri, self.detail_attributes = uri, detail_attributes


class StreamError(Exception):
    """Ends a stream (RFC 6120 §4.9); `detail` is the XML of an application-specific element, if any."""

    def __init__(self, condition: str, text: str = "", detail: str = "") -> None:
        if condition not in STREAM_CONDITIONS:
            raise ValueError(f"no stream error condition: {condition}")
        super().__init__(condition, text)
        self.condition, self.text, self.detail = condition, text, detail


class SASLError(Exception):
    """Ends one attempt to authenticate (RFC 6120 §6.5); the peer may try again."""

    def __init__(self, condition: str, text: str = "") -> None:
        if condition not in SASL_CONDITIONS:
            raise ValueError(f"no SASL error condition: {condition}")
        super().__init__(condition, text)
        self.condition, self.text = condition, text
