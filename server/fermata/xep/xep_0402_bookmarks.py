"""XEP-0402: PEP Native Bookmarks, and older clients' bookmarks made of the same (its §7.3, XEP-0048)."""

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns


@extension(xep=402, version="1.2.0", account_features=(ns.BOOKMARKS + "#compat", ns.BOOKMARKS + "#compat-pep"))
def bookmarks(host: Host) -> None:
    """Nothing is left to do: they are items like any other, and `services.bookmarks` makes the list of them."""
