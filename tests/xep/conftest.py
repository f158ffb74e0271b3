"""Extensions are tried through the front door: a whole server in memory."""

from kit.world import world

__all__ = ["world"]
