"""Addresses: which texts are some, what they become, and which are the same (RFC 7622)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fermata.xmpp.element import escape
from fermata.xmpp.jid import JID, JIDError

E_ACUTE = "\u00e9"  # two bytes in UTF-8


@pytest.mark.parametrize(
    ("text", "local", "domain", "resource"),
    [
        # RFC 7622 §3.5
        ("juliet@example.com", "juliet", "example.com", ""),
        ("juliet@example.com/foo", "juliet", "example.com", "foo"),
        ("juliet@example.com/foo bar", "juliet", "example.com", "foo bar"),
        ("juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"),
        (r"foo\20bar@example.com", r"foo\20bar", "example.com", ""),
        ("fussball@example.com", "fussball", "example.com", ""),
        ("fu\u00dfball@example.com", "fu\u00dfball", "example.com", ""),
        ("\u03c0@example.com", "\u03c0", "example.com", ""),
        ("\u03a3@example.com/foo", "\u03c3", "example.com", "foo"),
        ("\u03c3@example.com/foo", "\u03c3", "example.com", "foo"),
        ("\u03c2@example.com/foo", "\u03c2", "example.com", "foo"),
        ("king@example.com/\u265a", "king", "example.com", "\u265a"),
        ("example.com", "", "example.com", ""),
        ("example.com/foobar", "", "example.com", "foobar"),
        ("a.example.com/b@example.net", "", "a.example.com", "b@example.net"),
        # localparts
        ("a!#$%()*+,-.;=?[\\]^_`{|}~1@example.com", "a!#$%()*+,-.;=?[\\]^_`{|}~1", "example.com", ""),
        ("Juliet@example.com", "juliet", "example.com", ""),
        ("\uff2a\uff4c@example.com", "jl", "example.com", ""),
        ("J\u00dcRGEN@example.com", "j\u00fcrgen", "example.com", ""),
        ("u\u0308@example.com", "\u00fc", "example.com", ""),
        ("\u05d0\u05d1@example.com", "\u05d0\u05d1", "example.com", ""),
        ("#room%irc.example@gateway.example", "#room%irc.example", "gateway.example", ""),
        # domains
        ("localhost", "", "localhost", ""),
        ("EXAMPLE.com", "", "example.com", ""),
        ("juliet@example.com.", "juliet", "example.com", ""),
        ("juliet@example.com./foo", "juliet", "example.com", "foo"),
        ("b\u00fccher.example", "", "b\u00fccher.example", ""),
        ("B\u00dcCHER.example.", "", "b\u00fccher.example", ""),
        ("xn--bcher-kva.example", "", "b\u00fccher.example", ""),
        ("XN--BCHER-KVA.example", "", "b\u00fccher.example", ""),
        ("fa\u00df.example", "", "fa\u00df.example", ""),
        ("example\u3002com", "", "example.com", ""),
        ("192.0.2.1", "", "192.0.2.1", ""),
        ("juliet@[::1]/foo", "juliet", "[::1]", "foo"),
        ("[2001:DB8::1]", "", "[2001:db8::1]", ""),
        ("[::ffff:192.0.2.1]", "", "[::ffff:192.0.2.1]", ""),
        ("[fe80::1%25eth0]", "", "[fe80::1%25eth0]", ""),
        ("r3---sn.example", "", "r3---sn.example", ""),
        ("AB--CD.example", "", "ab--cd.example", ""),
        # resourceparts: all after the first slash, case kept
        ("juliet@example.com/Foo", "juliet", "example.com", "Foo"),
        ("juliet@example.com//", "juliet", "example.com", "/"),
        ("juliet@example.com/a/b@c/", "juliet", "example.com", "a/b@c/"),
        ("juliet@example.com/ a  b ", "juliet", "example.com", " a  b "),
        ("juliet@example.com/a\u3000b\u00a0c", "juliet", "example.com", "a b c"),
        ("juliet@example.com/<'\">&", "juliet", "example.com", "<'\">&"),
        ("juliet@example.com/e\u0301", "juliet", "example.com", E_ACUTE),
        ("juliet@example.com/\ufb01", "juliet", "example.com", "\ufb01"),
        ("juliet@example.com/\u05d0 a \u05d1", "juliet", "example.com", "\u05d0 a \u05d1"),
    ],
)
def test_an_address_has_parts(text: str, local: str, domain: str, resource: str) -> None:
    jid = JID.parse(text)
    assert (jid.local, jid.domain, jid.resource) == (local, domain, resource)
    bare = f"{local}@{domain}" if local else domain
    assert jid == (f"{bare}/{resource}" if resource else bare)
    assert jid.bare == bare
    assert jid.bare.bare is jid.bare
    assert (resource == "") == (jid.bare == jid)
    assert (jid.bare.local, jid.bare.domain, jid.bare.resource) == (local, domain, "")
    assert JID.of(local, domain, resource) == jid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "@",
        "@/",
        "@example.com",
        "juliet@",
        "juliet@/foo",
        "/foo",
        "juliet@example.com/",
        "example.com/",
        "juliet@@example.com",
        "juliet@romeo@example.com",
        # RFC 7622 §3.5, the illegal ones that stringprep refused too
        '"juliet"@example.com',
        "foo bar@example.com",
        " juliet@example.com",
        "juliet @example.com",
        "juliet&romeo@example.com",
        "juliet'@example.com",
        "juliet:@example.com",
        "<juliet>@example.com",
        "juliet\n@example.com",
        "juliet\u3000@example.com",
        "juliet\u200e@example.com",
        "\u05d0a@example.com",
        "\u00ad@example.com",
        # domains
        "juliet@example.com..",
        "juliet@example.com.\u3002",
        ".",
        "..",
        ".example.com",
        "a..b",
        "-a.example",
        "a-.example",
        "a_b.example",
        "exa mple.com",
        "example.com\n",
        " example.com",
        "example.com:5222",
        "xn--a",
        "xn--",
        "\u2603.example",
        "a" * 64 + ".example",
        ".".join(["a" * 63] * 4),
        "[::1",
        "[:::::]",
        "[1.2.3.4]",
        "[::1]x",
        "[]",
        "::1",
        # resourceparts
        "juliet@example.com/\u0007",
        "juliet@example.com/a\nb",
        "juliet@example.com/\x7f",
        "juliet@example.com/\u200e",
        "juliet@example.com/\ue000",
        "juliet@example.com/\uffff",
        "juliet@example.com/\u200d",
        "juliet@example.com/\ud800",
        "\ud800@example.com",
        "\ud800",
        "\x00",
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(JIDError):
        JID.parse(text)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("tea\U0001f375@muc.example", "tea\U0001f375@muc.example"),
        ("TEA\u2615@muc.example", "tea\u2615@muc.example"),
        ("\u2163@example.com", "iv@example.com"),
        ("x\u00b2@example.com", "x2@example.com"),
        ("room@muc.example/Ann \u2764\ufe0f", "room@muc.example/Ann \u2764"),
        ("room@muc.example/\U0001f468\u200d\U0001f469", "room@muc.example/\U0001f468\U0001f469"),
        ("room@muc.example/\U0001fae9", "room@muc.example/\U0001fae9"),
        ("room@muc.example/\u05d0 b\u200d \u2764", "room@muc.example/\u05d0 b \u2764"),
    ],
)
def test_what_stringprep_allows_and_precis_does_not_is_an_address_still(text: str, prepared: str) -> None:
    assert JID.parse(text) == prepared
    assert JID.parse(prepared) == prepared


@pytest.mark.parametrize(
    "texts",
    [
        ["juliet@example.com", "Juliet@EXAMPLE.com", "juliet@example.com.", "\uff4auliet@example\u3002com"],
        ["b\u00fccher.example/x", "xn--bcher-kva.example/x", "Bu\u0308cher.example/x"],
        ["a@b/e\u0301", "a@b/\u00e9"],
        ["a@b/x y", "a@b/x\u2003y"],
    ],
)
def test_addresses_that_are_the_same_are_equal(texts: list[str]) -> None:
    assert len({JID.parse(text) for text in texts}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@b/x", "a@b/X"),
        ("a@b/x", "a@b/x "),
        ("a@b", "a@b/b"),
        ("fussball@example.com", "fu\u00dfball@example.com"),
        ("fass.example", "fa\u00df.example"),
    ],
)
def test_addresses_that_differ_are_not_equal(one: str, other: str) -> None:
    assert JID.parse(one) != JID.parse(other)


@pytest.mark.parametrize(
    ("fits", "too_long"),
    [
        ("a" * 1023 + "@b", "a" * 1024 + "@b"),
        (E_ACUTE * 511 + "@b", E_ACUTE * 512 + "@b"),
        ("a@b/" + "x" * 1023, "a@b/" + "x" * 1024),
        ("a@b/" + E_ACUTE * 511 + "x", "a@b/" + E_ACUTE * 512),
        ("a" * 1023 + "@" + "b" * 63 + "/" + "x" * 1023, "a" * 1024 + "@" + "b" * 63 + "/" + "x" * 1023),
        (".".join(["a" * 63] * 3 + ["a" * 61]), ".".join(["a" * 63] * 3 + ["a" * 62])),
    ],
)
def test_a_part_has_1023_bytes_at_most(fits: str, too_long: str) -> None:
    assert JID.parse(fits) == fits
    with pytest.raises(JIDError):
        JID.parse(too_long)


def test_a_part_that_grows_while_it_is_prepared_is_measured_afterwards() -> None:
    with pytest.raises(JIDError, match="1023"):
        JID.of("\u0390" * 511 + "\ufb2c", "example.com")


def test_a_resource_is_put_on_and_taken_off() -> None:
    jid = JID.parse("room@muc.example")
    assert jid.with_resource("Ann") == JID.parse("room@muc.example/Ann")
    assert jid.with_resource("Ann").with_resource("B\u3000b") == JID.parse("room@muc.example/B b")
    assert jid.with_resource("Ann").with_resource("") is jid
    with pytest.raises(JIDError):
        jid.with_resource("\n")


def test_all_full_jids_of_an_account_share_its_bare_jid() -> None:
    assert JID.parse("juliet@example.com/a").bare is JID.parse("Juliet@example.com/b").bare
    assert JID.parse("juliet@example.com/a").bare is JID.parse("juliet@example.com")


def test_parts_are_prepared_whichever_way_they_come() -> None:
    assert JID.of("Juliet", "EXAMPLE.com.", "a\u3000b") == "juliet@example.com/a b"
    for parts in (("a@b", "c"), ("a/b", "c"), ("", ""), ("a", ""), ("a", "b@c"), ("a", "b/c")):
        with pytest.raises(JIDError):
            JID.of(*parts)


def test_an_address_stands_escaped_in_an_attribute() -> None:
    assert JID.parse("juliet@example.com/<'&\">").attribute == "juliet@example.com/&lt;&apos;&amp;&quot;&gt;"
    assert type(JID.parse("juliet@example.com/x").attribute) is str


anything = st.text()
near_addresses = st.lists(
    st.sampled_from(["a", "B", "@", "/", ".", "-", "xn--", "[", "]", ":", " ", "\u3000", "\u00df", "\u0130", "\u3002"])
    | st.characters(),
    max_size=12,
).map("".join)
addresses = st.builds("{}@{}/{}".format, anything, st.sampled_from(["example.com", "B\u00dc.x", "[::1]"]), anything)


@given(anything | near_addresses | addresses)
def test_an_address_stays_what_it_is_and_nothing_else_raises_but_jid_errors(text: str) -> None:
    try:
        jid = JID.parse(text)
    except JIDError:
        return
    again = JID.parse(str(jid))
    assert again == jid
    assert (again.local, again.domain, again.resource) == (jid.local, jid.domain, jid.resource)
    assert JID.of(jid.local, jid.domain, jid.resource) == jid
    assert jid.attribute == escape(jid)
    assert all(len(part.encode()) <= 1023 for part in (jid.local, jid.domain, jid.resource))
