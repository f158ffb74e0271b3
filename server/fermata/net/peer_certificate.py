"""What another server's certificate is worth: whether it can be trusted, and whether it names a domain.

RFC 5280 (paths), RFC 6120 §13.7 and RFC 6125 (names), RFC 7590 §3.4. Handshakes never fail over it: what becomes of a
peer that proves nothing is decided afterwards, since dialback may vouch for it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID
from OpenSSL import SSL, crypto

from ..xmpp.jid import JID, JIDError
from .certificates import ascii_name
from .targets import literal

_SRV_NAME: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7")  # RFC 4985
_XMPP_ADDRESS: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")  # RFC 6120 §13.7.1.4
_SERVICE: Final = "_xmpp-server."
_FORGEABLE: Final = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_MD5,
        SignatureAlgorithmOID.RSA_WITH_SHA1,
        SignatureAlgorithmOID.DSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
    }
)
_BROKEN: Final = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
_LENGTH_IN_ONE_BYTE: Final = 0x80
# Authorities no longer certify clients: who may be a server may speak as that server too.
_PURPOSES: Final = frozenset(
    {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
)
# Of OpenSSL's x509_vfy.h.
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_NO_ISSUER: Final = (2, 19, 20, 21)


class Trust:
    """The authorities that are trusted: the system's, and those in `ca_file`. Raises OSError, ValueError."""

    def __init__(self, ca_file: Path | None) -> None:
        self._owner = SSL.Context(SSL.TLS_METHOD)  # nobody else can load what the system trusts
        self._owner.set_default_verify_paths()
        self._store = self._owner.get_cert_store() or crypto.X509Store()
        # What stands in `ca_file` is trusted itself, be it a root or not.
        self._store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        if ca_file is not None:
            for certificate in x509.load_pem_x509_certificates(ca_file.read_bytes()):
                self._store.add_cert(crypto.X509.from_cryptography(certificate))

    def fault_for(self, domain: str, certificate: crypto.X509, others: list[crypto.X509]) -> str:
        """Why a certificate does not prove a domain, given others that may lead to its issuer; empty if it does."""
        fault = self._fault(certificate, others)
        shown = certificate.to_cryptography()
        if fault or names(shown, domain):
            return fault
        return f"its certificate is for {', '.join(shown_names(shown)) or 'nobody'}, not for {domain}"

    def _fault(self, certificate: crypto.X509, others: list[crypto.X509]) -> str:
        try:
            context = crypto.X509StoreContext(self._store, certificate, others)
            chain = context.get_verified_chain()
        except crypto.X509StoreContextError as error:
            return _words(error, certificate.to_cryptography())
        for link in [each.to_cryptography() for each in chain[:-1]]:  # what is trusted itself may be as it likes
            if not _may_speak(link):
                return f"its certificate, or one that leads to it ({_subject(link)}), is for another use"
            if link.signature_algorithm_oid in _FORGEABLE:
                return "its certificate, or one that leads to it, is signed with MD5 or SHA-1, which can be forged"
        return ""


# The application data of a connection are Twisted's.
_trusts: Final[WeakKeyDictionary[SSL.Connection, Trust]] = WeakKeyDictionary()


def judge_by(trust: Trust, connection: SSL.Connection) -> None:
    """What the peer shows on this connection will be judged by that trust."""
    _trusts[connection] = trust


def ask_for_certificate(context: SSL.Context) -> None:
    """Has the peer show its certificate, if it has one, and lets the handshake succeed whatever it is worth."""
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)


def proves(connection: SSL.Connection, domain: str) -> str:
    """Whether the peer's certificate proves a domain: empty if it does, or words why it does not.

    The connection must be one of ServerTLS, whose handshake is over.
    """
    certificate = connection.get_peer_certificate()
    if certificate is None:
        return "it shows no certificate"
    try:
        return _trusts[connection].fault_for(domain, certificate, connection.get_peer_cert_chain() or [])
    except _BROKEN as error:  # OpenSSL takes some that are none
        return f"its certificate is malformed: {error}"


def names(certificate: x509.Certificate, domain: str) -> bool:
    """Whether a certificate names a domain: as dNSName, SRVName, xmppAddr or IP address, never as its subject."""
    alternatives = _alternatives(certificate)
    own = literal(domain)
    if own:
        return own in map(str, alternatives.get_values_for_type(x509.IPAddress))
    ascii_domain = ascii_name(domain)
    return (
        any(covers(name, ascii_domain) for name in alternatives.get_values_for_type(x509.DNSName))
        or any(name.lower() == _SERVICE + ascii_domain for name in _other_names(alternatives, _SRV_NAME))
        or any(_is_domain(address, domain) for address in _other_names(alternatives, _XMPP_ADDRESS))
    )


def covers(name: str, domain: str) -> bool:
    """Whether a dNSName is a domain, both in ASCII; a wildcard stands for the whole first label (RFC 6125 §6.4.3)."""
    name = name.lower()
    return name == domain or (name.startswith("*.") and name[1:] == domain[domain.find(".") :])


def shown_names(certificate: x509.Certificate) -> list[str]:
    """All names in a certificate that can be a domain, as people read them."""
    alternatives = _alternatives(certificate)
    return list(
        dict.fromkeys(
            [
                *alternatives.get_values_for_type(x509.DNSName),
                *map(str, alternatives.get_values_for_type(x509.IPAddress)),
                *(name.removeprefix(_SERVICE) for name in _other_names(alternatives, _SRV_NAME)),
                *_other_names(alternatives, _XMPP_ADDRESS),
            ]
        )
    )


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *_BROKEN):
        return x509.SubjectAlternativeName([])


def _other_names(alternatives: x509.SubjectAlternativeName, kind: x509.ObjectIdentifier) -> Iterator[str]:
    for name in alternatives.get_values_for_type(x509.OtherName):
        octets = name.value
        # DER: a tag, a length, the characters. No domain has so many that the length takes more bytes than one or two.
        if name.type_id == kind and len(octets) > 1:
            text = octets[2:] if octets[1] < _LENGTH_IN_ONE_BYTE else octets[3:]
            yield text.decode("utf-8", "replace")


def _is_domain(address: str, domain: str) -> bool:
    try:
        return JID.parse(address) == domain
    except JIDError:
        return False


def _may_speak(certificate: x509.Certificate) -> bool:
    """Whether the extended key usage allows TLS between servers."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not _PURPOSES.isdisjoint(usages)


def _words(error: crypto.X509StoreContextError, shown: x509.Certificate) -> str:
    code, depth, text = error.errors
    link = error.certificate.to_cryptography()
    whose = "its certificate" if depth == 0 else f"the issuer of its certificate ({_subject(link)})"
    if code == _EXPIRED:
        return f"{whose} expired on {link.not_valid_after_utc:%Y-%m-%d}"
    if code == _NOT_YET_VALID:
        return f"{whose} is not valid before {link.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    if code == _SELF_SIGNED:
        return "its certificate is self-signed"
    if code in _NO_ISSUER:
        return f"its certificate is from {shown.issuer.rfc4514_string()}, which is not trusted here"
    return f"its certificate cannot be trusted: {text}"


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()
