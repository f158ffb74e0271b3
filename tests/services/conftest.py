"""Services are tried through the front door: a whole server in memory."""

from kit.world import world, worlds

__all__ = ["world", "worlds"]
