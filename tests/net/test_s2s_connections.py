"""Connections between servers over real TLS, on a network without sockets."""

from collections.abc import Callable

import pytest

from fermata.core.s2s.pair import Pair
from fermata.core.s2s.trouble import Cause
from kit.ca import self_signed
from kit.servers_on_net import Net, Server, only

OURS, THEIRS = Pair("a.example", "b.example"), Pair("b.example", "a.example")
MESSAGE = "<message from='ann@a.example/x' to='ben@b.example'><body>hi</body></message>"
BACK = "<message from='ben@b.example/y' to='ann@a.example/x'><body>hello</body></message>"


@pytest.mark.parametrize("direct_tls", [False, True])
def test_a_certificate_proves_a_pair_and_stanzas_pass(net: Net, make: Callable[..., Server], direct_tls: bool) -> None:
    here, there = make("a.example"), make("b.example")
    net.dial(here, OURS, direct_tls=direct_tls)
    net.run()
    out, in_ = only(here.trunks), only(there.trunks)
    assert (out.sent, out.received) == ([OURS], [])
    assert (in_.sent, in_.received) == ([], [THEIRS])
    assert (out.connection.proof, in_.connection.proof) == ("certificate", "certificate")
    assert out.connection.is_encrypted
    assert out.connection.offers_management
    out.connection.write(MESSAGE)
    net.run()
    (message,) = in_.taken
    assert message.get("from") == "ann@a.example/x"


def test_dialback_proves_a_pair_where_certificates_do_not(net: Net, make: Callable[..., Server]) -> None:
    here, there = make("a.example", self_signed("a.example")), make("b.example", self_signed("b.example"))
    net.dial(here, OURS)
    net.run()
    out, in_ = only(here.trunks), only(there.trunks)
    assert (out.sent, in_.received) == ([OURS], [THEIRS])
    assert (out.connection.proof, in_.connection.proof) == ("dialback", "dialback")


def test_both_directions_go_over_one_connection(net: Net, make: Callable[..., Server]) -> None:
    here, there = make("a.example"), make("b.example")
    here.offers_bidi = there.offers_bidi = True
    net.dial(here, OURS)
    net.run()
    out, in_ = only(here.trunks), only(there.trunks)
    assert (in_.sent, out.received) == ([THEIRS], [OURS])
    in_.connection.write(BACK)
    net.run()
    assert only(here.trunks).taken[0].get("to") == "ann@a.example/x"


def test_who_must_have_a_certificate_and_has_none_is_not_spoken_to(net: Net, make: Callable[..., Server]) -> None:
    here, there = make("a.example"), make("b.example", self_signed("b.example"))
    here.requires = {"b.example"}
    net.dial(here, OURS)
    net.run()
    assert here.trunks == there.trunks == []
    (trouble,) = net.troubles
    assert trouble.cause is Cause.CERTIFICATE
    assert "self-signed" in trouble.text
