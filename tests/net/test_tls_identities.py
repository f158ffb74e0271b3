"""Which certificate a connection is shown, and what is said of one that cannot be."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from fermata.net.certificates import ascii_name, ensure_certificate
from fermata.net.tls import CertificateError, Identities, Identity
from kit.tls import shake_hands

Pair = tuple[Path, Path]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    pair = tmp_path / "cert.pem", tmp_path / "key.pem"
    ensure_certificate(*pair, ["a.example"])
    return pair


def lock(pair: Pair) -> None:
    content = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    pair[1].write_bytes(content)


def exchange(pair: Pair) -> None:
    other = rsa.generate_private_key(65537, 2048)
    pair[1].write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def replace(pair: Pair) -> None:
    ensure_certificate(pair[0].with_name("new.pem"), pair[0].with_name("new.key"), ["a.example"])
    pair[0].with_name("new.key").replace(pair[1])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda pair: pair[0].unlink(), "cert.pem cannot be read: No such file or directory"),
        (lambda pair: pair[1].unlink(), "key.pem cannot be read: No such file or directory"),
        (lambda pair: pair[0].write_text("broken"), "cert.pem holds no certificate in PEM form"),
        (lambda pair: pair[1].write_text("broken"), "key.pem holds no private key in PEM form"),
        (lock, "key.pem is locked with a passphrase, which nobody can enter"),
        (exchange, "key.pem is not the key of "),
        (replace, "key.pem is not the key of "),
    ],
)
def test_what_cannot_be_shown_is_told_in_words_and_nobody_is_asked(
    pair: Pair, spoil: Callable[[Pair], None], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil(pair)
    with pytest.raises(CertificateError, match=words):
        Identity(*pair)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("domain", ["b.example", "straße.example", "bücher.example"])
def test_a_domain_with_its_own_certificate_is_found_under_the_name_that_clients_ask_for(
    pair: Pair, domain: str
) -> None:
    ensure_certificate(pair[0].with_name(f"{domain}.pem"), pair[0].with_name(f"{domain}.key"), [domain])
    identities = Identities(*pair, [domain])
    server = SSL.Connection(identities.context_for("a.example"))
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    client.set_tlsext_host_name(ascii_name(domain).encode())
    shake_hands(client, server)
    shown = client.get_peer_certificate()
    assert shown is not None
    assert shown.get_serial_number() == identities.shown_on(server).certificate.serial_number
    assert identities.shown_on(server).certificate.subject.rfc4514_string() == f"CN={ascii_name(domain)}"


@pytest.mark.parametrize(("ciphers", "is_taken"), [(b"AES128-GCM-SHA256", False), (b"ECDHE+AESGCM", True)])
def test_only_keys_that_are_forgotten_protect_a_connection(tmp_path: Path, ciphers: bytes, is_taken: bool) -> None:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(ciphers)
    client, server = SSL.Connection(context), SSL.Connection(Identity(*of_rsa(tmp_path)).context)
    if is_taken:
        shake_hands(client, server)
        assert (client.get_cipher_name() or "").startswith("ECDHE-RSA-")
    else:
        with pytest.raises(SSL.Error, match="no shared cipher"):
            shake_hands(client, server)


def of_rsa(directory: Path) -> Pair:
    """A pair with the one kind of key that TLS 1.2 could also use to send secrets to."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    now = datetime.now(UTC)
    signed = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    pair = directory / "rsa.pem", directory / "rsa.key"
    pair[0].write_bytes(signed.public_bytes(Encoding.PEM))
    pair[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pair
