"""The stream features that clients are offered, before and after they have authenticated (RFC 6120 §4.3.2)."""

from ..host.extension import Discoverable
from ..xmpp import namespaces as ns
from .config import Config


def limits_before(config: Config) -> str:
    """XEP-0478: what a client that nobody knows yet may send."""
    return f"<limits xmlns='{ns.STREAM_LIMITS}'><max-bytes>10000</max-bytes></limits>"


def features_after(config: Config, discoverable: Discoverable) -> str:
    """What a client can do once it has authenticated."""
    limit = config.limits.stanza_bytes
    limits = f"<limits xmlns='{ns.STREAM_LIMITS}'><max-bytes>{limit}</max-bytes></limits>" if limit else ""
    return (
        f"<bind xmlns='{ns.BIND}'/><session xmlns='{ns.SESSION}'><optional/></session><sm xmlns='{ns.SM}'/>"
        f"<ver xmlns='{ns.ROSTER_VERSIONS}'/><sub xmlns='{ns.PRE_APPROVAL}'/>{limits}"
    )
