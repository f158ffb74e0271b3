"""XEP-0115: Entity Capabilities, of the server."""

from collections.abc import Callable

from fermata.app.config_tables import Config, Server
from fermata.xmpp import disco
from fermata.xmpp.jid import JID
from kit import ns
from kit.stanzas import find
from kit.wire import Client
from kit.world import World

INFO = f"<query xmlns='{ns.DISCO_INFO}'/>"


def caps(client: Client) -> dict[str, str]:
    found = find(client.features, "caps:c")
    assert found is not None, "no capabilities in the stream features"
    return dict(found.attrib)


def hash_of(client: Client, query: str = INFO) -> str:
    """The hash of what the server tells when it is asked."""
    answer = find(client.get(query, client.domain), "info:query")
    assert answer is not None
    return disco.ver(*disco.parse_info(answer))


def test_the_hash_stands_for_what_the_server_tells(world: World) -> None:
    romeo = world.login("romeo@localhost/orchard")
    offered = caps(romeo)
    assert offered["hash"] == "sha-1"
    assert offered["ver"] == hash_of(romeo)


def test_it_stands_for_the_forms_as_well(worlds: Callable[[Config], World]) -> None:
    world = worlds(Config(server=Server(admins=(JID.parse("escalus@localhost"),))))
    romeo = world.login("romeo@localhost/orchard")
    assert caps(romeo)["ver"] == hash_of(romeo)


def test_the_server_answers_for_the_node(world: World) -> None:
    romeo = world.login("romeo@localhost/orchard")
    offered = caps(romeo)
    node = f"{offered['node']}#{offered['ver']}"
    query = f"<query xmlns='{ns.DISCO_INFO}' node='{node}'/>"
    assert hash_of(romeo, query) == offered["ver"]
    answer = find(romeo.get(query, "localhost"), "info:query")
    assert answer is not None
    assert answer.get("node") == node


def test_it_answers_for_no_other_node(world: World) -> None:
    romeo = world.login("romeo@localhost/orchard")
    for node in (caps(romeo)["node"], f"{caps(romeo)['node']}#x", "x"):
        query = f"<query xmlns='{ns.DISCO_INFO}' node='{node}'/>"
        assert romeo.refused("get", query, "localhost") == ("cancel", "item-not-found")


def test_nothing_is_told_before_authentication(world: World) -> None:
    client = Client(world.connect())
    client.open()
    assert find(client.features, "caps:c") is None
