"""The stream features that clients are offered, before and after they have authenticated (RFC 6120 §4.3.2)."""

from ..core.xmlstream import Limits
from ..host.extension import Discoverable
from ..xmpp import namespaces as ns
from .config import Config


def limits_before() -> str:
    """What a client that nobody knows yet may send (XEP-0478)."""
    return _limits(Limits().unauthenticated_bytes)


def features_after(config: Config, discoverable: Discoverable) -> str:
    """What a client can do once it has authenticated; to be asked for when every extension is wired."""
    extensions = "".join([feature() for feature in discoverable.stream_features])
    return (
        f"<bind xmlns='{ns.BIND}'/><session xmlns='{ns.SESSION}'><optional/></session><sm xmlns='{ns.SM}'/>"
        f"<ver xmlns='{ns.ROSTER_VERSIONS}'/><sub xmlns='{ns.PRE_APPROVAL}'/>"
        f"{_limits(config.limits.stanza_bytes)}{extensions}"
    )


def _limits(stanza_bytes: int) -> str:
    """Nothing where there is no limit."""
    return f"<limits xmlns='{ns.STREAM_LIMITS}'><max-bytes>{stanza_bytes}</max-bytes></limits>" if stanza_bytes else ""
