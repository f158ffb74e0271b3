"""Service discovery payloads and their hash."""

import pytest

from fermata.xmpp.bridge import to_domish
from fermata.xmpp.dataforms import Field, Form
from fermata.xmpp.disco import Identity, Info, Item, info, items, parse_info, ver, verification_string
from fermata.xmpp.element import serialise
from fermata.xmpp.errors import StanzaError
from fermata.xmpp.wokkel import disco
from kit.xml import plain, read

FEATURES = [
    "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/caps",
    "http://jabber.org/protocol/muc",
    "http://jabber.org/protocol/disco#info",
]
EXODUS = [Identity("client", "pc", "Exodus 0.9.1")]
PSI = """
<query xmlns='http://jabber.org/protocol/disco#info'
       node='http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w='>
  <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
  <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
  <feature var='http://jabber.org/protocol/caps'/>
  <feature var='http://jabber.org/protocol/disco#info'/>
  <feature var='http://jabber.org/protocol/disco#items'/>
  <feature var='http://jabber.org/protocol/muc'/>
  <x xmlns='jabber:x:data' type='result'>
    <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
    <field var='os'><value>Mac</value></field>
    <field var='ip_version'><value>ipv6</value><value>ipv4</value></field>
    <field var='os_version'><value>10.5.1</value></field>
    <field var='software'><value>Psi</value></field>
    <field var='software_version'><value>0.11</value></field>
  </x>
</query>"""


def test_the_simple_example_of_xep_0115() -> None:
    assert verification_string(EXODUS, FEATURES) == (
        "client/pc//Exodus 0.9.1<http://jabber.org/protocol/caps<http://jabber.org/protocol/disco#info<"
        "http://jabber.org/protocol/disco#items<http://jabber.org/protocol/muc<"
    )
    assert ver(EXODUS, FEATURES) == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_the_complex_example_of_xep_0115() -> None:
    found = parse_info(read(PSI))
    assert verification_string(*found).startswith("client/pc/el/Ψ 0.11<client/pc/en/Psi 0.11<http")
    assert verification_string(*found).endswith(
        "urn:xmpp:dataforms:softwareinfo<ip_version<ipv4<ipv6<os<Mac<os_version<10.5.1<software<Psi<software_version<0.11<"
    )
    assert ver(*found) == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_a_name_cannot_pass_for_a_feature() -> None:
    assert ver([Identity("client", "pc", "A<urn:b")], []) != ver([Identity("client", "pc", "A")], ["urn:b"])


def test_info_is_written_to_the_letter() -> None:
    element = info(
        [Identity("conference", "text", "Verona's <rooms>"), Identity("conference", "text", "Räume", "de")],
        ["urn:b", "urn:a", "urn:b"],
        [Form("result", "urn:f", (Field.text_single("a", "1"),))],
        node="x",
    )
    assert serialise(element) == (
        "<query xmlns='http://jabber.org/protocol/disco#info' node='x'>"
        "<identity category='conference' type='text' name='Verona&apos;s &lt;rooms&gt;'/>"
        "<identity category='conference' type='text' name='Räume' xml:lang='de'/>"
        "<feature var='urn:a'/><feature var='urn:b'/>"
        "<x xmlns='jabber:x:data' type='result'><field type='hidden' var='FORM_TYPE'><value>urn:f</value></field>"
        "<field type='text-single' var='a'><value>1</value></field></x></query>"
    )


@pytest.mark.parametrize(
    ("item", "xml"),
    [
        (Item("conference.example.org"), "<item jid='conference.example.org'/>"),
        (Item("a@b", "Verona"), "<item jid='a@b' name='Verona'/>"),
        (Item("a@b/🌹"), "<item jid='a@b/🌹'/>"),
        (Item("a", node="urn:n"), "<item jid='a' node='urn:n'/>"),
    ],
)
def test_an_item_is_written_to_the_letter(item: Item, xml: str) -> None:
    assert serialise(items([item])) == f"<query xmlns='http://jabber.org/protocol/disco#items'>{xml}</query>"


def test_no_items_are_an_empty_query() -> None:
    assert serialise(items([], "n")) == "<query xmlns='http://jabber.org/protocol/disco#items' node='n'/>"


def test_what_was_written_is_read_back() -> None:
    found = parse_info(read(PSI))
    again = info(*found)
    assert parse_info(again) == found
    assert ver(*parse_info(read(serialise(again)))) == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_wokkel_reads_the_same() -> None:
    theirs = disco.DiscoInfo.fromElement(to_domish(info(EXODUS, FEATURES, [Form("result", "urn:f")], "n")))
    assert theirs.features == set(FEATURES)
    assert theirs.identities == {("client", "pc"): "Exodus 0.9.1"}
    assert (list(theirs.extensions), theirs.nodeIdentifier) == (["urn:f"], "n")
    found = items([Item("a@b/c", "n", "d")])
    assert plain(found) == plain(read(serialise(found)))
    (item,) = disco.DiscoItems.fromElement(to_domish(found))
    assert (item.entity.full(), item.name, item.nodeIdentifier) == ("a@b/c", "n", "d")


FORM = (
    "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='{}'><value>{}</value></field>"
    "<field var='a'><value>1</value></field></x>"
)


@pytest.mark.parametrize(
    "twice",
    [
        "<identity category='client' type='pc'/>",
        "<feature var='urn:a'/>",
        FORM.format("hidden", "urn:f"),
    ],
)
def test_what_is_said_twice_is_ill_formed(twice: str) -> None:
    with pytest.raises(StanzaError, match="bad-request"):
        parse_info(read(f"<query xmlns='http://jabber.org/protocol/disco#info'>{twice}{twice}</query>"))


def test_a_form_without_a_hidden_form_type_does_not_count() -> None:
    forms = FORM.format("text-single", "urn:f") + "<x xmlns='jabber:x:data' type='result'/>"
    found = parse_info(read(f"<query xmlns='http://jabber.org/protocol/disco#info'>{forms}</query>"))
    assert found == Info((), (), ())
