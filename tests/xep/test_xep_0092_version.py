"""XEP-0092: Software Version."""

from fermata import __version__
from kit import ns
from kit.stanzas import find_all
from kit.world import World


def test_the_server_says_what_it_is_but_not_where_it_runs(world: World) -> None:
    answer = world.login("romeo@localhost/orchard").get(f"<query xmlns='{ns.VERSION}'/>", "localhost")
    told = {element.tag: element.text for element in find_all(answer, "version:query/*")}
    assert told == {f"{{{ns.VERSION}}}name": "Fermata", f"{{{ns.VERSION}}}version": __version__}
