"""The changelogs of rooms, as they are kept: see `core.muc.changelog`."""

from ..core.muc.changelog import NICKS, SPACES, Kept
from ..host.stores import ValueStore


async def changelog_of(values: ValueStore, room: int) -> Kept:
    """The changelog of the room with that number; empty if nobody has ever asked for one, as in most rooms."""
    nicks = await values.values(room, NICKS)
    if not nicks:
        return {}
    return {NICKS: nicks, **{space: await values.values(room, space) for space in SPACES if space != NICKS}}
