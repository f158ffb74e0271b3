"""XEP-0157: Contact Addresses for XMPP Services: the administrators of the server, where there are any."""

from urllib.parse import quote

from ..host.extension import Host, extension
from ..xmpp import namespaces as ns
from ..xmpp.dataforms import Field, Form
from ..xmpp.jid import JID

_LOCALPART = "!$()*+,;="  # what may stand as it is in the localpart of an address (RFC 5122 §2.2)


@extension(xep=157, version="1.1.1")
def contact_addresses(host: Host) -> None:
    """Adds the form to what service discovery tells of the server."""
    if host.admins:
        addresses = [uri_of(JID.parse(admin)) for admin in host.admins]
        form = Form("result", ns.SERVER_INFO, (Field.list_multi("admin-addresses", addresses, {}),))
        host.discoverable.server_forms.append(form)


def uri_of(jid: JID) -> str:
    """The `xmpp:` URI of a bare JID (RFC 5122)."""
    localpart = f"{quote(jid.local, safe=_LOCALPART)}@" if jid.local else ""
    return f"xmpp:{localpart}{quote(jid.domain, safe='[]:')}"
