"""The shell towards the network: Twisted, sockets, TLS."""
