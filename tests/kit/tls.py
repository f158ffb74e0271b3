"""TLS between two ends in memory."""

from contextlib import suppress

from OpenSSL import SSL


def shake_hands(client: SSL.Connection, server: SSL.Connection) -> None:
    """Everything that both ends have to say to each other before the first octet of theirs."""
    client.set_connect_state()
    server.set_accept_state()
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(2**16))
