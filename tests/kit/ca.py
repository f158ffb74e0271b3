"""A certificate authority for tests: certificates with every kind of name that XMPP knows, good ones and bad ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
SRV_NAME = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7")  # RFC 4985
XMPP_ADDR = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")  # RFC 6120 §13.7.1.4
_IA5_STRING, _UTF8_STRING = 0x16, 0x0C


@dataclass(frozen=True)
class Issued:
    """A certificate with its key and, in `issuers`, the way up to (but without) the root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuers: tuple[x509.Certificate, ...] = ()

    @cached_property
    def chain_pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.issuers))

    @cached_property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, certificate: Path, key: Path) -> tuple[Path, Path]:
        """Puts both in place, as a server's [tls] wants them."""
        certificate.parent.mkdir(parents=True, exist_ok=True)
        certificate.write_bytes(self.chain_pem)
        key.touch(0o600)
        key.write_bytes(self.key_pem)
        return certificate, key


class Authority:
    """Issues certificates; a root, unless it has an issuer itself."""

    def __init__(self, name: str = "Test Authority", issuer: "Authority | None" = None) -> None:
        self._name = _subject(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._issuers: tuple[x509.Certificate, ...] = ()
        builder = _builder(self._name, issuer._name if issuer else self._name, self._key, -DAY, 365 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), False)
        self.certificate = builder.sign(issuer._key if issuer else self._key, hashes.SHA256())
        if issuer is not None:
            self._issuers = (self.certificate, *issuer._issuers)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def write(self, path: Path) -> Path:
        """Puts it where `[tls] ca_file` looks."""
        path.write_bytes(self.pem)
        return path

    def issue(
        self,
        *dns_names: str,
        srv_names: Iterable[str] = (),
        xmpp_addresses: Iterable[str] = (),
        begin: timedelta = -DAY,
        end: timedelta = 90 * DAY,
        purposes: Sequence[x509.ObjectIdentifier] = (SERVER, CLIENT),
        common_name: str = "test",
    ) -> Issued:
        """A certificate with those names: `begin` and `end` are from now on.

        dNSNames and SRVNames ("_xmpp-server.a.example") are in ASCII, addresses are not.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_subject(common_name), self._name, key, begin, end)
        names = _names(dns_names, srv_names, xmpp_addresses)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        return Issued(builder.sign(self._key, hashes.SHA256()), key, self._issuers)


def self_signed(*dns_names: str) -> Issued:
    """A certificate that nobody but its owner vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject("self-signed")
    builder = _builder(name, name, key, -DAY, 90 * DAY)
    builder = builder.add_extension(x509.SubjectAlternativeName(_names(dns_names, (), ())), critical=False)
    return Issued(builder.sign(key, hashes.SHA256()), key)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: timedelta, end: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin)
        .not_valid_after(now + end)
    )


def _names(dns_names: Iterable[str], srv_names: Iterable[str], xmpp_addresses: Iterable[str]) -> list[x509.GeneralName]:
    return [
        *map(x509.DNSName, dns_names),
        *(x509.OtherName(SRV_NAME, _string(_IA5_STRING, name)) for name in srv_names),
        *(x509.OtherName(XMPP_ADDR, _string(_UTF8_STRING, address)) for address in xmpp_addresses),
    ]


def _string(tag: int, text: str) -> bytes:
    """DER of a short string."""
    octets = text.encode()
    assert len(octets) < 128, "a longer one has more bytes of length"
    return bytes([tag, len(octets)]) + octets
