"""A self-signed certificate for the first start, so that TLS works before anybody has asked an authority for one."""

import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import idna
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID_FOR: Final = timedelta(days=3650)
_CLOCK_SKEW: Final = timedelta(days=1)
_COMMON_NAME_MAX: Final = 64


def ensure_certificate(cert_path: Path, key_path: Path, names: Iterable[str]) -> bool:
    """Makes a self-signed certificate and its key (mode 0600) for these domains, unless both files are there.

    Returns whether it did. Raises FileNotFoundError if only one of the two is there, since nobody meant that, and other
    OSErrors if the files cannot be written.
    """
    missing = [path for path in (cert_path, key_path) if not path.exists()]
    if not missing:
        return False
    if len(missing) == 1:
        raise FileNotFoundError(f"{missing[0]} is missing, but the other half of the pair is there")
    key = ec.generate_private_key(ec.SECP256R1())
    _write(key_path, 0o600, _private_pem(key))
    _write(cert_path, 0o644, _self_signed(key, list(names)).public_bytes(serialization.Encoding.PEM))
    return True


def ascii_name(domain: str) -> str:
    """A domain as certificates spell it: internationalised labels in their ASCII form (RFC 5890)."""
    return domain if domain.isascii() else idna.encode(domain).decode("ascii")


def _self_signed(key: ec.EllipticCurvePrivateKey, names: list[str]) -> x509.Certificate:
    domains = [ascii_name(name) for name in names]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domains[0][:_COMMON_NAME_MAX])])
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]  # the latter towards other servers
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in domains]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, mode: int, content: bytes) -> None:
    """Puts a whole file in place, never readable to more than its mode says, or nothing at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
