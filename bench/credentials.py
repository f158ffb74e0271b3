"""The certificate and the accounts that all servers share: u0, u1, …, with one password and 10,000 rounds of PBKDF2."""

import datetime
import hashlib
import hmac
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DOMAIN: Final = "localhost"
NEAR: Final = "near.example"  # of two servers that talk to each other, the one that is measured
FAR: Final = "far.example"
PASSWORD: Final = "pw"  # the generator has it, too
ITERATIONS: Final = 10_000  # what Prosody and Fermata do by themselves; ejabberd would do 4,096
_SALT: Final = b"sixteen bytes of"


class ScramKeys(NamedTuple):
    """What a server keeps of a password for SCRAM-SHA-1 (RFC 5802 §3)."""

    salt: bytes
    stored_key: bytes
    server_key: bytes


class Certificate(NamedTuple):
    """Files in PEM: the certificate, its key, and both in one."""

    certificate: Path
    key: Path
    both: Path


def rooms_of(domain: str) -> str:
    """The domain of its rooms."""
    return f"conference.{domain}"


def scram_keys() -> ScramKeys:
    """The keys of all accounts in the peers' databases, which are written without their help."""
    salted = hashlib.pbkdf2_hmac("sha1", PASSWORD.encode(), _SALT, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha1")
    return ScramKeys(_SALT, hashlib.sha1(client_key).digest(), hmac.digest(salted, b"Server Key", "sha1"))


def make_certificate(directory: Path) -> Certificate:
    """A self-signed certificate for a day, with a key on the curve P-256, in this directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.datetime.now(datetime.UTC)
    domains = [name for domain in (DOMAIN, NEAR, FAR) for name in (domain, rooms_of(domain))]
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in domains])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    certificate_pem = signed.public_bytes(serialization.Encoding.PEM)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files = Certificate(directory / "cert.pem", directory / "key.pem", directory / "both.pem")
    for path, text in zip(files, (certificate_pem, key_pem, certificate_pem + key_pem), strict=True):
        path.touch(mode=0o600)
        path.write_bytes(text)
    return files
