"""XEP-0398: User Avatar to vCard-Based Avatars Conversion.

Avatars that are published are shown in vCards (`xep_0054_vcard`), those in vCards are published, and presence has the
hash of either (`services.avatars`).
"""

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns


@extension(xep=398, version="1.0.0", account_features=(ns.AVATAR_CONVERSION,))
def avatar_conversion(host: Host) -> None:
    """Nothing is left to do."""
