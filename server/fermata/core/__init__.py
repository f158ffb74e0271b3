"""The rules of XMPP: state machines without I/O, clocks or chance."""
