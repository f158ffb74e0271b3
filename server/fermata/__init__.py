"""Fermata: an XMPP server that keeps people in their rooms."""

__version__ = "0.1.0.dev0"
