"""XEP-0133: Service Administration: commands for the administrators of the server, each with the XEP's node.

What they do is what the command line does: both call the same functions of `services`.
"""

from ...core.commands import CommandTable
from ...host.extension import Host, extension
from ...xmpp.jid import JID
from . import accounts, announcements, rooms


@extension(xep=133, version="1.3.1")
def administration(host: Host) -> None:
    """Offers the commands to those who are administrators by the configuration."""
    admins = frozenset(host.admins)

    def is_admin(jid: JID) -> bool:
        return jid.bare in admins

    table = host.services[CommandTable]
    for part in (accounts, announcements, rooms):
        for command in part.commands(host, is_admin):
            table.add(command)
