"""XEP-0359: Unique and Stable Stanza IDs, of accounts."""

from kit import ns
from kit.stanzas import find_all
from kit.world import World

INFO = f"<query xmlns='{ns.DISCO_INFO}'/>"


def test_an_account_says_that_it_makes_them(world: World) -> None:
    romeo = world.login("romeo@localhost/orchard")
    answer = romeo.get(INFO, romeo.bare)
    assert ns.SID in {feature.get("var") for feature in find_all(answer, "info:query/info:feature")}


def test_a_message_has_one_of_the_recipient_alone_however_many_it_came_with(world: World) -> None:
    romeo, juliet = world.online("romeo@localhost/orchard"), world.online("juliet@localhost/balcony")
    forged = "".join(f"<stanza-id xmlns='{ns.SID}' id='x' by='{by}'/>" for by in (juliet.bare, romeo.bare, juliet.bare))
    foreign = f"<stanza-id xmlns='{ns.SID}' id='y' by='room@elsewhere.example'/>"
    own = f"<origin-id xmlns='{ns.SID}' id='z'/>"
    romeo.send(f"<message to='{juliet.bare}' type='chat'><body>hi</body>{forged}{foreign}{own}</message>")
    message = juliet.expect("message", "sid:origin-id[@id='z']")
    ids = {element.get("by"): element.get("id") for element in find_all(message, "sid:stanza-id")}
    assert len(find_all(message, "sid:stanza-id")) == 2
    assert ids.pop("room@elsewhere.example") == "y"
    assert list(ids) == [juliet.bare]
    assert ids[juliet.bare] != "x"
