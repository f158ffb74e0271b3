"""TLS with other servers, on either side: both show their certificates, and handshakes never fail over them.

RFC 7590, XEP-0368. What the peer's certificate is worth, `peer_certificate.proves` says once the handshake is over.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from ..host.federation import Pair
from .certificates import ascii_name
from .peer_certificate import Trust, ask_for_certificate, judge_by
from .targets import literal
from .tls import CertificateError, Identities, select

_ALPN: Final = b"xmpp-server"


class ServerTLS:
    """Our certificates as other servers see them, and the authorities that we trust. Raises CertificateError.

    `domains` are all of ours, those of rooms and components as well.
    """

    def __init__(self, certificate: Path, key: Path, domains: Sequence[str], ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._trust = _trust(ca_file)
        self._accepting = Identities(certificate, key, domains, _accept)
        self._opening = Identities(certificate, key, domains, ask_for_certificate, SSL.TLS_CLIENT_METHOD)

    def reload(self) -> None:
        """Reads all files again (SIGHUP). Raises CertificateError; what cannot be read then stays as it was."""
        self._trust = _trust(self._ca_file)
        self._accepting.reload()
        self._opening.reload()

    def files(self) -> list[Path]:
        """The files that `reload` looks for, whether or not they are there."""
        return self._accepting.files() + ([self._ca_file] if self._ca_file is not None else [])

    def fault(self, domain: str) -> str:
        """Why our own certificate would not prove a domain of ours to those who trust whom we trust; empty if it would.

        The words are those for a peer's ("its certificate …").
        """
        identity = self._opening.identity_for(domain)
        certificate, *issuers = map(crypto.X509.from_cryptography, (identity.certificate, *identity.issuers))
        return self._trust.fault_for(domain, certificate, issuers)

    def client_creator(self, pair: Pair, direct_tls: bool = False) -> IOpenSSLClientConnectionCreator:
        """For a connection that we have opened; `direct_tls` if it is TLS from its first byte (XEP-0368)."""
        return _Opened(self._opening.context_for(pair.local), pair.remote, direct_tls, self._trust)

    def server_creator(self, domain: str = "") -> IOpenSSLServerConnectionCreator:
        """For one that was opened to us, to that domain if it is known already (STARTTLS)."""
        return _Accepted(lambda: (self._accepting.context_for(domain), self._trust))


def _trust(ca_file: Path | None) -> Trust:
    try:
        return Trust(ca_file)
    except OSError as error:
        raise CertificateError(f"{ca_file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CertificateError(f"{ca_file} holds no certificate in PEM form") from None


def _accept(context: SSL.Context) -> None:
    """A context that the SNI callback changes to does not inherit this from the first one: each is prepared."""
    ask_for_certificate(context)
    # A session that is resumed knows the peer's certificate, but not the way from there to an authority.
    context.set_options(SSL.OP_NO_TICKET)
    context.set_alpn_select_callback(lambda _, offered: select(offered, _ALPN))


@implementer(IOpenSSLClientConnectionCreator)
class _Opened:
    def __init__(self, context: SSL.Context, remote: str, direct_tls: bool, trust: Trust) -> None:
        self._context, self._remote, self._direct_tls, self._trust = context, remote, direct_tls, trust

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        """See IOpenSSLClientConnectionCreator."""
        connection = SSL.Connection(self._context, None)
        judge_by(self._trust, connection)
        if not literal(self._remote):  # RFC 6066 §3
            connection.set_tlsext_host_name(ascii_name(self._remote).encode("ascii"))
        if self._direct_tls:
            connection.set_alpn_protos([_ALPN])
        return connection


@implementer(IOpenSSLServerConnectionCreator)
class _Accepted:
    """`current` is asked for each connection: a port goes on listening when certificates are read again."""

    def __init__(self, current: Callable[[], tuple[SSL.Context, Trust]]) -> None:
        self._current = current

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        """See IOpenSSLServerConnectionCreator."""
        context, trust = self._current()
        connection = SSL.Connection(context, None)
        judge_by(trust, connection)
        return connection
