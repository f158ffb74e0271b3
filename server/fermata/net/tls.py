"""TLS as a server offers it: contexts by name (SNI), ALPN, channel bindings, certificates that can be reloaded.

RFC 7590 (TLS 1.2 at least, no compression, no renegotiation), XEP-0368 (direct TLS), RFC 5929 and 9266 (bindings).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from .certificates import ascii_name
from .peer_certificate import names

_WEAK: Final = ("md5", "sha1")


class CertificateError(Exception):
    """A certificate cannot be used; the words are for the operator."""


class Identity:
    """A certificate with its key, ready to be shown: one OpenSSL context.

    Raises CertificateError if the files cannot be read or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path, method: int = SSL.TLS_SERVER_METHOD) -> None:
        context = SSL.Context(method)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
        # Whoever gets hold of the key one day shall not read what was said before (RFC 9325 §4.1).
        context.set_cipher_list(b"DEFAULT:!kRSA")
        # An idle connection gives its 34 KB of buffers back.
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_session_id(b"fermata")
        self.certificate, *self.issuers = _load(context, certificate, key)
        self.context = context
        self.end_point = _end_point(self.certificate)


def _load(context: SSL.Context, certificate: Path, key: Path) -> list[x509.Certificate]:
    content = _read(certificate)
    if b"ENCRYPTED" in _read(key):  # OpenSSL would ask at the terminal, and the server stand still meanwhile
        raise CertificateError(f"{key} is locked with a passphrase, which nobody can enter")
    with _in_words(f"{key} holds no private key in PEM form"):
        context.use_privatekey_file(str(key))
    with _in_words(f"{certificate} holds no certificate in PEM form"):
        context.use_certificate_chain_file(str(certificate))
        found = x509.load_pem_x509_certificates(content)
    with _in_words(f"{key} is not the key of {certificate}"):
        context.check_privatekey()
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def _in_words(text: str) -> Iterator[None]:
    try:
        yield
    except (SSL.Error, ValueError):
        raise CertificateError(text) from None


def _end_point(certificate: x509.Certificate) -> bytes:
    """The binding `tls-server-end-point` of a certificate (RFC 5929 §4.1); empty where it is not defined."""
    signed_with = certificate.signature_hash_algorithm
    if signed_with is None:
        return b""
    digest = hashes.SHA256() if signed_with.name in _WEAK else signed_with
    return certificate.fingerprint(digest)


def own_pair(certificate: Path, domain: str) -> tuple[Path, Path] | None:
    """The certificate and key that a domain has for itself, beside the common certificate, if it has."""
    own = certificate.with_name(f"{domain}.pem")
    return (own, own.with_suffix(".key")) if own.exists() and own != certificate else None


def for_clients(context: SSL.Context) -> None:
    """Prepares a context for streams of clients."""
    context.set_alpn_select_callback(lambda _, offered: select(offered, b"xmpp-client"))


def select(offered: list[bytes], protocol: bytes) -> bytes:
    """XEP-0368 §3: who asks for other protocols alone would not understand ours, so the handshake ends."""
    if protocol not in offered:
        raise SSL.Error([("fermata", "alpn", "no protocol in common")])
    return protocol


class Identities:
    """The identities of all domains; `reload` replaces all of them or none.

    `prepare` is called with each context that is made, and `method` is the side of the connection that it is for.
    """

    def __init__(
        self,
        certificate: Path,
        key: Path,
        domains: Sequence[str],
        prepare: Callable[[SSL.Context], None] = for_clients,
        method: int = SSL.TLS_SERVER_METHOD,
    ) -> None:
        self._certificate, self._key, self._domains = certificate, key, domains
        self._prepare, self._method = prepare, method
        self._default: Identity
        self._by_domain: dict[str, Identity] = {}
        self._by_name: dict[bytes, Identity] = {}  #: the same, by the names that clients ask for
        self._by_context: dict[SSL.Context, Identity] = {}
        self.reload()

    def reload(self) -> None:
        """Reads the files again; connections that stand keep what they were shown.

        A domain has its own identity where `DOMAIN.pem` and `DOMAIN.key` stand beside the certificate; otherwise that
        one, or if it does not name the domain, another domain's that does. Raises CertificateError, and then nothing
        has changed.
        """
        default = Identity(self._certificate, self._key, self._method)
        by_domain = {}
        for domain in self._domains:
            own = own_pair(self._certificate, domain)
            if own is not None:
                by_domain[domain] = Identity(*own, self._method)
        for domain in self._domains:
            naming = [each for each in (default, *by_domain.values()) if names(each.certificate, domain)]
            if domain not in by_domain and naming and default not in naming:
                by_domain[domain] = naming[0]
        self._default, self._by_domain = default, by_domain
        self._by_name = {ascii_name(domain).encode(): identity for domain, identity in by_domain.items()}
        for identity in {default, *by_domain.values()}:
            self._by_context[identity.context] = identity
            identity.context.set_tlsext_servername_callback(self._choose)
            self._prepare(identity.context)

    def files(self) -> list[Path]:
        """The files that `reload` looks for, whether or not they are there."""
        own = [self._certificate.with_name(f"{domain}{end}") for domain in self._domains for end in (".pem", ".key")]
        return [self._certificate, self._key, *own]

    def expiries(self) -> dict[str, float]:
        """When the certificate of each domain expires, in Unix seconds."""
        return {
            domain: self.identity_for(domain).certificate.not_valid_after_utc.timestamp() for domain in self._domains
        }

    def _choose(self, connection: SSL.Connection) -> None:
        identity = self._by_name.get((connection.get_servername() or b"").lower())
        if identity is not None:
            connection.set_context(identity.context)

    def shown_on(self, connection: SSL.Connection) -> Identity:
        """The identity that this connection was shown."""
        return self._by_context.get(connection.get_context(), self._default)

    def context_for(self, domain: str) -> SSL.Context:
        """The context to begin with where the domain is known before TLS is (STARTTLS)."""
        return self.identity_for(domain).context

    def identity_for(self, domain: str) -> Identity:
        """What is shown as a domain."""
        return self._by_domain.get(domain, self._default)


@implementer(IOpenSSLServerConnectionCreator)
class TLSForStream:
    """Begins TLS on a server's side, with the identity of `domain` where that is known already (STARTTLS)."""

    def __init__(self, identities: Identities, domain: str = "") -> None:
        self._identities, self._domain = identities, domain

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        """See IOpenSSLServerConnectionCreator."""
        return SSL.Connection(self._identities.context_for(self._domain), None)


def channel_bindings(connection: SSL.Connection, identities: Identities) -> dict[str, bytes]:
    """The channel bindings of a connection by type (XEP-0440 wants tls-server-end-point always)."""
    bindings: dict[str, bytes] = {}
    if connection.get_protocol_version_name() == "TLSv1.3":
        # On TLS 1.2 the exporter binds only with extended master secrets, which OpenSSL does not tell us about.
        bindings["tls-exporter"] = connection.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
    end_point = identities.shown_on(connection).end_point
    if end_point:
        bindings["tls-server-end-point"] = end_point
    return bindings
