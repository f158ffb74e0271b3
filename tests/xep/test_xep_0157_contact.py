"""XEP-0157: Contact Addresses for XMPP Services."""

from collections.abc import Callable

import pytest

from fermata.app.config_tables import Config, Server
from fermata.xep.xep_0157_contact import uri_of
from fermata.xmpp.jid import JID
from kit import ns
from kit.stanzas import find, form_fields, form_values
from kit.world import World

INFO = f"<query xmlns='{ns.DISCO_INFO}'/>"


def test_the_administrators_are_told(worlds: Callable[[Config], World]) -> None:
    admins = (JID.parse("escalus@localhost"), JID.parse("friar+laurence@localhost"))
    world = worlds(Config(server=Server(admins=admins)))
    answer = world.login("romeo@localhost/orchard").get(INFO, "localhost")
    values = form_values(answer)
    assert values["FORM_TYPE"] == [ns.SERVER_INFO]
    assert values["admin-addresses"] == ["xmpp:escalus@localhost", "xmpp:friar+laurence@localhost"]
    assert form_fields(answer)["admin-addresses"].get("type") == "list-multi"


def test_nothing_is_told_where_there_are_none(world: World) -> None:
    assert find(world.login("romeo@localhost/orchard").get(INFO, "localhost"), ".//data:x") is None


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("romeo@example.org", "xmpp:romeo@example.org"),
        ("example.org", "xmpp:example.org"),
        ("o?h#no%[x]@example.org", "xmpp:o%3Fh%23no%25%5Bx%5D@example.org"),
        ("jürgen@bücher.example", "xmpp:j%C3%BCrgen@b%C3%BCcher.example"),
        ("a@[::1]", "xmpp:a@[::1]"),
    ],
)
def test_an_address_is_written_as_a_uri(address: str, uri: str) -> None:
    assert uri_of(JID.parse(address)) == uri
