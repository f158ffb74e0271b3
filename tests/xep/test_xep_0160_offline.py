"""XEP-0160: offline messages, and whether they are told of. How they are kept: tests/services/test_messages.py."""

from kit import ns
from kit.stanzas import find_all
from kit.world import World


def test_the_server_says_that_it_keeps_messages(world: World) -> None:
    answer = world.login("romeo@localhost/orchard").get(f"<query xmlns='{ns.DISCO_INFO}'/>", "localhost")
    assert "msgoffline" in {feature.get("var") for feature in find_all(answer, "info:query/info:feature")}
