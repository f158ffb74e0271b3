"""Which domains belong together."""

import pytest

from fermata.core.s2s.site import site_of


@pytest.mark.parametrize(
    ("domain", "site"),
    [
        ("b.example", "b.example"),
        ("chat.b.example", "b.example"),
        ("a1.a2.chat.b.example", "b.example"),
        ("muc.jabber.co.uk", "jabber.co.uk"),
        ("jabber.co.uk", "jabber.co.uk"),
        ("muc.jabber.de", "jabber.de"),
        ("many.x.io", "x.io"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_whoever_has_a_domain_has_those_below_it(domain: str, site: str) -> None:
    assert site_of(domain) == site
