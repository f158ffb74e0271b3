"""TLS between two servers in memory, and what their certificates prove."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from fermata.host.federation import Pair
from fermata.net.peer_certificate import covers, proves
from fermata.net.server_tls import ServerTLS
from fermata.net.tls import CertificateError
from kit.ca import CLIENT, DAY, EMAIL, SERVER, Authority, Issued, self_signed
from kit.tls import shake_hands

ROOT = Authority("Root")
BETWEEN = Authority("Between", ROOT)
A, B = "a.example", "b.example"
PAIR = Pair(A, B)
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture
def server(tmp_path: Path) -> Callable[..., ServerTLS]:
    """The TLS of a server with that certificate, which trusts the root unless told otherwise."""
    ca_file = ROOT.write(tmp_path / "ca.pem")

    def make(issued: Issued, *domains: str, trusts: Path | None = ca_file) -> ServerTLS:
        directory = tmp_path / str(issued.certificate.serial_number)
        pair = issued.write(directory / "cert.pem", directory / "key.pem")
        return ServerTLS(*pair, domains, trusts)

    return make


def handshake(ours: ServerTLS, theirs: ServerTLS, pair: Pair = PAIR, **kind: bool) -> tuple[Any, Any]:
    """The connection from our side, which opens it, and from theirs."""
    no_protocol: Any = None
    opened = ours.client_creator(pair, **kind).clientConnectionForTLS(no_protocol)
    accepted = theirs.server_creator().serverConnectionForTLS(no_protocol)
    shake_hands(opened, accepted)
    return opened, accepted


GOOD = {
    "as dNSName": lambda: ROOT.issue(B),
    "in capitals": lambda: ROOT.issue("B.Example"),
    "with a wildcard": lambda: ROOT.issue("*.example"),
    "among others": lambda: ROOT.issue("c.example", B),
    "as SRVName": lambda: ROOT.issue(srv_names=["_xmpp-server.b.example"]),
    "as xmppAddr": lambda: ROOT.issue(xmpp_addresses=[B]),
    "by way of another authority": lambda: BETWEEN.issue(B),
    "for servers alone": lambda: ROOT.issue(B, purposes=[SERVER]),
    "for clients alone": lambda: ROOT.issue(B, purposes=[CLIENT]),
    "for any use": lambda: ROOT.issue(B, purposes=[]),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_certificate_proves_the_domain_on_either_side(server, case):
    ours, theirs = server(ROOT.issue(A), A), server(GOOD[case](), B)
    opened, _ = handshake(ours, theirs)
    assert proves(opened, B) == ""
    _, accepted = handshake(theirs, ours, Pair(B, A))
    assert proves(accepted, B) == ""


def day(days: int) -> str:
    return f"{datetime.now(UTC) + days * DAY:%Y-%m-%d}"


NOT_TRUSTED = "its certificate is from CN=Stranger, which is not trusted here"
BAD = {
    "another name": (
        lambda: ROOT.issue("c.example", srv_names=["_xmpp-server.d.example"]),
        "its certificate is for c.example, d.example, not for b.example",
    ),
    "no name": (lambda: ROOT.issue(common_name=B), "its certificate is for nobody, not for b.example"),
    "a name below": (lambda: ROOT.issue("x.b.example"), "its certificate is for x.b.example, not for b.example"),
    "a wildcard below": (lambda: ROOT.issue("*.b.example"), "its certificate is for *.b.example, not for b.example"),
    "a wildcard for a part": (lambda: ROOT.issue("b*.example"), "its certificate is for b*.example, not for b.example"),
    "a wildcard in the middle": (lambda: ROOT.issue("b.*"), "its certificate is for b.*, not for b.example"),
    "another service": (
        lambda: ROOT.issue(srv_names=["_xmpp-client.b.example"]),
        "its certificate is for _xmpp-client.b.example, not for b.example",
    ),
    "a person there": (
        lambda: ROOT.issue(xmpp_addresses=["x@b.example"]),
        "its certificate is for x@b.example, not for b.example",
    ),
    "expired": (lambda: ROOT.issue(B, begin=-9 * DAY, end=-2 * DAY), f"its certificate expired on {day(-2)}"),
    "not yet valid": (lambda: ROOT.issue(B, begin=2 * DAY), f"its certificate is not valid before {day(2)}"),
    "another use": (
        lambda: ROOT.issue(B, purposes=[EMAIL]),
        "its certificate, or one that leads to it (CN=test), is for another use",
    ),
    "self-signed": (lambda: self_signed(B), "its certificate is self-signed"),
    "an unknown issuer": (lambda: Authority("Stranger").issue(B), NOT_TRUSTED),
    "an unknown issuer's issuer": (
        lambda: Authority("Between", Authority("Stranger")).issue(B),
        "its certificate is from CN=Between, which is not trusted here",
    ),
    "an issuer that is no authority": (lambda: forged(), "its certificate cannot be trusted: "),
}


def forged() -> Issued:
    """Issued by one who has a good certificate, but is no authority."""
    rightful = ROOT.issue("c.example", common_name="c")
    forger = Authority("c")
    forger._key, forger.certificate, forger._issuers = rightful.key, rightful.certificate, (rightful.certificate,)
    return forger.issue(B)


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_certificate_is_told_on_either_side(server, case):
    make, words = BAD[case]
    ours, theirs = server(ROOT.issue(A), A), server(make(), B)
    opened, _ = handshake(ours, theirs)
    assert proves(opened, B).startswith(words)
    _, accepted = handshake(theirs, ours, Pair(B, A))
    assert proves(accepted, B).startswith(words)


def test_both_sides_see_each_others_certificates_at_once(server):
    opened, accepted = handshake(server(ROOT.issue(A), A), server(ROOT.issue(B), B))
    assert proves(opened, B) == ""
    assert proves(accepted, A) == ""
    assert proves(accepted, B) == "its certificate is for a.example, not for b.example"


def test_without_the_authority_nothing_is_proven(server):
    opened, _ = handshake(server(ROOT.issue(A), A, trusts=None), server(ROOT.issue(B), B))
    assert proves(opened, B) == "its certificate is from CN=Root, which is not trusted here"


def test_a_single_certificate_can_be_trusted(server, tmp_path):
    theirs = self_signed(B)
    pinned = tmp_path / "pinned.pem"
    pinned.write_bytes(theirs.chain_pem)
    opened, _ = handshake(server(ROOT.issue(A), A, trusts=pinned), server(theirs, B))
    assert proves(opened, B) == ""


def test_a_peer_without_a_certificate_proves_nothing(server):
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    accepted = server(ROOT.issue(B), B).server_creator().serverConnectionForTLS(None)
    shake_hands(client, accepted)
    assert proves(accepted, A) == "it shows no certificate"


def test_internationalised_domains_are_proven_in_both_spellings(server):
    domain = "bücher.example"
    for issued in (ROOT.issue("xn--bcher-kva.example"), ROOT.issue(xmpp_addresses=[domain])):
        opened, accepted = handshake(server(ROOT.issue(A), A), server(issued, domain), Pair(A, domain))
        assert accepted.get_servername() == b"xn--bcher-kva.example"
        assert proves(opened, domain) == ""


def test_an_address_is_no_name_to_ask_for(server):
    opened, accepted = handshake(server(ROOT.issue(A), A), server(ROOT.issue(B), B), Pair(A, "127.0.0.1"))
    assert accepted.get_servername() is None
    assert proves(opened, "127.0.0.1") == "its certificate is for b.example, not for 127.0.0.1"


def test_direct_tls_says_which_protocol_it_is_for(server):
    ours, theirs = server(ROOT.issue(A), A), server(ROOT.issue(B), B)
    assert handshake(ours, theirs, direct_tls=True)[1].get_alpn_proto_negotiated() == b"xmpp-server"
    assert handshake(ours, theirs)[1].get_alpn_proto_negotiated() == b""


def test_who_asks_for_another_protocol_is_refused(server):
    client = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    client.set_alpn_protos([b"xmpp-client", b"h2"])
    with pytest.raises(SSL.Error):
        shake_hands(client, server(ROOT.issue(B), B).server_creator().serverConnectionForTLS(None))


def test_old_tls_is_refused(server):
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_1_VERSION)
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    with pytest.raises(SSL.Error):
        shake_hands(SSL.Connection(context), server(ROOT.issue(B), B).server_creator().serverConnectionForTLS(None))


def test_each_domain_shows_its_own_certificate_and_still_asks_for_the_peers(server, tmp_path):
    """Twice: where the name comes by SNI, which changes the context, and where the stream's header has told it."""
    issued = ROOT.issue(B)
    own = ROOT.issue("c.example", "conference.c.example")
    directory = tmp_path / str(issued.certificate.serial_number)
    own.write(directory / "c.example.pem", directory / "c.example.key")
    theirs = server(issued, B, "conference.b.example", "c.example", "conference.c.example")
    ours = server(ROOT.issue(A), A)
    for domain in ("c.example", "conference.c.example"):  # the second has no file, but is named in the other's
        opened, accepted = handshake(ours, theirs, Pair(A, domain))
        assert proves(opened, domain) == ""
        assert proves(accepted, A) == ""
        _, accepted = handshake(theirs, ours, Pair(domain, A))
        assert proves(accepted, domain) == ""
    opened = ours.client_creator(Pair(A, "127.0.0.1")).clientConnectionForTLS(None)
    shake_hands(opened, theirs.server_creator("c.example").serverConnectionForTLS(None))
    assert proves(opened, "c.example") == ""


def test_certificates_and_authorities_are_read_again(server, tmp_path):
    issued = ROOT.issue(B)
    theirs = server(issued, B)
    ours = server(ROOT.issue(A), A)
    assert tmp_path / "ca.pem" in ours.files()
    listening = theirs.server_creator()  # as a port with direct TLS has it for as long as the server runs
    other = Authority("Other")
    directory = tmp_path / str(issued.certificate.serial_number)
    other.issue(B).write(directory / "cert.pem", directory / "key.pem")
    theirs.reload()
    opened = ours.client_creator(PAIR).clientConnectionForTLS(None)
    shake_hands(opened, listening.serverConnectionForTLS(None))
    assert proves(opened, B) == "its certificate is from CN=Other, which is not trusted here"
    other.write(tmp_path / "ca.pem")
    ours.reload()
    opened, _ = handshake(ours, theirs)
    assert proves(opened, B) == ""


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read: No such file"), ("", "holds no certificate"), (PEM, "holds no")]
)
def test_authorities_that_cannot_be_read_are_told(server, tmp_path, content, words):
    ca_file = tmp_path / "broken.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(CertificateError, match=f"broken.pem {words}"):
        server(ROOT.issue(A), A, trusts=ca_file)


@pytest.mark.parametrize(("name", "is_covered"), [("*.b.example", True), ("*", False), ("*.example", False)])
def test_a_wildcard_is_one_label(name, is_covered):
    assert covers(name, "x.b.example") is is_covered


def test_our_own_certificate_is_judged_as_others_would(server):
    good, bad = server(BETWEEN.issue(A), A), server(self_signed(A), A)
    assert good.fault(A) == ""
    assert good.fault(B) == "its certificate is for a.example, not for b.example"
    assert bad.fault(A) == "its certificate is self-signed"


def test_who_comes_back_shows_the_whole_way_to_his_issuer_again(server):
    """A session that is resumed would have the peer's own certificate alone."""
    ours, theirs = server(BETWEEN.issue(A), A), server(ROOT.issue(B), B)
    ours._opening.context_for(A).set_max_proto_version(SSL.TLS1_2_VERSION)  # whose handshake has all that there is
    first = ours.client_creator(PAIR).clientConnectionForTLS(None)
    shake_hands(first, theirs.server_creator().serverConnectionForTLS(None))
    second = ours.client_creator(PAIR).clientConnectionForTLS(None)
    second.set_session(first.get_session())
    accepted = theirs.server_creator().serverConnectionForTLS(None)
    shake_hands(second, accepted)
    assert proves(accepted, A) == ""
