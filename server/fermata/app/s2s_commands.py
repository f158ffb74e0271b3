"""What the command line can have done about other servers: names and arguments are those of the control socket."""

from typing import Any

from ..services.federation import Federation
from ..xmpp.jid import JID
from .control import Commands
from .s2s_examination import Examination


def s2s_commands(federation: Federation, examination: Examination) -> Commands:
    """What `fermata s2s` asks of the running server."""

    async def test(domain: str, local: str = "") -> dict[str, Any]:
        return await examination.run(JID.parse(domain).domain, local and JID.parse(local).domain)

    return {
        "s2s-list": lambda: [row._asdict() for row in federation.links.rows()],
        "s2s-close": lambda domain: federation.links.end(JID.parse(domain).domain),
        "s2s-test": test,
    }
