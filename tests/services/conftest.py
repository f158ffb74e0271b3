"""Services are tried through the front door: a whole server in memory."""

from kit.standing import ann, ben
from kit.world import world, worlds

__all__ = ["ann", "ben", "world", "worlds"]
