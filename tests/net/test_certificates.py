"""The certificate of the first start: made once, private, and good enough for an ordinary TLS client that trusts it."""

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from fermata.net.certificates import ensure_certificate

NAMES = ["localhost", "conference.localhost", "bücher.example"]


@pytest.fixture
def pair(tmp_path):
    return tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem"


def test_a_pair_is_made_once(pair):
    assert ensure_certificate(*pair, NAMES) is True
    before = [path.read_bytes() for path in pair]
    assert ensure_certificate(*pair, ["other.example"]) is False
    assert [path.read_bytes() for path in pair] == before
    assert sorted(path.name for path in pair[0].parent.iterdir()) == ["cert.pem", "key.pem"]


def test_the_key_is_for_the_owner_alone(pair):
    ensure_certificate(*pair, NAMES)
    assert stat.S_IMODE(pair[1].stat().st_mode) == 0o600
    assert stat.S_IMODE(pair[1].parent.stat().st_mode) == 0o700


def test_it_names_every_domain_for_ten_years(pair):
    ensure_certificate(*pair, NAMES)
    certificate = x509.load_pem_x509_certificate(pair[0].read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "conference.localhost", "xn--bcher-kva.example"]
    assert certificate.not_valid_before_utc < datetime.now(UTC)
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3600)


def test_a_very_long_domain_is_no_obstacle(pair):
    name = ".".join(["a" * 60] * 4)
    ensure_certificate(*pair, [name])
    certificate = x509.load_pem_x509_certificate(pair[0].read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [name]


@pytest.mark.parametrize("lost", [0, 1])
def test_half_a_pair_is_left_alone(pair, lost):
    ensure_certificate(*pair, NAMES)
    pair[lost].unlink()
    with pytest.raises(FileNotFoundError, match=str(pair[lost])):
        ensure_certificate(*pair, NAMES)
    assert not pair[lost].exists()


def test_a_directory_that_cannot_be_written_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        ensure_certificate(tmp_path / "file" / "cert.pem", tmp_path / "file" / "key.pem", NAMES)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", ["localhost", "conference.localhost"])
def test_a_client_that_trusts_it_accepts_it_under_each_name(pair, name, strict):
    ensure_certificate(*pair, NAMES)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*pair)
    client = ssl.create_default_context(cafile=str(pair[0]))
    if strict:  # the default from Python 3.13 on
        client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with server.wrap_socket(ours, server_side=True) as wrapped:
            wrapped.sendall(b"hello")

    thread = threading.Thread(target=answer)
    thread.start()
    with client.wrap_socket(theirs, server_hostname=name) as wrapped:
        assert wrapped.recv(5) == b"hello"
    thread.join()
