"""XEP-0441: Message Archive Management Preferences. `services.safekeeping` obeys them."""

from ..core.archive_preferences import PREFS, SPACE, Preferences
from ..core.records import Step, ValueSaved
from ..host.extension import Host, extension
from ..host.iq import Addressee, Answer, Request
from ..xmpp.element import Element, serialise


@extension(xep=441, version="0.2.0")
def preferences(host: Host) -> None:
    """Answers the account itself, where accounts have archives; it is no feature of its own."""
    if host.archive is not None:
        host.on_iq(Addressee.SELF, "get", PREFS, _tell)
        host.on_iq(Addressee.SELF, "set", PREFS, _change)


def _tell(request: Request) -> Element:
    return request.owner.preferences.element()


def _change(request: Request) -> Answer:
    """What is kept from now on; what was kept before stays."""
    account = request.owner
    account.preferences = Preferences.parse(request.payload)
    kept = account.preferences.element()
    saved = ValueSaved(account.number, SPACE, "", serialise(kept))
    return Answer(kept, Step([saved], lineage=account.lineage))
