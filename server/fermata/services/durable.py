"""Records that somebody waits for until they are on disk."""

from collections.abc import Iterable

from ..core.records import Record, Step
from ..host.stores import SettledWriter
from ..xmpp.errors import StanzaError


async def keep(writer: SettledWriter, records: Iterable[Record]) -> None:
    """Keeps records together. Raises StanzaError `internal-server-error`, whose text is for people, if it can't be."""
    step = Step(list(records))
    writer.submit(step)
    await writer.settled()
    if step.error is not None:
        raise StanzaError("internal-server-error", f"the database refused it: {step.error}", "wait")
